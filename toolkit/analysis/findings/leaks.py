"""Memory or descriptors that only grow: the slope after the warm-up, of each worker's own life."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Span, Unknown
from toolkit.analysis.findings.words import count, mib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_WARM_UP = 0.3
"""Of each worker's time under load, left out: imports, caches and pools fill."""
_WARM_UP_MOST_S = 300.0
_PIECES = 5
"""The rest is cut into so many pieces, whose medians must grow from each to the next."""
_LEAST_POINTS = 3 * _PIECES
_MORE_LOAD = 1.3
_LEAST_S, _SURE_S = 12.0, 600.0
"""So long a worker must be seen after its warm-up; so long before growth is called likely to go on."""


class _Quantity(NamedTuple):
    name: str
    what: str
    least: float
    """Growth that is one, after the warm-up; and at least a part of what there was."""
    part: float
    written: Callable[[float], str]
    per: str
    settle: str
    lane: str


_QUANTITIES = (
    _Quantity(
        "rss",
        "Memory",
        8 * 2**20,
        0.05,
        mib,
        "MiB",
        "A longer run must show it go on; two snapshots of memray or tracemalloc in one worker say what is kept. “max_requests” "
        "hides it meanwhile.",
        "workers_rss",
    ),
    _Quantity(
        "descriptors",
        "Descriptors",
        10,
        0.2,
        lambda value: f"{value:,.0f}",
        "descriptors",
        "“ls -l /proc/PID/fd” of a worker, twice, says of what kind they are (sockets, files, pipes).",
        "connections_out",
    ),
)


class _Growth(NamedTuple):
    pid: int
    start: float
    end: float
    seconds: float
    from_s: int
    to_s: int

    @property
    def grown(self) -> float:
        return self.end - self.start

    @property
    def per_hour(self) -> float:
        return self.grown / self.seconds * 3600


def rule(evidence: Evidence) -> Iterator[Said]:
    """At most one finding a server and quantity."""
    for server in evidence.servers:
        for quantity in _QUANTITIES:
            yield from _of(server, quantity, evidence)


def _of(server: ServerEvidence, quantity: _Quantity, evidence: Evidence) -> Iterator[Said]:
    rows = [row for row in server.growth if row["name"] == quantity.name]
    judged = [grown for row in rows if (grown := _grown(row)) is not None]
    if not judged:
        if rows:
            words = (
                f"Whether {quantity.what.lower()} leaked: no worker was seen for {_LEAST_S:.0f} s after its warm-up "
                f"({_WARM_UP * 100:.0f} % of its time)"
            )
            yield Unknown(f"{words}; a longer run would tell.", server.name)
        return
    steady = [one for one, is_steady in judged if is_steady and _much(one, quantity)]
    started, all_grown = (
        sum(values) for values in zip(*((one.start, one.grown) for one, _ in judged), strict=True)
    )
    if not steady or 2 * len(steady) < len(judged):
        worst = max((one for one, _ in judged), key=lambda one: one.grown)
        yield RuledOut(
            f"No leak of {quantity.what.lower()}: after the warm-up {count(len(judged), 'worker')} went from "
            f"{quantity.written(started)} to {quantity.written(started + all_grown)}, the worst grew by "
            f"{quantity.written(worst.grown)} in {worst.seconds:.0f} s"
            f"{', not steadily' if _much(worst, quantity) else ''}.",
            server.name,
        )
        return
    grew = f"the {quantity.what.lower()} of the workers grew by {quantity.written(sum(one.grown for one in steady))}"
    if (more := _load_grew(evidence, steady)) >= _MORE_LOAD:
        yield Unknown(
            f"Whether {quantity.what.lower()} leaked: {grew}, while the load grew to {more:.1f} times what it was; a run of "
            "steady load would tell.",
            server.name,
        )
        return
    if quantity.name == "descriptors" and (opened := _opened(server, steady)) >= 0.5 * sum(
        o.grown for o in steady
    ):
        yield RuledOut(
            f"No leak of descriptors: {grew}, and {opened:.0f} more connections were open at the end.",
            server.name,
        )
        return
    yield _finding(server, quantity, steady, len(judged))


def _load_grew(evidence: Evidence, steady: list[_Growth]) -> float:
    """Requests a second in the last fifth, as times those in the first."""
    first, last = _ends(steady, evidence.at)
    requests = evidence.series.get("requests") or []
    before, after = (
        sum(requests[at] for at in places) / len(places) if places else 0.0 for places in (first, last)
    )
    return after / before if before else 1.0


