"""Which workers a gunicorn has, second by second, read at a cost that does not grow with its threads."""

from __future__ import annotations

from typing import Any, Optional

import procfs
import rates
import trees
from crew import Target


def watched(arbiter: trees.Process) -> Optional[trees.Tree]:
    """The arbiter's tree now; None where the arbiter is gone."""
    if not procfs.alive(arbiter.pid, arbiter.start_ticks):
        return None
    found: dict[int, trees.Process] = {arbiter.pid: arbiter}
    for child in procfs.children(arbiter.pid):
        _take(found, child)
        for grandchild in _forked_by(child):  # of the new arbiter of an upgrade, or of a dirty arbiter
            _take(found, grandchild)
    return next(iter(trees.Family(found).trees()), None)


def _take(found: dict[int, trees.Process], pid: int) -> None:
    process = trees.candidate(pid)
    if process is not None:
        found[pid] = process


def _forked_by(pid: int) -> list[int]:
    """Children of the main thread alone: a worker's hundred threads need not be asked."""
    return [int(item) for item in (procfs.content("/proc/%d/task/%d/children" % (pid, pid)) or b"").split()]


def successor(tree: trees.Tree) -> Optional[trees.Tree]:
    """The tree of the arbiter that an upgrade has left in charge."""
    for process in tree.successors:
        now = procfs.stat(process.pid)
        if now is not None and now.start_ticks == process.start_ticks:
            return watched(process._replace(ppid=now.ppid))
    return None


def targets(tree: trees.Tree, chunk_s: float) -> list[Target]:
    """Whom a view's recorders look at, the arbiter first: each process by itself where that costs less than a look at
    the whole machine ten times a second.
    """
    if rates.one_by_one(len(tree.pids), len(procfs.pids()), chunk_s):
        return [Target(pid, False, arbiter_of(tree, pid)) for pid in tree.pids]
    heads = tuple(process.pid for process in tree.successors)
    return [Target(tree.arbiter.pid, True, tree.arbiter.pid, heads)]


def arbiter_of(tree: trees.Tree, pid: int) -> int:
    """Whose a process is while two arbiters live: of the nearest one above it, or itself."""
    arbiters = {tree.arbiter.pid, *(process.pid for process in tree.successors)}
    parents = {process.pid: process.ppid for process in tree.workers}
    while pid not in arbiters:
        pid = parents.pop(pid, tree.arbiter.pid)
    return pid


def size_of(tree: trees.Tree, chunk_s: float) -> rates.Size:
    """How many processes and threads the recorders have to read, and to look through."""
    stats = [now for now in (procfs.stat(pid) for pid in tree.pids) if now is not None]
    on_machine = len(procfs.pids())
    searched = 0 if rates.one_by_one(len(tree.pids), on_machine, chunk_s) else on_machine
    return rates.Size(max(1, len(stats)), max(1, sum(now.threads for now in stats)), searched)


def as_worker(process: trees.Process) -> dict[str, Any]:
    """A worker as it goes over the wire."""
    title = process.role.kind if process.role.kind != "program" else "worker"
    return {
        "pid": process.pid,
        "create_time": procfs.create_time(process.start_ticks),
        "title": procfs.text(list(process.argv)) if title == "worker" else title,
    }
