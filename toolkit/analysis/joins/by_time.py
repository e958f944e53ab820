"""Joins requests to access lines by method, path, status and time, where no id tells."""

from __future__ import annotations

from functools import partial
from itertools import groupby, product
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from toolkit.analysis.building import Source
from toolkit.analysis.database import query, rows
from toolkit.analysis.joins.spans import Crowd, Span, pair_in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from toolkit.analysis.building import Building

SLACK_NS = 50_000_000
"""Added to the error of the clocks: gunicorn writes its line after the answer has left, as soon as it gets the processor."""
LATE_NS = 60_000_000_000
"""So long after the client gave up a server's line is still looked for."""
CLOSED = ("ECONNRESET", "EPIPE", "socket hang up")
"""Errors of connections that the other side ended: a worker has them no longer in work."""
LATE_STATUSES = (408, 499, 504, 520, 522, 524)
"""After these the server may still be at work, or may yet begin. Not after 502: the connection was closed; nor after 503: no
server was asked."""
MOST_REPEATS = 8
"""An id that more requests or lines share than this names none of them."""

_TIGHT_NS = 50_000_000
_MOST_REQUESTS = 3_000_000

Request = tuple[int, int, int, int, bool]
"""Key, request_no, start, end, whether the server may have ended it long after the client."""
Line = tuple[int, int, int, int, int]
"""Key, line_no, earliest end, latest end, duration (-1: unknown)."""
Match = tuple[int, int, int, bool]
"""request_no, line_no, candidates, whether each was the only one for the other."""


def join_by_time(building: Building, layer: int, error_ns: int, sites: list[int | None]) -> None:
    """Add to `join_matches` what can be told by time of one layer's lines. Four rounds: what agrees in status before what does
    not, and requests with an id of their own, which are on no line with another's, before those without."""
    connection = building.connection
    for loose, named, site in product((False, True), (True, False), sites):
        asked = {"loose": loose, "named": named, "site": site, "most": MOST_REPEATS}
        connection.execute(query("join_open_lines"), {**asked, "layer": layer})
        connection.execute(query("join_open_requests"), {**asked, "late": list(LATE_STATUSES)})
        count = rows(connection, "join_open_count")[0]["requests"]
        if count > _MOST_REQUESTS:
            problem = f"{count:,} requests have no id in the access log; more than {_MOST_REQUESTS:,} are not joined by time."
            building.sources.append(Source("joined", problem=problem))
        elif count:
            _round(building, layer, error_ns + SLACK_NS, late_first=loose)


def _round(building: Building, layer: int, error_ns: int, *, late_first: bool) -> None:
    path = building.scratch / "matches.csv"
    with path.open("w", encoding="ascii") as file:
        for requests, lines in _groups(building.connection):
            for number, line, candidates, alone in match(requests, lines, error_ns, late_first=late_first):
                file.write(f"{number},{line},{layer},{candidates},{int(alone)}\n")
    if path.stat().st_size:
        building.connection.execute(query("join_add_matches"), {"path": str(path)})


def _groups(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[list[Request], list[Line]]]:
    """Requests and lines that agree in method, path and status."""
    lines = groupby(_stream(connection, "join_open_line_list"), itemgetter(0))
    requests = groupby(_stream(connection, "join_open_request_list"), itemgetter(0))
    for (_, its_requests), (_, its_lines) in zip(requests, lines, strict=True):
        yield list(its_requests), list(its_lines)


def _stream(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.execute(query(name))
    while some := cursor.fetchmany(20_000):
        yield from some


def match(
    requests: list[Request], lines: list[Line], error_ns: int, *, late_first: bool = False
) -> list[Match]:
    """Pair requests and lines of one kind, one to one, those whose ends lie closest first.

    A line is written when the server has answered, so it lies within its request; as far as the clocks agree.
    `late_first`: these got no answer of the server's, so that their lines rather lie behind them.
    """

    def fits(request: int, line: int) -> bool:
        """Where the line says how long it took, the server did not begin before the client, nor after it had given up."""
        _, _, start_ns, end_ns, _ = requests[request]
        _, _, low_ns, high_ns, duration_ns = lines[line]
        if duration_ns < 0:
            return True
        return high_ns - duration_ns >= start_ns - error_ns and low_ns - duration_ns <= end_ns + error_ns

    whole: list[Span | None] = [_window(request, error_ns) for request in requests]
    late = [
        (window[0], window[1] + LATE_NS) if request[4] and window else None
        for request, window in zip(requests, whole, strict=True)
    ]
    spans: list[Span | None] = [(low_ns, high_ns) for _, _, low_ns, high_ns, _ in lines]
    crowd = Crowd(spans)
    rivals = (whole, Crowd(whole)), (late, Crowd(late))
    after = [
        (request[3] - error_ns, window[1]) if window else None
        for request, window in zip(requests, late, strict=True)
    ]
    first = [_patient(requests, after), after] if late_first else []
    stages = [*first, _ends(requests, error_ns), whole, late]
    # A line after the client gave up is sure only where it says when it began.
    is_late = {*range(len(first)), len(stages) - 1}
    found: list[Match] = []
    for stage, request, line in pair_in_turn(stages, spans, fits):
        windows, rival = rivals[stage in is_late]
        candidates = crowd.fitting(windows[request], partial(fits, request))
        others = rival.fitting(spans[line], lambda one, line=line: fits(one, line))  # type: ignore[misc]
        sure = candidates == others == 1 and (stage not in is_late or lines[line][4] >= 0)
        found.append((requests[request][1], lines[line][1], candidates, sure))
    return found


def _patient(requests: list[Request], after: list[Span | None]) -> list[Span | None]:
    """Those that waited about as long as any: what is given up after a time has a line, what is refused at once has none."""
    longest_ns = max((request[3] - request[2] for request in requests if request[4]), default=0)
    return [
        span if 2 * (request[3] - request[2]) >= longest_ns else None
        for request, span in zip(requests, after, strict=True)
    ]


def _ends(requests: list[Request], error_ns: int) -> list[Span | None]:
    """When their lines are written, but for a server or a network that is slow in the end."""
    return [
        (max(request[2], request[3] - _TIGHT_NS) - error_ns, request[3] + error_ns) for request in requests
    ]


def _window(request: Request, error_ns: int) -> Span:
    return request[2] - error_ns, request[3] + error_ns
