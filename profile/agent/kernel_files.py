"""Files of the kernel's that are read again and again, and the numbers in them."""

from __future__ import annotations

import errno
import os
from typing import Dict, Optional

_READ_BYTES = 1 << 16
_LIMIT = 1 << 22  # of one file: more than the largest machine's /proc/stat

Values = Dict[str, float]


class KernelFile:
    """A file that is kept open, which halves what reading it costs. What cannot be read is empty, never an error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: Optional[int] = None
        self._absent = False

    def read(self) -> bytes:
        """What it says now; empty where it does not exist or may not be read."""
        if self._absent:
            return b""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return _whole(self._descriptor)
        except OSError as error:
            self.close()
            self._absent = error.errno in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EOPNOTSUPP)
            return b""

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _whole(descriptor: int) -> bytes:
    data = os.pread(descriptor, _READ_BYTES, 0)
    part = data
    # Files of many records come a page at a time, however much is asked for.
    while part and len(data) < _LIMIT:
        part = os.pread(descriptor, _READ_BYTES, len(data))
        data += part
    return data


def content(path: str, limit: int = _READ_BYTES) -> Optional[bytes]:
    """A small file read once, without what Python's `open` adds to the cost; None where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        return os.read(descriptor, limit)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def number_after(data: bytes, key: bytes) -> Optional[int]:
    """The number that follows `key` at the start of a line (`MemTotal: 16 kB`, `pswpin 12`); None where there is none."""
    start = 0 if data.startswith(key) else data.find(b"\n" + key) + 1
    if start == 0 and not data.startswith(key):
        return None
    return whole_number(data[start + len(key) : start + len(key) + 64].lstrip(b" \t").split(None, 1)[:1])


def whole_number(words: list[bytes]) -> Optional[int]:
    """The first word as a number that is not negative; None where it is none."""
    return int(words[0]) if words and words[0].isdigit() else None
