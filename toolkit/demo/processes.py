"""Ends the processes of the demo, and no other: by PID and start time, and by the session that they share."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

import psutil

from toolkit.demo.state import HOST_ALIAS, SHOP_NAME
from toolkit.errors import NotPermittedError, ToolkitError

if TYPE_CHECKING:
    from toolkit.demo.state import StartedProcess

# Start times are reckoned from the boot time, which the kernel tells in whole seconds and may correct by one of them.
_SAME_START_S = 1.5
_GRACE_S = 3.0
_KILLED_WITHIN_S = 2.0


def identify(pid: int) -> float:
    """The start time of the process that has this PID now, in seconds since the epoch.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    return psutil.Process(pid).create_time()


def find(started: StartedProcess) -> psutil.Process | None:
    """The very process that was started; None if it has ended, be its PID another's by now."""
    try:
        process = psutil.Process(started.pid)
        same = abs(process.create_time() - started.create_time) < _SAME_START_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def session_members(leader: StartedProcess) -> list[psutil.Process]:
    """The live processes of the session that `leader` opened: also its orphans, when it was killed itself."""
    if psutil.pid_exists(leader.pid) and find(leader) is None and not _is_zombie(leader):
        return []  # its PID is another's by now, and so is the session of that number
    return [process for process in psutil.process_iter() if _belongs(process, leader)]


def end_session(leader: StartedProcess) -> bool:
    """End all of it: politely by way of the leader, then by force. True if there was anything to end.

    Raises:
        NotPermittedError: the processes are another user's.
        ToolkitError: some are still there after SIGKILL.
    """
    members = session_members(leader)
    if not members:
        return False
    arbiter = find(leader)
    # The arbiter stops its workers itself; a SIGTERM of ours to each of them would only make it start new ones.
    for process in [arbiter] if arbiter else members:
        _signal(process, signal.SIGTERM)
    _await_end(members, _GRACE_S)
    left = session_members(leader)
    for process in left:
        _signal(process, signal.SIGKILL)
    if alive := _await_end(left, _KILLED_WITHIN_S):
        pids = ", ".join(str(process.pid) for process in alive)
        raise ToolkitError(f"The demo's processes {pids} do not end, not even by SIGKILL.")
    return True


def _await_end(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Wait until they have ended; those that have not. A zombie has: its parent may never care, as in many containers."""
    deadline = time.monotonic() + within_s
    while alive := [process for process in processes if not _has_ended(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return alive


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _belongs(process: psutil.Process, leader: StartedProcess) -> bool:
    try:
        if os.getsid(process.pid) != leader.pid:
            return False
        # A zombie has no command line. With setproctitle the title holds the name, without it the arguments do.
        named = any(name in word for word in process.cmdline() for name in (HOST_ALIAS, SHOP_NAME))
        return named and process.create_time() > leader.create_time - _SAME_START_S
    except (psutil.Error, OSError):
        return False


def _is_zombie(started: StartedProcess) -> bool:
    try:
        return psutil.Process(started.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    except psutil.AccessDenied as error:
        raise NotPermittedError(
            f"The demo's process {process.pid} belongs to {process.username()}.",
            "Stop the demo as the user who started it.",
        ) from error
