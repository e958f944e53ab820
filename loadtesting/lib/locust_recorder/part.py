"""The file of one process's records, and beside it how many requests it has begun: what a process that is killed cannot say."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_HEADER = b'{"schema":1,"kind":"requests"}\n'
_COUNT = struct.Struct("<Q")


class Part:
    """Appends lines. `began` lies in memory that the system keeps when the process dies."""

    def __init__(self, folder: str, name: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._file = (Path(folder) / f"{name}.jsonl").open("ab", buffering=0)
        self._file.write(_HEADER)
        with (Path(folder) / f"{name}.began").open("w+b") as file:
            file.write(_COUNT.pack(0))
            file.flush()
            self._map = mmap.mmap(file.fileno(), _COUNT.size)
        self.began = 0

    def begin(self) -> None:
        """One more request has begun."""
        self.began += 1
        _COUNT.pack_into(self._map, 0, self.began)

    def write(self, lines: list[str]) -> None:
        """Hand whole lines to the system.

        Raises:
            OSError: the disk is full, say.
        """
        data = memoryview("".join(lines).encode("utf-8", "replace"))
        while data:
            data = data[self._file.write(data) :]
