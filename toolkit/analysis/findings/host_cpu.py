"""The host has no CPU left: used up, taken by the hypervisor, or held back by a limit of the service's cgroup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.findings.finding import CERTAIN, LIKELY, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import cores, count, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_FULL = 0.95
"""Of the cores, user and system."""
_SECONDS, _SHARE = 5, 0.3
_STEAL = 0.05
"""Of the cores, on average."""
_THROTTLED = 0.05
"""Seconds a second, on average."""


def rule(evidence: Evidence) -> Iterator[Said]:
    """At most three findings a server: used up, steal, limit."""
    for server in evidence.servers:
        of_host = server.cores
        if not of_host or server.mean("cpu_user") is None:
            yield Unknown(
                "Whether the host had CPU left: it was not measured while requests were sent.", server.name
            )
            continue
        said = [
            *_used_up(server, of_host),
            *_stolen(server, of_host),
            *_held_back(server),
        ]
        yield from said
        if not said:
            used = _used(server, server.seconds)
            steal, throttled = server.mean("cpu_steal") or 0.0, server.mean("cgroup_cpu_throttled")
            limit = (
                f", held back by a limit {percent(throttled)} of the time" if throttled is not None else ""
            )
            yield RuledOut(
                f"The host had CPU left: {cores(used)} of {of_host:g} used on average, {cores(steal)} stolen{limit}.",
                server.name,
            )


def _used(server: ServerEvidence, seconds: list[int]) -> float:
    return sum(server.mean(name, seconds) or 0.0 for name in ("cpu_user", "cpu_system"))


def _used_up(server: ServerEvidence, of_host: float) -> Iterator[Said]:
    def busy(at: int) -> float:
        return sum(server.column(name)[at] or 0.0 for name in ("cpu_user", "cpu_system", "cpu_steal"))

    full = server.where(lambda at: busy(at) >= _FULL * of_host)
    if len(full) < max(_SECONDS, _SHARE * len(server.seconds)):
        return
    used, own = _used(server, full), server.mean("workers_cpu", full) or 0.0
    others = max(0.0, used - own)
    pressure = server.mean("pressure_cpu_some", full)
    evidence = [
        f"In {count(len(full), 'second')} of {len(server.seconds):,} its {of_host:g} cores were in use to {percent(_FULL)}.",
        f"Then the workers used {cores(own)}, everything else on it {cores(others)}.",
    ]
    if pressure is not None:
        evidence.append(f"Some task waited for a core {percent(min(1.0, pressure))} of that time.")
    mostly = own < others
    yield Finding(
        title="The host's CPU is used up"
        + (", mostly by other processes than the workers" if mostly else ""),
        certainty=CERTAIN,
        evidence=evidence,
        settle="Which processes they are: “top” on the server under the same load; the load generator is one of them where it "
        "runs there."
        if mostly
        else "More cores, or less CPU a request, must lower latency under the same load.",
        server=server.name,
        span=server.span_of(full),
        lanes=("cpu_user", "cpu_system", "workers_cpu", "pressure_cpu_some"),
        counts={"seconds": len(full), "used_cores": used, "workers_cpu_cores": own, "cores": of_host},
        part="time",
        same="used up",
    )


def _stolen(server: ServerEvidence, of_host: float) -> Iterator[Said]:
    steal = server.mean("cpu_steal") or 0.0
    if steal < _STEAL * of_host:
        return
    where = server.where(lambda at: (server.column("cpu_steal")[at] or 0.0) >= _STEAL * of_host)
    yield Finding(
        title=f"The hypervisor takes CPU from the host: {cores(steal)} of {of_host:g} on average",
        certainty=CERTAIN,
        evidence=[
            f"Steal was {percent(steal / of_host)} of its cores on average, and {percent(_STEAL)} or more in "
            f"{count(len(where), 'second')} of {len(server.seconds):,}."
        ],
        settle="Run again on another machine, or at another time: these numbers are also those of its neighbours.",
        server=server.name,
        span=server.span_of(where),
        lanes=("cpu_steal",),
        counts={"steal_cores": steal, "cores": of_host, "seconds": len(where)},
        part="time",
        same="steal",
    )


def _held_back(server: ServerEvidence) -> Iterator[Said]:
    throttled = server.mean("cgroup_cpu_throttled")
    if throttled is None or throttled < _THROTTLED:
        return
    where = server.where(lambda at: (server.column("cgroup_cpu_throttled")[at] or 0.0) >= _THROTTLED)
    limit = (server.watch.get("metrics") or {}).get("service.cgroup_cpu_limit")
    of = f" of {limit['mean']:g} cores" if limit else ""
    yield Finding(
        title=f"The service's CPU limit{of} holds it back",
        certainty=LIKELY,
        evidence=[
            f"Its cgroup was held back for {throttled:.2f} s a second on average (all its CPUs together), in "
            f"{count(len(where), 'second')} of {len(server.seconds):,}."
        ],
        settle="A higher limit must lower latency under the same load.",
        server=server.name,
        span=server.span_of(where),
        lanes=("cgroup_cpu_throttled", "workers_cpu"),
        counts={"throttled_s_per_s": throttled, "seconds": len(where)},
        part="time",
        same="limit",
    )
