"""Too few workers against the cores: requests wait for a worker, or workers for the GIL, while cores have nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.findings.evidence import share
from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import cores, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_WORKER_FULL = 0.85
"""Cores of each worker: it can use no more."""
_IDLE = 0.3
"""Of the host's cores, without work meanwhile; at least half a core."""
_IDLE_CORES = 0.5
_SECONDS, _SHARE = 4, 0.1


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server."""
    for server in evidence.servers:
        yield from _of(server)


def _of(server: ServerEvidence) -> Iterator[Said]:
    workers, of_host = server.workers, server.cores_allowed
    idle = server.idle_cores
    if not workers or not of_host or idle is None:
        yield Unknown(
            "Whether there are too few workers: their number, the host's cores or its idle time is not known.",
            server.name,
        )
        return
    used = server.column("workers_cpu")
    computing = server.where(lambda at: (used[at] or 0.0) >= _WORKER_FULL * workers)
    waiting = server.all_busy or []
    slots = server.slots
    said = f"{count(workers, 'worker')} on {of_host:g} cores, of which {idle:.2f} were idle on average"
    for seconds, by_cpu in ((computing, True), (waiting, False)):
        if len(seconds) < max(_SECONDS, _SHARE * len(server.seconds)):
            continue
        spare = server.idle_in(seconds)
        spare = idle if spare is None else spare
        if spare < max(_IDLE_CORES, _IDLE * of_host) or (by_cpu and workers >= of_host):
            continue
        if not by_cpu and not _queues(server, seconds):
            continue
        yield _finding(server, seconds, spare, said, slots, by_cpu=by_cpu)
        return
    yield RuledOut(f"Not too few workers: {said}; {_why_not(server, computing, waiting)}.", server.name)


def _queues(server: ServerEvidence, seconds: list[int]) -> bool:
    queue = server.mean("accept_queue", seconds)
    return queue is not None and queue >= 1.0


def _why_not(server: ServerEvidence, computing: list[int], waiting: list[int]) -> str:
    said = f"all of them were at their core's limit in {count(len(computing), 'second')}"
    if server.all_busy is None:
        return said
    return f"{said}, and all inside a request in {count(len(waiting), 'second')}"


def _finding(
    server: ServerEvidence, seconds: list[int], spare: float, said: str, slots: int | None, *, by_cpu: bool
) -> Finding:
    workers, of_host = server.workers or 0, server.cores_allowed or 0.0
    used = server.mean("workers_cpu", seconds) or 0.0
    evidence = [
        f"{said[:1].upper()}{said[1:]}.",
        f"In {count(len(seconds), 'second')} they used {cores(used)} while {cores(spare)} had nothing to do.",
    ]
    if by_cpu:
        what = "each is at the limit of its core"
        settle = "A worker for each core would use them all: under the same load latency must fall, and so must idle time."
    else:
        what = "all are inside requests that wait"
        evidence.append(
            f"The accept queue held {server.mean('accept_queue', seconds) or 0.0:.1f} then, with {slots} places for requests."
        )
        settle = "More workers, or threads where they wait, would take what queues: try it under the same load, and watch memory."
    return Finding(
        title=f"Too few workers: {what}, and {cores(spare)} of {of_host:g} cores are idle",
        certainty=LIKELY if share(len(seconds), len(server.seconds)) >= 0.3 else PERHAPS,
        evidence=evidence,
        settle=settle,
        server=server.name,
        span=server.span_of(seconds),
        lanes=("workers_cpu", "accept_queue"),
        counts={
            "workers": workers,
            "cores": of_host,
            "idle_cores": spare,
            "workers_cpu_cores": used,
            "seconds": len(seconds),
        },
        part="time",
    )
