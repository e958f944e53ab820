"""The generator second by second, on the grid of `Results.series`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from toolkit.analysis.trust.canary import per_second

if TYPE_CHECKING:
    from toolkit.analysis.trust.arrivals import Arrivals
    from toolkit.analysis.trust.reading import Generator, Row

Lags = dict[int, tuple[float, float]]
"""Second → p50 and p99 of the send lag, ms."""

Column = list[float | None]


def trust_series(
    grid: list[int], arrivals: list[Arrivals], generator: Generator, lags: Lags
) -> dict[str, list[Any]]:
    """Columns of equal length, None where nothing is known: `t`; `offered` and `achieved` (users that were meant to arrive
    and that did); `send_lag_p50_ms`, `send_lag_p99_ms`; `generator_cpu` (cores, all engines), `generator_busiest` (cores that
    the busiest thread of any used or waited for), `host_cpu` (cores busy on the generator's machine); `loop_p99_ms` (delay of
    the generator's event loops, the worst); `canary_p50_ms`, `canary_p95_ms`."""
    known = [one for one in arrivals if one.load.schedules and one.load.pulses]
    canary = per_second(generator.canary)
    cpu = {middle_s(row, row["interval_s"]): row for row in generator.cpu}
    loops = _loops(generator)
    return {
        "t": grid,
        "offered": _growth(grid, [one.meant_by for one in known]),
        "achieved": _growth(grid, [one.arrived_by for one in known]),
        "send_lag_p50_ms": [_at(lags, second, 0) for second in grid],
        "send_lag_p99_ms": [_at(lags, second, 1) for second in grid],
        "generator_cpu": [_engines(cpu.get(second), "cpu") for second in grid],
        "generator_busiest": [busiest(cpu.get(second)) for second in grid],
        "host_cpu": [_rounded((cpu.get(second) or {}).get("host_cpu")) for second in grid],
        "loop_p99_ms": [_rounded(loops.get(second)) for second in grid],
        "canary_p50_ms": [_at(canary, second, 0) for second in grid],
        "canary_p95_ms": [_at(canary, second, 1) for second in grid],
    }


def busiest(row: Row | None) -> float | None:
    """Cores that the busiest thread of all engines used, or wanted and did not get."""
    values = [
        float(engine["busiest"]) + float(engine.get("waited") or 0.0)
        for engine in (row or {}).get("engines") or []
        if isinstance(engine.get("busiest"), (int, float))
    ]
    return _rounded(max(values, default=None))


def _engines(row: Row | None, name: str) -> float | None:
    values = [float(engine.get(name) or 0.0) for engine in (row or {}).get("engines") or []]
    return _rounded(sum(values)) if values else None


def middle_s(row: Row, interval_s: float) -> int:
    """The second that a line tells of: it is written at the end of its interval."""
    return int((row["t_ns"] - interval_s * 5e8) // 10**9)


def _loops(generator: Generator) -> dict[int, float]:
    found: dict[int, float] = {}
    for load in generator.loads:
        for row in load.pulses:
            second = middle_s(row, 1.0)
            found[second] = max(found.get(second, 0.0), float(row.get("loop_p99_ms") or 0.0))
    return found


def _growth(grid: list[int], counters: list[Any]) -> Column:
    if not counters or not grid:
        return [None] * len(grid)
    sums = [sum(counter(second) for counter in counters) for second in (*grid, grid[-1] + 1)]
    return [round(after - before, 2) for before, after in pairwise(sums)]


def _at(values: dict[int, tuple[float, float]], second: int, place: int) -> float | None:
    found = values.get(second)
    return None if found is None else round(found[place], 3)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)
