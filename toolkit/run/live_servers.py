"""Lines of metrics as they come, for the checks that are looked at while the load runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.checks.tags import fits
from toolkit.recording.metric_fields import COUNTER, HOST, PROCESS, SERVICE

if TYPE_CHECKING:
    from toolkit.checks.check import Check
    from toolkit.checks.series import Sample

_SCOPES = {"host": HOST, "service": SERVICE, "workers": PROCESS, "worker": PROCESS}
_CPU = ("cpu_user", "cpu_system")

Key = tuple[str, int | None]
"""Server, and the worker's PID where each is looked at."""


@dataclass
class Metrics:
    """The values of one check, by server (and worker), in order of time; counters as growth a second, as in the table."""

    check: Check
    series: dict[Key, deque[Sample]] = field(default_factory=dict)
    _before: dict[tuple[Any, ...], tuple[int, float]] = field(default_factory=dict)

    def take(self, server: str, line: dict[str, Any], offset_ns: int) -> None:
        """A line of `records.METRICS_LINE`; `offset_ns` moves its time to this clock."""
        wanted = self.check.tag("server")
        if wanted is not None and not fits("server", wanted, [server]):
            return
        scope, _, name = self.check.quantity.measure.partition(".")
        t_ns = line["t_ns"] + offset_ns
        if scope in ("host", "service"):
            self._keep((server, None), t_ns, [self._now((server, scope), t_ns, line[scope], scope, name)])
            return
        workers = [one for one in line["processes"] if one["role"] == "worker"]
        values = {
            one["pid"]: self._now((server, one["pid"], one["create_time"]), t_ns, one, scope, name)
            for one in workers
        }
        if scope == "workers":
            self._keep((server, None), t_ns, list(values.values()))
        for pid, value in values.items() if scope == "worker" else ():
            self._keep((server, pid), t_ns, [value])

    def forget(self, before_ns: int) -> None:
        """Let go what no window needs any more."""
        for samples in self.series.values():
            while samples and samples[0][0] < before_ns:
                samples.popleft()

    def _now(
        self, of: tuple[Any, ...], t_ns: int, values: dict[str, Any], scope: str, name: str
    ) -> float | None:
        """The value of one process, service or host in this line; None where it is not known."""
        found = [
            self._one((*of, part), t_ns, values.get(part), scope, part)
            for part in (_CPU if name == "cpu" else (name,))
        ]
        known = [one for one in found if one is not None]
        return sum(known) if len(known) == len(found) else None

    def _one(
        self, key: tuple[Any, ...], t_ns: int, value: float | None, scope: str, name: str
    ) -> float | None:
        metric = _SCOPES[scope][name]
        scale = 100.0 if metric.unit == "s" else 1.0
        if value is None or metric.kind != COUNTER:
            return None if value is None else value * scale
        before = self._before.get(key)
        self._before[key] = (t_ns, value)
        if before is None or t_ns <= before[0] or value < before[1]:
            return None
        return (value - before[1]) / ((t_ns - before[0]) / 1e9) * scale

    def _keep(self, key: Key, t_ns: int, values: list[float | None]) -> None:
        known = [value for value in values if value is not None]
        if known:
            self.series.setdefault(key, deque()).append((t_ns, sum(known)))
