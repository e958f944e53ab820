"""The time axis of report.html: what the generators and the servers did second by second, as its script draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.latency_bins import BOUNDS_MS, load_seconds, quantile_ms
from toolkit.analysis.load_shape import WORST_S
from toolkit.reports.failures import checks_alone
from toolkit.reports.flamegraph_text import bounded, visible
from toolkit.reports.page_grid import Column, Grid, short
from toolkit.reports.page_lanes import generator_lanes, generator_series, server_lanes

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

_COUNTS = (
    "requests",
    "started",
    "status_0",
    "status_2xx",
    "status_3xx",
    "status_4xx",
    "status_5xx",
    "accepted",
    "errors",
)
_QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def zero_s(results: Results) -> int:
    """Time 0 of the page as epoch second: the first of the load, else as the profile has it, else the run's start."""
    grid = results.series.get("t")
    if grid:
        return int(grid[0])
    return (results.profile.start_ms or results.manifest.started_ns // 1_000_000) // 1000


def timeline(results: Results, step: int = 1) -> dict[str, Any] | None:
    """`Timeline` of page/src/data.ts in steps of at least `step` seconds; None where nothing was measured over time."""
    series = results.series
    seconds = [int(t) for t in series.get("t") or []]
    watched = [lanes["t"] for lanes in results.server_series.values() if lanes.get("t")]
    if not (any(series.get("requests") or []) or watched):
        return None
    ends = [*seconds[:1], *seconds[-1:], *(t for grid in watched for t in (grid[0], grid[-1]))]
    grid = Grid.over(ends, zero_s(results), step)
    return {
        "start": grid.zero,
        "step": grid.step,
        "first": grid.first - grid.zero,
        "count": grid.count,
        "columns": _columns(results, grid) if seconds else {},
        "heat": _heat(results, grid),
        "requests": short(series.get("requests") or []) if grid.step > 1 else None,
        "phases": [_phase(phase, grid.zero) for phase in results.phases],
        "worst": _worst(results, grid.zero),
        "servers": server_lanes(results, grid),
        "generator": generator_lanes(results, grid),
    }


def _columns(results: Results, grid: Grid) -> dict[str, list[Any]]:
    series = results.series
    first = int(series["t"][0])
    columns = {name: short(grid.mean(series[name], first)) for name in _COUNTS if name in series}
    columns["checks_alone"] = short(grid.mean(_checks_alone(series), first))
    quantiles = _from_bins(results, grid) if grid.step > 1 and results.shape.bins else {}
    for name in _QUANTILES:
        columns[name] = short(quantiles.get(name) or grid.mean(series[name], first))
    return columns | _arrivals(results, grid)


def _arrivals(results: Results, grid: Grid) -> dict[str, list[Any]]:
    """`offered` and `achieved` users a second: as the generators counted them, else as their requests tell."""
    said = generator_series(results)
    if any(value is not None for value in said.get("offered", [])):
        return {name: short(grid.mean(said[name], int(said["t"][0]))) for name in ("offered", "achieved")}
    shape = results.shape
    if not shape.offered:
        return {}
    return {"offered": short(grid.counted(shape.offered)), "achieved": short(grid.counted(shape.arrived))}


def _checks_alone(series: dict[str, list[Any]]) -> list[float | None]:
    """A failed check of a request that the lanes already count as 4xx or 5xx is not drawn a second time."""
    names = ("failed", "errors", "status_4xx", "status_5xx")
    seconds = zip(*(series[name] for name in names), strict=True)
    return [checks_alone(dict(zip(names, counts, strict=True))) for counts in seconds]


def _merged(results: Results, grid: Grid) -> list[dict[int, int]]:
    """Of each step: bin → answered requests."""
    steps: list[dict[int, int]] = [{} for _ in range(grid.count)]
    for second, counts in results.shape.bins.items():
        at = grid.place(second)
        if at is not None:
            for number, count in counts.items():
                steps[at][number] = steps[at].get(number, 0) + count
    return steps


def _from_bins(results: Results, grid: Grid) -> dict[str, Column]:
    """The percentiles of steps of several seconds: exact to the width of a bin (12 %)."""
    found: dict[str, Column] = {name: [] for name in _QUANTILES}
    for counts in _merged(results, grid):
        dense = [counts.get(number, 0) for number in range(len(BOUNDS_MS) - 1)] if counts else []
        for name, quantile in _QUANTILES.items():
            found[name].append(quantile_ms(dense, quantile) if dense else None)
    return found


def _heat(results: Results, grid: Grid) -> dict[str, Any] | None:
    """`rows`: of each step bin, count, bin, count …"""
    if not results.shape.bins:
        return None
    rows = [
        [number for item in sorted(counts.items()) for number in item] for counts in _merged(results, grid)
    ]
    return {"bounds_ms": BOUNDS_MS, "rows": rows}


def _worst(results: Results, zero: int) -> dict[str, Any] | None:
    if results.shape.worst is None:
        return None
    start, p95_ms = results.shape.worst
    seconds = min(WORST_S, load_seconds(results.shape.bins))
    return {"from": start - zero, "to": start - zero + seconds, "p95_ms": round(p95_ms, 3)}


def _phase(phase: dict[str, Any], zero: int) -> dict[str, Any]:
    return {
        "scenario": bounded(visible(str(phase["load"]))),
        "name": bounded(visible(str(phase["name"]))),
        "start": round(phase["start_ns"] / 1e9 - zero, 3),
        "end": round(phase["end_ns"] / 1e9 - zero, 3),
    }
