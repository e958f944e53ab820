"""The lanes of report.html below the load's: each server's second by second, its marks, and the generator's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.reports.flamegraph_text import bounded, visible
from toolkit.reports.page_grid import Grid, short

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

MOST_WORKERS = 16
"""Of each server: those with the most CPU have a colour of their own, the others are one."""
_MOST_MARKS = 1500
_MIB = 2**20
_MEAN = (
    "workers_cpu",
    "cores",
    "cpu_user",
    "cpu_system",
    "cpu_iowait",
    "cpu_steal",
    "load_1",
    "net_in",
    "net_out",
    "disk_read",
    "disk_write",
    "pressure_cpu_some",
    "pressure_memory_some",
    "pressure_io_some",
    "cgroup_cpu_throttled",
)
_LARGEST = (
    "busy_workers",
    "busy_threads",
    "busy_by_cpu",
    "workers",
    "accept_queue",
    "accept_queue_limit",
    "connections",
    "connections_syn_recv",
    "connections_close_wait",
    "connections_time_wait",
    "connections_out",
    "workers_rss",
    "memory_available",
    "swap_used",
)
_BYTES = {"workers_rss", "memory_available", "swap_used", "net_in", "net_out", "disk_read", "disk_write"}


def server_lanes(results: Results, grid: Grid) -> list[dict[str, Any]]:
    """Of each watched server `{"name", "columns", "workers": [{"pid", "cpu", "rss"}], "others", "marks", "marks_left_out"}`.

    Bytes are in MiB. `others` is of the workers that are not listed: `{"count", "cpu", "rss"}`, or None.
    """
    found = {server["name"]: server for server in results.summary.get("servers", [])}
    return [
        {
            "name": bounded(visible(name)),
            "columns": _columns(lanes, grid),
            **_workers(lanes, grid),
            **_marks(results, name, found.get(name, {}), grid),
        }
        for name, lanes in results.server_series.items()
    ]


def _columns(lanes: dict[str, list[Any]], grid: Grid) -> dict[str, list[Any]]:
    first = int(lanes["t"][0])
    columns = {}
    for names, aggregate in ((_MEAN, grid.mean), (_LARGEST, grid.largest)):
        for name in names:
            values = lanes.get(name) or []
            if any(value is not None for value in values):
                columns[name] = _written(name, aggregate(values, first))
    return columns


def _written(name: str, column: list[float | None]) -> list[float | int | None]:
    if name in _BYTES:
        column = [None if value is None else value / _MIB for value in column]
    return short(column, 4 if name in _BYTES else 3)


def _workers(lanes: dict[str, list[Any]], grid: Grid) -> dict[str, Any]:
    workers: list[dict[str, Any]] = lanes.get("by_worker") or []
    by_use = sorted(workers, key=lambda one: (-sum(value or 0.0 for value in one["cpu"]), one["pid"]))
    shown = sorted(by_use[:MOST_WORKERS], key=lambda one: one["pid"])
    first = int(lanes["t"][0])

    def column(one: dict[str, Any], name: str) -> list[float | None]:
        aggregate = grid.largest if name == "rss" else grid.mean
        return aggregate(one[name], first + one["at"])

    listed = [
        {
            "pid": one["pid"],
            "cpu": short(column(one, "cpu")),
            "rss": _written("workers_rss", column(one, "rss")),
        }
        for one in shown
    ]
    rest = by_use[MOST_WORKERS:]
    if not rest:
        return {"workers": listed, "others": None}
    others = {name: _sum([column(one, name) for one in rest]) for name in ("cpu", "rss")}
    said = {"count": len(rest), "cpu": short(others["cpu"]), "rss": _written("workers_rss", others["rss"])}
    return {"workers": listed, "others": said}


def _sum(columns: list[list[float | None]]) -> list[float | None]:
    found: list[float | None] = [None] * len(columns[0])
    for column in columns:
        for at, value in enumerate(column):
            if value is not None:
                found[at] = (found[at] or 0.0) + value
    return found


def _marks(results: Results, name: str, server: dict[str, Any], grid: Grid) -> dict[str, Any]:
    """`marks`: `{"t", "kind": "restart" | "birth" | "traceback", "count", "words"}` in order of time; t: seconds since time 0.
    Where they are too many, `marks_left_out` are not in it: those of the fewest tracebacks."""
    workers = server.get("watch", {}).get("workers", {})
    marks = [*_ends(server, grid), *_births(server, grid)]
    tracebacks = sorted(_tracebacks(results, name, grid), key=lambda mark: (-mark["count"], mark["t"]))
    room = max(0, _MOST_MARKS - len(marks))
    unlisted = workers.get("deaths_left_out", 0) + max(
        0, workers.get("births", 0) - len(workers.get("born", []))
    )
    return {
        "marks": sorted(marks + tracebacks[:room], key=lambda mark: (mark["t"], mark["kind"])),
        "marks_left_out": max(0, len(tracebacks) - room) + unlisted,
    }


def _ends(server: dict[str, Any], grid: Grid) -> list[dict[str, Any]]:
    deaths = server.get("watch", {}).get("workers", {}).get("deaths", [])
    return [
        _mark(
            death["t_ns"] / 1e9 - grid.zero,
            "restart",
            f"worker {death['pid']} ended: {death['cause']} ({death['words']})",
        )
        for death in deaths
    ]


def _births(server: dict[str, Any], grid: Grid) -> list[dict[str, Any]]:
    births = server.get("watch", {}).get("workers", {}).get("born", [])
    return [_mark(one["t_ns"] / 1e9 - grid.zero, "birth", f"worker {one['pid']} was born") for one in births]


def _tracebacks(results: Results, name: str, grid: Grid) -> list[dict[str, Any]]:
    groups = results.summary.get("server_errors", {}).get("tracebacks", [])
    found = []
    for group in groups:
        if name not in group["servers"]:
            continue
        by_step: dict[int, int] = {}
        for second, count in results.server_errors.series.get(group["fingerprint"], []):
            at = grid.place(second)
            if at is not None:
                by_step[at] = by_step.get(at, 0) + count
        several = f" (on {', '.join(group['servers'])})" if len(group["servers"]) > 1 else ""
        found += [
            _mark(
                grid.first - grid.zero + (at + 0.5) * grid.step,
                "traceback",
                group["known_by"] + several,
                count,
            )
            for at, count in by_step.items()
        ]
    return found


def _mark(t: float, kind: str, words: str, count: int = 1) -> dict[str, Any]:
    return {"t": round(t, 3), "kind": kind, "count": count, "words": bounded(visible(words))}


def generator_lanes(results: Results, grid: Grid) -> dict[str, list[Any]]:
    """What was measured of the load generator itself each second, by name; the arrivals have a lane of the load."""
    series = generator_series(results)
    return {
        visible(str(name)): short(grid.largest(values, int(series["t"][0])))
        for name, values in series.items()
        if name not in {"t", "offered", "achieved"} and any(value is not None for value in values)
    }


def generator_series(results: Results) -> dict[str, list[Any]]:
    """`summary["trust"]["series"]` with its grid `t`; empty where there is none."""
    series = (results.summary.get("trust") or {}).get("series") or {}
    seconds = series.get("t") or results.series.get("t") or []
    return {**series, "t": seconds} if seconds and series else {}
