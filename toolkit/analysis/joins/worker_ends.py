"""Joins failed requests to the end of the worker that had them in work."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.analysis.database import query, rows
from toolkit.analysis.joins.by_time import SLACK_NS
from toolkit.analysis.joins.spans import Crowd, Span, pair_in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.building import Building

_MOST_REQUESTS = 500_000
_SOON_NS = 3_000_000_000
"""A worker that is told to end takes a moment; gunicorn kills it a second or two later if it does not."""
_AT_ONCE_NS = 300_000_000
"""A connection is closed in the moment in which its worker dies; so much the times of both may be off."""
_REAPED_NS = 100_000_000
"""So much later the arbiter may come to tell."""
_ONE_MOMENT_NS = 30_000_000
"""All connections of a worker are closed as it dies; so far apart a proxy, and a client, come to tell."""
_LATE_NS = 120_000_000_000
"""A client may give up so long before gunicorn's timeout."""
_MOST_AT_ONCE = 64


@dataclass(frozen=True)
class CutShort:
    """A failed request without a line of the server, or with the traceback of a worker's exit."""

    request_no: int
    start_ns: int
    end_ns: int
    late: bool
    answered: bool
    closed: bool
    """By the other side, in the middle."""
    bad_gateway: bool
    """A proxy said so: it was closed for that, or could not be made."""
    site: int | None
    server: str | None
    """Of the traceback, as `pid`, `t_ns` and `certainty`."""
    pid: int | None
    t_ns: int | None
    certainty: str | None
    message: str | None
    """Of the SystemExit: its code, if it has one."""


@dataclass(frozen=True)
class WorkerEnd:
    """A worker that ended in the middle of something."""

    end_no: int
    server: str
    site: int | None
    pid: int
    low_ns: int
    high_ns: int
    explained: bool
    """Where nobody knows why it ended, that may have been between two requests: an answer, even a bad one, is none of its."""
    raises: bool
    """Whether a SystemExit may stand in the log for its end: gunicorn's timeout, say, but no signal that kills."""
    code: int | None
    """With which it exited, where that is known."""
    died_ns: int
    """When it was seen to be gone; `low_ns` and `high_ns` are of the line that says why."""
    exact: bool
    """A line says when it was gone; else that was up to some seconds before."""


def join_worker_ends(building: Building, error_ns: int) -> None:
    """Make `join_ended`: each end with the requests that it cut short, as many as such a worker has in work at once."""
    connection = building.connection
    connection.execute(
        "CREATE TABLE join_ended (request_no BIGINT, end_no BIGINT, certainty VARCHAR, candidates BIGINT)"
    )
    connection.execute(query("join_worker_ends"))
    ends = [WorkerEnd(*row.values()) for row in rows(connection, "join_worker_end_list")]
    if not ends:
        return
    requests = [
        CutShort(*row.values()) for row in rows(connection, "join_cut_short", {"most": _MOST_REQUESTS})
    ]
    rooms = {entry.name: _room(entry.facts) for entry in building.manifest.servers}
    path = building.scratch / "ended.csv"
    with path.open("w", encoding="ascii") as file:
        for request_no, end_no, candidates, alone in _join(requests, ends, rooms, error_ns + SLACK_NS):
            file.write(f"{request_no},{end_no},{candidates},{int(alone)}\n")
    if path.stat().st_size:
        connection.execute(query("join_add_ended"), {"path": str(path)})


class Room(NamedTuple):
    """What a worker holds at a time."""

    working: int
    """Requests in work."""
    connections: int
    """Requests that it has taken from the queue, in work or not."""


def _room(facts: dict[str, Any]) -> Room:
    """Of a sync worker, gunicorn's default, one request; one with threads holds connections that wait for a thread, too."""
    said = facts.get("gunicorn")
    gunicorn = said if isinstance(said, dict) else {}
    kind, threads = str(gunicorn.get("worker_class") or "sync"), gunicorn.get("threads")
    if kind not in ("sync", "gthread"):
        return Room(_MOST_AT_ONCE, _MOST_AT_ONCE)
    working = min(threads, _MOST_AT_ONCE) if isinstance(threads, int) and threads > 0 else 1
    return Room(working, _MOST_AT_ONCE if kind == "gthread" else working)


_ONE = Room(1, 1)

Ended = tuple[int, int, int, bool]
"""request_no, end_no, candidates, whether it can have been no other."""


def _join(
    requests: list[CutShort], ends: list[WorkerEnd], rooms: dict[str, Room], margin: int
) -> Iterator[Ended]:
    workers: dict[tuple[str | None, int | None], list[WorkerEnd]] = {}
    for end in ends:
        workers.setdefault((end.server, end.pid), []).append(end)
    taken: Counter[int] = Counter()
    for _, request, end in sorted(_by_exit(requests, workers), key=lambda found: found[0]):
        # A worker has so many in work: an application that raises SystemExit itself, and is answered for, lives on.
        if taken[end.end_no] < rooms.get(end.server, _ONE).working:
            taken[end.end_no] += 1
            yield request.request_no, end.end_no, 1, request.certainty != "ambiguous"
    rest = [request for request in requests if request.t_ns is None]
    found = set()
    closed = [request for request in rest if request.closed]
    gateways = _of_one_moment([request for request in rest if request.bad_gateway], ends, margin)
    for one in _with_the_worker([*closed, *gateways], ends, rooms, taken, margin):
        found.add(one[0])
        yield one
    places = [
        end for end in ends for _ in range(max(0, rooms.get(end.server, _ONE).working - taken[end.end_no]))
    ]
    yield from _by_time([request for request in rest if request.request_no not in found], places, margin)


