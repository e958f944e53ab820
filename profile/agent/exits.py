"""How processes of others end: seen at once through a pidfd, and with what code where the kernel tells.

Since Linux 6.15 a pidfd tells the exit code after the parent has reaped the process. Before, it stands in the zombie's
`stat`: for those who may read it and are there before the parent, which a wake-up mostly is. No other way is harmless:
tracing stops the process, and the kernel's connector for process events makes every fork on the machine cost more.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

_PIDFD_OPEN = 434  # the same number on every architecture but alpha
_GET_INFO = 0xC040FF0B  # PIDFD_GET_INFO with the structure's first version, 64 bytes
_INFO = struct.Struct("=Q52xi")
_INFO_EXIT = 8
_HIDDEN = 1  # what stands for a process's start of code where it may not be read
MOST_WATCHED = 400  # each needs a descriptor
_LIBC = ctypes.CDLL(None, use_errno=True)

Key = Tuple[int, int]


class _Watched(NamedTuple):
    pidfd: int
    stat: int
    readable: bool


class Exits:
    """Watches processes by (PID, start) until their end. `descriptor` is readable when one has ended."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._watched: Dict[Key, _Watched] = {}
        self._by_pidfd: Dict[int, Key] = {}
        self._codes: Dict[Key, int] = {}

    @property
    def descriptor(self) -> int:
        """To wait for."""
        return self._poll.fileno()

    def follow(self, keys: List[Key]) -> None:
        """Watch these and no others."""
        for key in [key for key in self._watched if key not in keys]:
            self._forget(key)
        for key in keys:
            if key not in self._watched and len(self._watched) < MOST_WATCHED:
                self._watch(key)

    def collect(self) -> bool:
        """Read what those who have ended left behind; whether any has."""
        ended = self._poll.poll(0)
        for pidfd, _ in ended:
            self._poll.unregister(pidfd)  # it stays readable
            key = self._by_pidfd[pidfd]
            one = self._watched[key]
            code = _zombie_code(one.stat) if one.readable else None
            if code is not None:
                self._codes[key] = code
        return bool(ended)

    def of(self, key: Key) -> Optional[Dict[str, int]]:
        """`{"code"}` or `{"signal"}` of one that has ended; None where it is not known. To be asked before `follow`."""
        one = self._watched.get(key)
        status = self._codes.pop(key, None)
        if status is None and one is not None:
            # It may be about to be reaped: first what stands before, then what stands after.
            status = _zombie_code(one.stat) if one.readable else None
            status = status if status is not None else _told_by_pidfd(one.pidfd)
        if status is None:
            return None
        return {"signal": status & 0x7F} if status & 0x7F else {"code": status >> 8 & 0xFF}

    def close(self) -> None:
        """Let go of all."""
        self.follow([])
        self._poll.close()

    def _watch(self, key: Key) -> None:
        descriptors: List[int] = []
        try:
            descriptors.append(_pidfd_open(key[0]))
            descriptors.append(os.open("/proc/%d/stat" % key[0], os.O_RDONLY | os.O_CLOEXEC))
            fields = _fields(os.pread(descriptors[1], 4096, 0))
            fits = int(fields[19]) == key[1]  # else another process has its number by now
            if fits:
                self._poll.register(descriptors[0], select.EPOLLIN)
        except (OSError, ValueError, IndexError):
            fits, fields = False, []
        if not fits:
            for descriptor in descriptors:
                os.close(descriptor)
            return
        self._watched[key] = _Watched(descriptors[0], descriptors[1], int(fields[23]) != _HIDDEN)
        self._by_pidfd[descriptors[0]] = key

    def _forget(self, key: Key) -> None:
        one = self._watched.pop(key)
        del self._by_pidfd[one.pidfd]
        self._codes.pop(key, None)
        os.close(one.pidfd)  # which takes it out of the poll, too
        os.close(one.stat)


def _pidfd_open(pid: int) -> int:
    opener: Any = getattr(os, "pidfd_open", None)
    if opener is not None:
        return int(opener(pid))
    descriptor = int(_LIBC.syscall(_PIDFD_OPEN, pid, 0))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "pidfd_open")
    return descriptor


def _told_by_pidfd(pidfd: int) -> Optional[int]:
    data = bytearray(_INFO.size)
    _INFO.pack_into(data, 0, _INFO_EXIT, 0)
    try:
        fcntl.ioctl(pidfd, _GET_INFO, data)
    except OSError:
        return None
    mask, status = _INFO.unpack(data)
    return int(status) if mask & _INFO_EXIT else None


def _zombie_code(stat: int) -> Optional[int]:
    try:
        fields = _fields(os.pread(stat, 4096, 0))
        return int(fields[49]) if fields[0] in (b"Z", b"X") else None
    except (OSError, ValueError, IndexError):
        return None


def _fields(data: bytes) -> List[bytes]:
    return data[data.rfind(b")") + 2 :].split()
