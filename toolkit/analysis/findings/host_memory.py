"""The host, or the service's cgroup, is short of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.finding import CERTAIN, LIKELY, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import mib, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_AVAILABLE = 0.05
"""Of the memory, still available at the worst moment."""
_SWAPPED = 2**20
"""Bytes read back from swap a second, on average."""
_PRESSURE = 0.05
"""Of the time, some task waited for memory."""
_LIMIT = 0.95


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server, with all that shows it."""
    for server in evidence.servers:
        yield from _of(server)


def _of(server: ServerEvidence) -> Iterator[Said]:
    metrics: dict[str, Any] = server.watch.get("metrics") or {}

    def known(name: str, which: str = "mean") -> float | None:
        found = metrics.get(name)
        return None if found is None else found[which]

    total, lowest = known("host.memory_total"), known("host.memory_available", "min")
    if not total or lowest is None:
        yield Unknown("Whether the host was short of memory: it was not measured.", server.name)
        return
    swapped, pressure = known("host.swap_in"), known("host.pressure_memory_some")
    kills = (known("host.oom_kills", "max") or 0.0) > 0 or (
        known("service.cgroup_oom_kills", "max") or 0.0
    ) > 0
    used, limit = known("service.cgroup_memory", "max"), known("service.cgroup_memory_limit")
    said = [f"{mib(lowest)} of {mib(total)} were available at the least"]
    if swapped is not None:
        said.append(f"{mib(swapped)} a second were read back from swap on average")
    if pressure is not None:
        said.append(f"some task waited for memory {percent(min(1.0, pressure))} of the time")
    if used is not None and limit:
        said.append(f"the service's cgroup used {mib(used)} of {mib(limit)} at most")
    if kills:
        said.append("the kernel killed for lack of memory")
    signs = {
        "available": lowest < _AVAILABLE * total,
        "swap": (swapped or 0.0) >= _SWAPPED,
        "pressure": (pressure or 0.0) >= _PRESSURE,
        "kills": kills,
        "limit": bool(limit and used is not None and used >= _LIMIT * limit and (pressure or 0.0) > 0.01),
    }
    if not any(signs.values()):
        yield RuledOut(f"Memory was enough: {'; '.join(said)}.", server.name)
        return
    yield Finding(
        title="Memory is short" + (": the kernel killed for lack of it" if kills else ""),
        certainty=CERTAIN if kills or sum(signs.values()) > 1 else LIKELY,
        evidence=[f"{one[:1].upper()}{one[1:]}." for one in said],
        settle="More memory, or fewer workers, must end the swapping and the waiting under the same load.",
        server=server.name,
        span=server.span_of(server.seconds),
        lanes=("memory_available", "swap_used", "workers_rss", "pressure_memory_some"),
        counts={
            "memory_available_bytes_min": lowest,
            "memory_total_bytes": total,
            "swap_in_bytes_per_s": swapped or 0.0,
        },
        part="time",
    )