def _with_the_worker(
    requests: list[CutShort], ends: list[WorkerEnd], rooms: dict[str, Room], taken: Counter[int], margin: int
) -> Iterator[Ended]:
    """Connections that were closed in the moment in which a worker died: of the worker that died nearest to it, the longest under
    way first. Those that a worker with threads had accepted and not begun go with it, too."""
    near = _AT_ONCE_NS + margin
    by_time = sorted(ends, key=lambda end: end.died_ns)
    times = [end.died_ns for end in by_time]
    for request in sorted(requests, key=lambda one: (one.start_ns, one.request_no)):
        first, last = bisect_left(times, request.end_ns - near), bisect_right(times, request.end_ns + near)
        its = [
            end
            for end in by_time[first:last]
            if request.site in (None, end.site)
            and (end.explained or not request.answered)
            and taken[end.end_no] < rooms.get(end.server, _ONE).connections
        ]
        if its:
            nearest = min(its, key=lambda end: abs(end.died_ns - request.end_ns))
            taken[nearest.end_no] += 1
            yield request.request_no, nearest.end_no, len(its), len(its) == 1


def _of_one_moment(requests: list[CutShort], ends: list[WorkerEnd], margin: int) -> Iterator[CutShort]:
    """Those that a proxy answered with 502 as a worker died: the one nearest to that, and all that were answered with it. A proxy
    says 502 too where it never came to a worker."""
    by_end = sorted(requests, key=lambda one: one.end_ns)
    times = [one.end_ns for one in by_end]
    given: set[int] = set()
    for end in ends:
        low_ns, high_ns = _gone_between(end)
        first, last = bisect_left(times, low_ns - _REAPED_NS - margin), bisect_right(times, high_ns + margin)
        under_way = [
            one for one in by_end[first:last] if one.start_ns <= high_ns and one.request_no not in given
        ]
        if not under_way:
            continue
        moment_ns = min(under_way, key=lambda one: abs(one.end_ns - end.died_ns)).end_ns
        for one in under_way:
            if abs(one.end_ns - moment_ns) <= _ONE_MOMENT_NS:
                given.add(one.request_no)
                yield one


def _gone_between(end: WorkerEnd) -> Span:
    """A line was written between two looks at the log; the agent's own look, where it saw it gone before, is sharper."""
    if not end.exact or end.died_ns < end.low_ns:
        return end.died_ns - _AT_ONCE_NS, end.died_ns
    return end.low_ns, end.high_ns if end.died_ns >= (end.low_ns + end.high_ns) // 2 else end.died_ns


def _by_exit(
    requests: list[CutShort], workers: dict[tuple[str | None, int | None], list[WorkerEnd]]
) -> Iterator[tuple[int, CutShort, WorkerEnd]]:
    """(how far apart, request, end) of each with the traceback of an exit, and the end nearest to it of its worker."""
    for request in requests:
        if (t_ns := request.t_ns) is None:
            continue
        its = [
            end
            for end in workers.get((request.server, request.pid), [])
            if end.raises and (end.code is None or _code(request.message) in (None, end.code))
        ]
        found = min(its, key=lambda end: abs(end.low_ns - t_ns), default=None)
        if found is not None and found.low_ns - _SOON_NS <= t_ns <= found.high_ns + _SOON_NS:
            yield abs(found.low_ns - t_ns), request, found


def _code(message: str | None) -> int | None:
    return int(message) if message is not None and message.isdecimal() and len(message) < 4 else None


def _by_time(requests: list[CutShort], places: list[WorkerEnd], margin: int) -> Iterator[Ended]:
    """Those first that ended with the worker; then those whose client gave up before."""

    def fits(request: int, place: int) -> bool:
        one, end = requests[request], places[place]
        if one.bad_gateway and end.exact:
            return False
        return one.site in (None, end.site) and (end.explained or not one.answered)

    spans: list[Span | None] = [(end.low_ns, end.high_ns) for end in places]
    with_it: list[Span | None] = [
        (max(one.start_ns, one.end_ns - _SOON_NS) - margin, one.end_ns + margin) for one in requests
    ]
    before: list[Span | None] = [
        (one.start_ns - margin, one.end_ns + margin + (_LATE_NS if one.late else 0)) for one in requests
    ]
    stages = (with_it, before)
    cut_off = [None if one.answered else span for one, span in zip(requests, with_it, strict=True)]
    crowd, rivals = Crowd(spans), {True: Crowd(with_it), False: Crowd(cut_off)}
    for stage, request, place in pair_in_turn(stages, spans, fits):
        candidates = crowd.meeting(stages[stage][request])
        alone = stage == 0 and rivals[places[place].explained].meeting(spans[place]) <= candidates
        yield requests[request].request_no, places[place].end_no, candidates, alone
