"""GIL contention: threads of one worker want to compute at the same time, and only one of them may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.analysis.findings.evidence import share
from toolkit.analysis.findings.finding import CERTAIN, LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import cores, count, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said
    from toolkit.analysis.findings.sites import ViewSites

_CORE = (0.8, 1.15)
"""Cores of a process that the GIL holds to one; more is code that lets go of it."""
_HELD = 0.75
"""Of the time in which a worker's GIL was held, as the gil view has it."""
_THREADS = 2.0
"""Threads of that worker inside a request at a time: one computes, and another is there to wait for it."""
_WAITING = 0.3
"""Of the time inside requests that is spent off the CPU at lines at which others compute: a sleep or a lock has no CPU."""
_SPARE = 0.15
"""Cores of the host without work; with none to spare they may have waited for a core, not for the GIL."""


class _Worker(NamedTuple):
    """The busiest one."""

    pid: int
    cpu: float
    threads: float | None
    """Inside a request at a time."""
    held: float | None
    """Of the time, its GIL."""

    @property
    def at_one_core(self) -> bool:
        return _CORE[0] <= self.cpu <= _CORE[1] or (self.held is not None and self.held >= _HELD)

    def numbers(self) -> list[str]:
        said = [f"worker {self.pid}, the busiest, used {cores(self.cpu)} on average"]
        if self.threads is not None:
            said.append(f"{self.threads:.1f} of its threads were inside a request at a time")
        if self.held is not None:
            said.append(f"its GIL was held {percent(min(self.held, 1.0))} of the time")
        return said


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server."""
    for server in evidence.servers:
        yield _of(server)


def _of(server: ServerEvidence) -> Said:
    facts = server.watch.get("workers") or {}
    event_loop = (server.watch.get("busy") or {}).get("event_loop")
    if event_loop or facts.get("class") == "sync" or facts.get("threads") == 1:
        return RuledOut(
            "No GIL contention between requests: each worker runs them in one thread.", server.name
        )
    measured = [row for row in server.watch.get("per_worker") or [] if row.get("cpu_mean") is not None]
    if not measured:
        return Unknown(
            "Whether threads waited for the GIL: the workers' CPU time was not measured.", server.name
        )
    busiest = max(measured, key=lambda row: row["cpu_mean"])
    pid = busiest["pid"]
    worker = _Worker(pid, busiest["cpu_mean"], server.threads.get(pid), _held(server).get(pid))
    waiting = _waiting(server, worker.threads or 1.0)
    numbers = worker.numbers()
    if waiting is not None:
        numbers.append(
            f"{percent(waiting)} of the time inside requests was spent waiting at lines at which others computed"
        )
    if worker.at_one_core and (worker.threads is None or waiting is None):
        words = "Whether threads waited for the GIL: it takes a wall and a cpu view that can be shown"
        return Unknown(f"{words}; {'; '.join(numbers)}.", server.name)
    if not worker.at_one_core or (worker.threads or 0.0) < _THREADS or (waiting or 0.0) < _WAITING:
        return RuledOut(f"No GIL contention: {'; '.join(numbers)}.", server.name)
    return _finding(server, worker, waiting or 0.0, measured)


def _finding(
    server: ServerEvidence, worker: _Worker, waiting: float, measured: list[dict[str, Any]]
) -> Finding:
    spare, numbers = server.idle_cores, worker.numbers()
    numbers.append(
        f"{percent(waiting)} of the time inside requests was spent off the CPU at lines at which others computed"
    )
    certainty = LIKELY
    if worker.held is not None and worker.held >= _HELD:
        certainty = CERTAIN
    elif spare is not None and spare < _SPARE:
        certainty = PERHAPS
        numbers.append("the host had no core to spare: they may have waited for a core, too")
    elif spare is not None:
        numbers.append(f"the host had {cores(spare)} to spare")
    alike = sum(1 for row in measured if row["cpu_mean"] >= _CORE[0])
    counts = {
        "worker_cpu_cores": worker.cpu,
        "threads_in_requests": worker.threads,
        "waiting_share": waiting,
        "gil_held_share": worker.held,
        "idle_cores": spare,
    }
    return Finding(
        title=f"GIL contention: {count(alike or 1, 'worker')} at one core, with more threads that want to compute",
        certainty=certainty,
        evidence=[f"{one[:1].upper()}{one[1:]}." for one in numbers],
        settle="More workers with fewer threads in each must use more cores under the same load."
        + ("" if worker.held is not None else " The gil view (“--view gil”) would say who holds it."),
        server=server.name,
        span=server.span_of(server.seconds),
        lanes=("workers_cpu", "busy_threads"),
        counts={name: value for name, value in counts.items() if value is not None},
        part="flames",
        view="gil" if "gil" in server.views else "cpu",
    )


def _held(server: ServerEvidence) -> dict[int, float]:
    """Of each worker, the part of the time in which one of its threads was seen with the GIL."""
    view = server.views.get("gil") or {}
    recorded_s = view.get("recorded_s") or 0.0
    if not recorded_s:
        return {}
    return {row["pid"]: row["sampled_s"] / recorded_s for row in view.get("processes") or []}


def _waiting(server: ServerEvidence, threads: float) -> float | None:
    """See `_WAITING`. With so many threads that compute in turns, each is on the CPU one part in as many of its time."""
    wall, cpu = server.sites.get("wall"), server.sites.get("cpu")
    if wall is None or cpu is None or not wall.request_us:
        return None
    on_cpu = _lines(cpu)
    waited = 0.0
    for label, us in _lines(wall).items():
        own = share(on_cpu.get(label, 0.0), cpu.recorded_s) * wall.recorded_s
        if own >= us * 0.3 / max(threads, 1.0):
            waited += max(0.0, us - own)
    return share(waited, wall.request_us)


def _lines(sites: ViewSites) -> dict[str, float]:
    return {label: us for site in sites.by_function.values() for label, us in site.lines.items()}
