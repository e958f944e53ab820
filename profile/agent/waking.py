"""Wakes a recorder that was told to end, and that would see it only after its next two samples.

py-spy looks at SIGINT when it has taken a sample, and sleeps between samples for random times: ten recorders at 1 Hz take 4 s
until the last has ended. A signal does not shorten that sleep, for Rust's `thread::sleep` goes back to it. The parent may: it
stops the sleeping thread by ptrace, lets its system call end as if the time were over, and lets it go (docs/decisions/014).
Only threads of our own child are ever touched, and only in such a sleep.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import time
from typing import List, Optional, Tuple

_SEIZE, _INTERRUPT, _GET_REGISTERS, _SET_REGISTERS, _DETACH = 0x4206, 0x4207, 0x4204, 0x4205, 17
_NT_PRSTATUS = 1
_WALL = 0x40000000
_EVENT_STOP = 128
# <asm/unistd_64.h>, <linux/errno.h>, and places in struct user_regs_struct of <sys/user.h>.
_SLEEPS = (35, 230)  # nanosleep, clock_nanosleep
_RESTART_SLEEP = -516  # ERESTART_RESTARTBLOCK
_RAX, _ORIG_RAX, _REGISTERS = 10, 15, 27
_NO_CALL = 2**64 - 1
_STOPS_WITHIN_S = 0.05


class _IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _libc() -> Optional[ctypes.CDLL]:
    if platform.machine() != "x86_64" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    return libc


_LIBC = _libc()


class Waker:
    """Wakes one child. Elsewhere than on x86_64, or where ptrace is forbidden, it does nothing, and the child ends later."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._caught: List[int] = []  # threads that have not stopped yet, and must be let go

    def wake(self) -> None:
        """Let every sleep of the child's threads be over. Must be called by one thread alone, always the same."""
        if _LIBC is None:
            return
        for tid in self._caught[:]:
            self._finish(tid)
        for tid in self._sleeping():
            if tid not in self._caught and _ptrace(_SEIZE, tid):
                self._caught.append(tid)
                _ptrace(_INTERRUPT, tid)
                self._finish(tid)

    def _sleeping(self) -> List[int]:
        """Its threads that sleep, but for the first: what that does is told by wait(2), to others too."""
        try:
            tids = [int(name) for name in os.listdir("/proc/%d/task" % self._pid)]
        except OSError:
            return []
        return [tid for tid in tids if tid != self._pid and _call_of(self._pid, tid) in _SLEEPS]

    def _finish(self, tid: int) -> None:
        """Once it has stopped: let it go, with its sleep over if it was in one."""
        stopped = _await_stop(tid)
        if stopped is None:
            return
        self._caught.remove(tid)
        is_there, signal_number = stopped
        if is_there:
            _end_sleep(tid)
            _ptrace(_DETACH, tid, signal_number)


def _call_of(pid: int, tid: int) -> int:
    """The system call that a thread is in; -1 for none, and where nobody may know."""
    try:
        with open("/proc/%d/task/%d/syscall" % (pid, tid), "rb") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return -1


def _await_stop(tid: int) -> Optional[Tuple[bool, int]]:
    """Whether it is still there, and the signal that it was about to get; None where it has not stopped yet."""
    until = time.monotonic() + _STOPS_WITHIN_S
    while True:
        try:
            found, status = os.waitpid(tid, os.WNOHANG | _WALL)
        except OSError:
            return False, 0
        if found:
            if not os.WIFSTOPPED(status):
                return False, 0
            number = os.WSTOPSIG(status)
            return True, 0 if status >> 16 == _EVENT_STOP or number == signal.SIGTRAP else number
        if time.monotonic() > until:
            return None
        time.sleep(0.0002)


def _end_sleep(tid: int) -> None:
    registers = (ctypes.c_ulonglong * _REGISTERS)()
    place = _IoVec(ctypes.cast(registers, ctypes.c_void_p), ctypes.sizeof(registers))
    if not _ptrace(_GET_REGISTERS, tid, ctypes.addressof(place), _NT_PRSTATUS):
        return
    if registers[_ORIG_RAX] in _SLEEPS and ctypes.c_longlong(registers[_RAX]).value == _RESTART_SLEEP:
        registers[_RAX], registers[_ORIG_RAX] = 0, _NO_CALL
        _ptrace(_SET_REGISTERS, tid, ctypes.addressof(place), _NT_PRSTATUS)


def _ptrace(request: int, tid: int, data: int = 0, address: int = 0) -> bool:
    return _LIBC is not None and _LIBC.ptrace(request, tid, address or None, data or None) == 0