def _opened(server: ServerEvidence, steady: list[_Growth]) -> float:
    """Connections that came to be open, of clients and to others."""
    grid = {second: at for at, second in enumerate(server.lanes.get("t") or [])}
    first, last = _ends(steady, grid)
    return sum(
        (server.mean(name, last) or 0.0) - (server.mean(name, first) or 0.0)
        for name in ("connections", "connections_out")
    )


def _ends(steady: list[_Growth], at: dict[int, int]) -> tuple[list[int], list[int]]:
    """Places of the seconds of the first and of the last piece."""
    from_s, to_s = min(one.from_s for one in steady), max(one.to_s for one in steady)
    length = (to_s - from_s) / _PIECES
    places = [(second, place) for second, place in at.items() if from_s <= second <= to_s]
    return (
        [place for second, place in places if second <= from_s + length],
        [place for second, place in places if second >= to_s - length],
    )


def _much(growth: _Growth, quantity: _Quantity) -> bool:
    return growth.grown >= max(quantity.least, quantity.part * growth.start)


def _grown(row: dict[str, Any]) -> tuple[_Growth, bool] | None:
    """Growth of one worker after its warm-up, and whether it went on to the end."""
    seconds, values = row["seconds"], row["values"]
    if not seconds:
        return None
    first = seconds[0] + min(_WARM_UP * (seconds[-1] - seconds[0]), _WARM_UP_MOST_S)
    kept = [(second, value) for second, value in zip(seconds, values, strict=True) if second >= first]
    if len(kept) < _LEAST_POINTS or kept[-1][0] - kept[0][0] < _LEAST_S:
        return None
    pieces = _medians([value for _, value in kept])
    lasted = kept[-1][0] - kept[0][0]
    # From the middle of the first piece to that of the last.
    growth = _Growth(
        row["pid"], pieces[0], pieces[-1], lasted * (1 - 1 / _PIECES), int(kept[0][0]), int(kept[-1][0])
    )
    steps = [after - before for before, after in pairwise(pieces)]
    # A plateau at the end is no leak: its last step must be part of the same slope.
    return growth, all(step > 0 for step in steps) and steps[-1] >= 0.3 * growth.grown / len(steps)


def _medians(values: Sequence[float]) -> list[float]:
    size = len(values) / _PIECES
    return [median(values[round(at * size) : round((at + 1) * size)]) for at in range(_PIECES)]


def _finding(server: ServerEvidence, quantity: _Quantity, steady: list[_Growth], judged: int) -> Finding:
    per_hour = sum(one.per_hour for one in steady)
    worst = max(steady, key=lambda one: one.grown)
    deaths = len((server.watch.get("workers") or {}).get("deaths") or [])
    evidence = [
        f"{len(steady)} of {count(judged, 'worker')} grew from each fifth of the time after the warm-up to the next, by "
        f"{quantity.written(sum(one.grown for one in steady))} together: {quantity.written(per_hour)} an hour.",
        f"The most: worker {worst.pid}, from {quantity.written(worst.start)} to {quantity.written(worst.end)} in "
        f"{worst.seconds:.0f} s.",
    ]
    if deaths:
        evidence.append(f"{count(deaths, 'worker')} ended meanwhile; each life was judged by itself.")
    seen = max(one.seconds for one in steady)
    if seen < _SURE_S:
        evidence.append(f"It was seen for {seen:.0f} s only: a cache that fills looks the same.")
    scale = 2**20 if quantity.name == "rss" else 1
    return Finding(
        title=f"{quantity.what} of the workers only grow{'s' if quantity.name == 'rss' else ''}: "
        f"{quantity.written(per_hour)} an hour",
        certainty=LIKELY if seen >= _SURE_S else PERHAPS,
        evidence=evidence,
        settle=quantity.settle,
        server=server.name,
        span=_span(steady),
        lanes=(quantity.lane,),
        counts={
            f"{quantity.per}_per_hour": per_hour / scale,
            "workers": len(steady),
            "workers_judged": judged,
            "seconds": seen,
        },
        part="servers" if quantity.name == "descriptors" else "time",
        same=quantity.name,
    )


def _span(steady: list[_Growth]) -> Span:
    return Span(min(one.from_s for one in steady) * 10**9, max(one.to_s for one in steady) * 10**9)
