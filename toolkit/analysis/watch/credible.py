"""Which of the lines that look like gunicorn's can be its own, by the process that each says wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from toolkit.analysis.watch.log_lines import LogLine

_ORDERS = ("hup", "quit", "int", "term", "ttin", "ttou", "usr1", "usr2", "winch", "abrt", "usr2_ignored")
_STATES = (
    "starting",
    "listening",
    "ready",
    "reloading",
    "promoted",
    "arbiter_failed",
    "address_in_use",
    "bind_failed",
)
_ENDS = ("timeout", "killed", "worker_exited", "shutdown", "graceful_stop", "quick_shutdown")
_BY_ARBITER = frozenset((*_ORDERS, *_STATES, *_ENDS))
_BY_WORKER = frozenset(("booting", "exiting", "graceful_timeout", "max_requests", "orphaned", "code_changed"))
"""`boot_failed` is written by either."""


def credible(lines: Iterable[LogLine], arbiters: Collection[int], workers: Collection[int]) -> list[LogLine]:
    """The lines without those that another process wrote than writes such: text that a client sent and the service logged.

    Args:
        lines: of one server.
        arbiters: PIDs of its arbiters that the agent saw; where there is none, the arbiter's lines are taken as they are.
        workers: PIDs of the workers that it saw. In a container gunicorn writes other PIDs than the agent sees: lines of which
            none names a PID that it knows are taken as they are, too.
    """
    found = list(lines)
    if not any(line.writer in arbiters or line.writer in workers for line in found):
        return found
    return [line for line in found if _is_its_own(line, arbiters, workers)]


def _is_its_own(line: LogLine, arbiters: Collection[int], workers: Collection[int]) -> bool:
    if line.writer is None:
        return True
    if line.event in _BY_WORKER:
        return line.pid == line.writer and line.writer not in arbiters
    # An arbiter that lived too short to be seen is none of the workers, at least.
    return line.event not in _BY_ARBITER or line.writer in arbiters or line.writer not in workers
