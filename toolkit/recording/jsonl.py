"""Append-only JSON lines: safe to cut at any byte, read back tolerantly."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class JsonLines:
    """Appends one object a line; each line is handed to the system at once. Threads may share it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._lock = threading.Lock()

    def append(self, row: Mapping[str, Any]) -> None:
        """Write `row` as one line."""
        line = json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self._lock:
            if not self._file.closed:
                self._file.write(line)
                self._file.flush()

    def close(self) -> None:
        """Close the file; later lines are dropped."""
        with self._lock:
            self._file.close()


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield every whole object of a `.jsonl` or `.jsonl.gz` file; a torn end or a broken line is passed over."""
    if not path.exists():
        return
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        while True:
            try:
                line = file.readline()
            except (EOFError, OSError, zlib.error):
                return
            if not line:
                return
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row
