"""What rules read: the tables of a run as numbers, lanes and sums, all of it computed already. Nothing here opens a file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.finding import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.analysis.findings.sites import ViewSites

Row = dict[str, Any]
Column = list[float | None]


@dataclass(frozen=True)
class ServerEvidence:
    """One server."""

    name: str
    watch: Row = field(default_factory=dict)
    """`watch` of the summary."""
    views: dict[str, Row] = field(default_factory=dict)
    """The summary's views by name; only those that are shown."""
    lanes: dict[str, list[Any]] = field(default_factory=dict)
    """Its part of `Results.server_series`."""
    sites: dict[str, ViewSites] = field(default_factory=dict)
    """View → sampled time by the application's innermost function."""
    threads: dict[int, float] = field(default_factory=dict)
    """Of each worker, how many of its threads were inside a request at a time, on average."""
    answers: dict[int, Row] = field(default_factory=dict)
    """Second → `answers`, `server_ms`, `outside_ms` (means) of requests that its access log has."""
    behind: bool = False
    """Whether requests reached it through other servers of the run alone."""
    growth: list[Row] = field(default_factory=list)
    """Of each worker and quantity (rss, descriptors): `pid`, `name`, `seconds` (epoch) and `values`, some hundred at most."""

    @cached_property
    def seconds(self) -> list[int]:
        """Places in the grid of the lanes, of the time in which requests were sent."""
        window = self.watch.get("window") or {}
        grid = self.lanes.get("t") or []
        if window.get("from_ns") is None:
            return []
        # Seconds that lie in it whole: those at its ends hold the time before and after, too.
        first, last = -(-window["from_ns"] // 10**9), window["to_ns"] // 10**9 - 1
        return [at for at, second in enumerate(grid) if first <= second <= last]

    @property
    def of_load(self) -> bool:
        """Whether it was measured while requests were sent."""
        return (self.watch.get("window") or {}).get("of") == "load"

    def column(self, name: str) -> Column:
        """A lane; None everywhere where it was not measured."""
        found: Column = self.lanes.get(name) or [None] * len(self.lanes.get("t") or [])
        return found

    def mean(self, name: str, seconds: Sequence[int] | None = None) -> float | None:
        """Of a lane over these places of the grid (of the load where none are given)."""
        column = self.column(name)
        return mean_of([column[at] for at in (self.seconds if seconds is None else seconds)])

    def where(self, test: Callable[[int], bool]) -> list[int]:
        """The places of the load for which the test holds."""
        return [at for at in self.seconds if test(at)]

    def span_of(self, seconds: Sequence[int]) -> Span | None:
        """From the first to the end of the last of these places."""
        if not seconds:
            return None
        grid = self.lanes["t"]
        return Span(grid[seconds[0]] * 10**9, (grid[seconds[-1]] + 1) * 10**9)

    @property
    def cores(self) -> float | None:
        """Of the host."""
        found = (self.watch.get("metrics") or {}).get("host.cores")
        return None if found is None else found["mean"]

    @property
    def cores_allowed(self) -> float | None:
        """That the service may use: of the host, or its cgroup's limit where that is less."""
        limit = (self.watch.get("metrics") or {}).get("service.cgroup_cpu_limit")
        known = [value for value in (self.cores, limit and limit["mean"]) if value]
        return min(known, default=None)

    @property
    def workers(self) -> int | None:
        """How many there are: as configured, else as most of the time, for a new one may be there before the old one has gone."""
        configured: int | None = (self.watch.get("workers") or {}).get("configured")
        alive = [value for at in self.seconds if (value := self.column("workers")[at])]
        if configured or not alive:
            return configured or (self.watch.get("busy") or {}).get("workers")
        return round(median(alive))

    @property
    def slots(self) -> int | None:
        """How many requests all workers take at a time: threads; None on an event loop, or where it is not known."""
        busy = self.watch.get("busy") or {}
        if busy.get("event_loop"):
            return None
        found: int | None = (busy.get("from_stacks") or {}).get("threads")
        return found

    @cached_property
    def taken(self) -> Column:
        """How many of the slots were taken, second by second."""
        return self.column(
            "busy_threads" if self.slots and self.slots > (self.workers or 0) else "busy_workers"
        )

    @cached_property
    def all_busy(self) -> list[int] | None:
        """Places of the grid in which all slots were taken; None where that is not known.

        The stacks tell it as a mean of each chunk. A sync worker that is free leaves nobody in the accept queue, and that was
        read every second: where several waited there, all that live were busy, in a chunk of which only a part was.
        """
        slots = self.slots
        if not slots or not any(self.taken[at] is not None for at in self.seconds):
            return None
        sync = (self.watch.get("workers") or {}).get("class") == "sync" and slots == self.workers
        queue, alive = self.column("accept_queue"), self.column("workers")

        def full(at: int) -> bool:
            taken = self.taken[at] or 0.0
            queued = sync and taken > 0 and (queue[at] or 0.0) > QUEUED and (alive[at] or 0) >= slots
            return queued or taken >= ALL_BUSY * slots

        return self.where(full)

    @property
    def all_busy_since(self) -> int | None:
        """The place since which, at the earliest, all slots may have been taken for the first time; None where they never were.

        Before it, `taken` is the mean of a chunk: of the two taken on average of four, for ten seconds, all four can have been
        taken in its last five.
        """
        if not self.all_busy or not self.slots:
            return None
        first = self.all_busy[0]
        before = self.taken[first - 1] if first else None
        if not before or (self.taken[first] or 0.0) < ALL_BUSY * self.slots:  # the queue told the second
            return first
        of_chunk = next((at for at in range(first - 1, -1, -1) if self.taken[at] != before), -1) + 1
        return max(of_chunk, first - math.ceil(before / self.slots * (first - of_chunk)))

    @property
    def on_cpu_inside(self) -> float | None:
        """Part of the time inside requests that was on the CPU; None without both views."""
        wall, cpu = self.sites.get("wall"), self.sites.get("cpu")
        if wall is None or cpu is None or not wall.requests():
            return None
        return min(1.0, cpu.requests() / wall.requests())

    @cached_property
    def looked_at(self) -> list[int]:
        """Places of the grid for which the stacks tell how many slots were taken."""
        return self.where(lambda at: self.taken[at] is not None)

    @property
    def mean_taken(self) -> float | None:
        """Slots that were taken, on average."""
        return mean_of([self.taken[at] for at in self.looked_at])

    @property
    def idle_cores(self) -> float | None:
        """Of those that the service may use, without work while requests were sent, on average."""
        return self.idle_in(self.seconds)

    def idle_in(self, seconds: Sequence[int]) -> float | None:
        """As `idle_cores`, over these places of the grid."""
        host, allowed = self.cores, self.cores_allowed
        used = [self.mean(name, seconds) for name in ("cpu_user", "cpu_system", "cpu_steal")]
        if host is None or allowed is None or used[0] is None:
            return None
        idle = host - sum(value or 0.0 for value in used)
        if allowed < host:  # a limit of its own: the rest of it, as far as the host has that
            idle = min(idle, allowed - (self.mean("workers_cpu", seconds) or 0.0))
        return max(0.0, idle)


ALL_BUSY = 0.95
"""Of the slots: a thread between two requests is seen as free for a moment."""
QUEUED = 1.0
"""More connections than this in the accept queue are no longer one that has just come."""


@dataclass(frozen=True)
class Evidence:
    """The whole run."""

    summary: Row
    """As far as it is made: all but `findings`."""
    servers: list[ServerEvidence] = field(default_factory=list)
    series: dict[str, list[Any]] = field(default_factory=dict)
    """`Results.series`."""

    @property
    def totals(self) -> Row:
        """Of the load."""
        found: Row = self.summary.get("totals") or {}
        return found

    @property
    def loaded(self) -> bool:
        """Whether requests were recorded."""
        return bool(self.totals.get("count"))

    @cached_property
    def at(self) -> dict[int, int]:
        """Epoch second → place in `series`."""
        return {second: place for place, second in enumerate(self.series.get("t") or [])}


def mean_of(values: Sequence[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def share(part: float, whole: float) -> float:
    """0 where there is nothing."""
    return part / whole if whole else 0.0
