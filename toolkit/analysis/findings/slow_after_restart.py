"""Slow after a restart: in the seconds after a worker was born answers take longer than at other times."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import count, ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_AFTER_S = 3
"""Seconds from a birth."""
_BEFORE_S = 2
"""Seconds before one that are compared with neither: what ended the worker before it may have slowed them."""
_TIMES, _MORE_MS = 2.0, 30.0
_OTHERS = 5
"""Seconds without a birth near them, to compare with."""
_MOSTLY = 0.6
"""Of the births, that must be followed by slow answers."""
_SEVERAL = 3
_FAILED = 0.03
"""Of a second's requests, that may have failed."""


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server."""
    for server in evidence.servers:
        yield from _of(server, evidence)


def _of(server: ServerEvidence, evidence: Evidence) -> Iterator[Said]:
    born = server.column("born")
    births = [at for at in server.seconds if born[at]]
    if not births:
        return  # the rule on restarts says whether any worker ended
    if not evidence.loaded:
        return
    grid = server.lanes["t"]
    p95 = {
        second: evidence.series["p95_ms"][place]
        for second, place in evidence.at.items()
        if not _failed(evidence.series, place)
    }
    near: set[int] = set()
    for at in births:
        near |= set(range(grid[at] - _BEFORE_S, grid[at] + _AFTER_S + 1))
    others = [
        value for at in server.seconds if grid[at] not in near and (value := p95.get(grid[at])) is not None
    ]
    after = {
        at: [
            value for second in range(grid[at], grid[at] + _AFTER_S) if (value := p95.get(second)) is not None
        ]
        for at in births
    }
    worst = {at: max(values) for at, values in after.items() if values}
    if len(others) < _OTHERS or not worst:
        yield Unknown(
            "Whether answers were slow after a restart: workers were born so often that no other seconds are left to compare "
            "with, or nothing was answered then.",
            server.name,
        )
        return
    usual = median(others)
    limit = max(_TIMES * usual, usual + _MORE_MS)
    # The largest of three seconds is above the median by chance: it is held against the largest of others, too.
    trios = sorted(max(others[at : at + _AFTER_S]) for at in range(0, len(others) - _AFTER_S + 1, _AFTER_S))
    by_chance = trios[int(0.75 * (len(trios) - 1))]
    slow = {at: value for at, value in worst.items() if value >= max(limit, 1.5 * by_chance)}
    said = (
        f"in the {_AFTER_S} s after {count(len(worst), 'birth of a worker', 'births of workers')} the p95 rose to "
        f"{ms(median(worst.values()))} (median of their worst second), it was {ms(usual)} in {count(len(others), 'other second')}"
    )
    if len(slow) < _MOSTLY * len(worst):
        yield RuledOut(f"Not slow after a restart: {said}.", server.name)
        return
    yield Finding(
        title=f"Slow after a restart: p95 {ms(median(slow.values()))} where it is {ms(usual)} otherwise",
        certainty=LIKELY if len(slow) >= _SEVERAL else PERHAPS,
        evidence=[
            f"{said[:1].upper()}{said[1:]}.",
            f"{len(slow)} of {len(worst)} births were followed by it.",
        ],
        settle="What a new worker does first (imports, caches, connections, compiling): its flamegraph in those seconds; "
        "“preload_app”, or a warm-up in “post_worker_init”, must end it.",
        server=server.name,
        span=server.span_of(sorted(slow)),
        lanes=("born", "p95_ms"),
        counts={
            "births": len(worst),
            "births_slow": len(slow),
            "p95_ms_after": median(slow.values()),
            "p95_ms_otherwise": usual,
        },
        part="time",
    )


def _failed(series: dict[str, list[Any]], place: int) -> bool:
    """Whether so many failed in a second that its p95 may be theirs: what a worker's end, or a proxy, cut off."""
    failed = (series["status_5xx"][place] or 0) + (series["errors"][place] or 0)
    return bool(failed and failed >= _FAILED * (series["requests"][place] or 0))
