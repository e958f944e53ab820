"""No process may be left stopped because it was watched."""

from __future__ import annotations

import contextlib
import os
import signal

import procfs


def halted(pids: list[int]) -> set[tuple[int, int]]:
    """The processes among `pids` that are stopped now, as (PID, start)."""
    stats = (procfs.stat(pid) for pid in pids)
    return {(now.pid, now.start_ticks) for now in stats if now is not None and now.state in "tT"}


def release(pids: list[int], before: set[tuple[int, int]]) -> list[int]:
    """Continue those of `pids` that are stopped now and were not `before` the recorder was told to end.

    Returns:
        The PIDs that were continued. Those that somebody else had stopped are left as they are.
    """
    continued = []
    for pid, start_ticks in halted(pids) - before:
        if procfs.alive(pid, start_ticks):  # that very process, not a later one of the same number
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)
                continued.append(pid)
    return continued
