"""Each server second by second: the lanes that stand under the load's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.recording.metric_fields import COUNTER, HOST, SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from toolkit.analysis.watch.busy import Busy
    from toolkit.recording.manifest import Manifest

Column = list[float | None]

_LONGEST_S = 7 * 24 * 3600
_AROUND_S = 600
_ALWAYS = (0, 1 << 63)
BUSY_CORES = 0.5
"""A worker that used at least so much of a core in a second counts as busy by CPU."""
SERVICE_LANES = (
    "accept_queue",
    "accept_queue_limit",
    "connections",
    "connections_syn_recv",
    "connections_close_wait",
    "connections_time_wait",
    "connections_out",
    "cgroup_cpu_throttled",
)
HOST_LANES = (
    "cores",
    "cpu_user",
    "cpu_system",
    "cpu_iowait",
    "cpu_steal",
    "load_1",
    "memory_available",
    "swap_used",
    "net_in",
    "net_out",
    "net_loopback",
    "disk_read",
    "disk_write",
    "tcp_retransmits",
    "listen_overflows",
    "oom_kills",
    "pressure_cpu_some",
    "pressure_memory_some",
    "pressure_io_some",
)
_COUNTERS = {name for metrics in (HOST, SERVICE) for name, said in metrics.items() if said.kind == COUNTER}


def read_server_series(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    busy: dict[str, Busy],
    load_seconds: Sequence[int],
) -> dict[str, dict[str, list[Any]]]:
    """The content of `Results.server_series`.

    Args:
        connection: open tables.
        manifest: of the run: nothing is shown of a time long before or after it.
        busy: of each server, by its name.
        load_seconds: the grid of `Results.series`; all servers' grids are one, which holds it.
    """
    spans = {row["server"]: row for row in rows(connection, "watch_span")}
    events = {server: rows(connection, "worker_event_list", {"server": server}) for server in busy}
    grid = _grid(manifest, _times(spans, busy, events), load_seconds)
    if not grid:
        return {}
    return {
        server: _Lanes(connection, server, grid, spans.get(server, {}).get("interval_s")).read(
            busy[server], events[server]
        )
        for server in busy
        if server in spans or events[server] or busy[server].chunks
    }


def _times(
    spans: dict[str, dict[str, Any]], busy: dict[str, Busy], events: dict[str, list[dict[str, Any]]]
) -> list[int]:
    times = [span[name] for span in spans.values() for name in ("first_ns", "last_ns")]
    times += [chunk[name] for one in busy.values() for chunk in one.chunks for name in ("start_ns", "end_ns")]
    return times or [event["t_ns"] for of_server in events.values() for event in of_server]


def _grid(manifest: Manifest, times: list[int], load_seconds: Sequence[int]) -> range:
    """From the first to the last second of all; a clock that was set must not make a grid of days."""
    first, last = 0, 2**40
    if manifest.started_ns > 0 and manifest.ended_ns > manifest.started_ns:
        first = manifest.started_ns // 10**9 - _AROUND_S
        last = manifest.ended_ns // 10**9 + _AROUND_S
    seconds = [min(max(time // 10**9, first), last) for time in times]
    seconds += [*load_seconds[:1], *load_seconds[-1:]]
    if not seconds:
        return range(0)
    return range(min(seconds), min(max(seconds), min(seconds) + _LONGEST_S) + 1)


class _Lanes:
    """The lanes of one server, on a grid of seconds."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, server: str, grid: range, interval_s: float | None
    ) -> None:
        self._connection = connection
        self._of = {"server": server}
        self._grid = grid
        # A line stands for the time up to its neighbour; lines come some milliseconds early or late.
        self._reach = 1 + math.ceil(interval_s) if interval_s and interval_s < 600 else 2

    def read(self, busy: Busy, events: list[dict[str, Any]]) -> dict[str, list[Any]]:
        """All columns, `by_worker` last."""
        found: dict[str, list[Any]] = {"t": list(self._grid)}
        found |= self._measured()
        by_worker = self._by_worker(busy)
        found["workers_cpu"] = self._summed(by_worker, "cpu")
        found["workers_rss"] = self._summed(by_worker, "rss")
        found["busy_by_cpu"] = self._counted(by_worker)
        found |= self._from_stacks(busy, events)
        found["workers"] = self._alive(events)
        for what in ("born", "died"):
            found[what] = self._happened(events, what)
        return found | {"by_worker": by_worker}

    def _measured(self) -> dict[str, Column]:
        found = {name: self._empty() for name in (*SERVICE_LANES, *HOST_LANES)}
        asked = {**self._of, "names": list(found)}
        for row in rows(self._connection, "lane_values", asked):
            self._put(found[row["name"]], 0, row["seconds"], row["values"])
        return {name: self._filled(column, growth=name in _COUNTERS) for name, column in found.items()}

    def _by_worker(self, busy: Busy) -> list[dict[str, Any]]:
        """`{"pid", "at", "cpu", "rss", "busy"}`: `at` is the index in the grid that its columns begin at."""
        measured = {row["pid"]: row for row in rows(self._connection, "worker_lanes", self._of)}
        shares: dict[int, dict[int, float]] = {}
        for chunk in busy.chunks:
            for at in self._covered(chunk):
                for pid, share in chunk["workers"].items():
                    shares.setdefault(pid, {})[at] = share
        found = []
        for pid in sorted(measured.keys() | shares.keys()):
            row, share = measured.get(pid, {"seconds": [], "cpu": [], "rss": []}), shares.get(pid, {})
            inside = [second - self._grid.start for second in row["seconds"] if second in self._grid]
            if not inside and not share:
                continue
            first, last = min([*inside, *share]), max([*inside, *share])
            worker: dict[str, Any] = {"pid": pid, "at": first}
            for name, growth in (("cpu", True), ("rss", False)):
                column: Column = [None] * (last - first + 1)
                self._put(column, first, row["seconds"], row[name])
                worker[name] = self._filled(column, growth=growth)
            worker["busy"] = [share.get(at) for at in range(first, last + 1)]
            found.append(worker)
        return found

    def _put(self, column: Column, first: int, seconds: list[int], values: Column) -> None:
        """Write values into their seconds; `first` is the place in the grid that the column begins at."""
        for second, value in zip(seconds, values, strict=True):
            if second in self._grid:
                column[second - self._grid.start - first] = value

    def _summed(self, by_worker: list[dict[str, Any]], name: str) -> Column:
        total = self._empty()
        for worker in by_worker:
            for at, value in enumerate(worker[name], worker["at"]):
                if value is not None:
                    total[at] = (total[at] or 0.0) + value
        return total

    def _counted(self, by_worker: list[dict[str, Any]]) -> Column:
        total = self._empty()
        for worker in by_worker:
            for at, value in enumerate(worker["cpu"], worker["at"]):
                if value is not None:
                    total[at] = (total[at] or 0) + (value >= BUSY_CORES)
        return total

    def _from_stacks(self, busy: Busy, events: list[dict[str, Any]]) -> dict[str, Column]:
        workers, threads = self._empty(), self._empty()
        lives = _lives(events)
        for chunk in busy.chunks:
            for at in self._covered(chunk):
                # Of the workers of a chunk, one that died in it and the one born in its place were never busy together.
                middle_ns = (self._grid[at] * 2 + 1) * 5 * 10**8
                there = [
                    pid
                    for pid in chunk["workers"]
                    if lives.get(pid, _ALWAYS)[0] <= middle_ns < lives.get(pid, _ALWAYS)[1]
                ]
                workers[at] = sum(chunk["workers"][pid] for pid in there)
                threads[at] = sum(chunk["threads"][pid] for pid in there)
        return {"busy_workers": workers, "busy_threads": threads}

    def _covered(self, chunk: dict[str, Any]) -> range:
        """The seconds whose middle lies in a chunk."""
        first = (chunk["start_ns"] + 5 * 10**8 - 1) // 10**9 - self._grid.start
        last = (chunk["end_ns"] + 5 * 10**8 - 1) // 10**9 - self._grid.start
        return range(max(0, first), min(last, len(self._grid)))

    def _alive(self, events: list[dict[str, Any]]) -> Column:
        """Workers at the end of each second; before the first that was seen nothing is known."""
        changes = dict.fromkeys(self._grid, 0)
        first: int | None = None
        for event in events:
            second = max(self._grid.start, event["t_ns"] // 10**9)
            if second in changes:
                changes[second] += -1 if event["what"] == "died" else 1
                first = second if first is None else first
        alive, found = 0, self._empty()
        for at, second in enumerate(self._grid):
            alive += changes[second]
            if first is not None and second >= first:
                found[at] = max(0, alive)
        return found

    def _happened(self, events: list[dict[str, Any]], what: str) -> list[int]:
        counts = [0] * len(self._grid)
        for event in events:
            if event["what"] == what and event["t_ns"] // 10**9 in self._grid:
                counts[event["t_ns"] // 10**9 - self._grid.start] += 1
        return counts

    def _empty(self) -> Column:
        return [None] * len(self._grid)

    def _filled(self, column: Column, *, growth: bool) -> Column:
        """Close the holes between lines: a growth is that of the time before its line, a reading holds until the next."""
        values = column[::-1] if growth else column
        held: float | None = None
        age = 0
        for at, value in enumerate(values):
            if value is not None:
                held, age = value, 0
                continue
            age += 1
            if held is not None and age < self._reach:
                values[at] = held
        return values[::-1] if growth else values


def _lives(events: list[dict[str, Any]]) -> dict[int, tuple[int, int]]:
    """PID → from when to when it is known to have been there."""
    lives: dict[int, tuple[int, int]] = {}
    for event in events:
        born_ns, died_ns = lives.get(event["pid"], _ALWAYS)
        if event["what"] == "born":
            born_ns = event["t_ns"]
        elif event["what"] == "died":
            died_ns = event["t_ns"]
        lives[event["pid"]] = (born_ns, died_ns)
    return {
        pid: life if life[0] < life[1] else _ALWAYS for pid, life in lives.items()
    }  # a PID that was used twice
