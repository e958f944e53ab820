"""Request records as our Artillery recorder writes them: the fields of recording/records.py, in their order, without spaces."""

from __future__ import annotations

import json
import time
from typing import IO, TYPE_CHECKING, Any

from toolkit.engines.parts import HEADER
from toolkit.recording.records import REQUEST_FIELDS

if TYPE_CHECKING:
    from pathlib import Path

_FLUSH_S = 0.2


class RowFile:
    """One process's part file; handed to the system five times a second."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab", buffering=256 * 1024)
        self._file.write(HEADER)
        self._flushed = 0.0

    def write(self, row: dict[str, Any]) -> None:
        """One request; `row` has every field but those that are null.

        Raises:
            OSError: the disk is full.
        """
        whole = {name: row.get(name) for name in REQUEST_FIELDS}
        if row.get("answered_id"):
            whole["answered_id"] = row["answered_id"]
        self._file.write(
            json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        )
        self._file.write(b"\n")
        if time.monotonic() - self._flushed > _FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the system."""
        self._flushed = time.monotonic()
        self._file.flush()

    def close(self) -> None:
        """Hand everything to the system and close the file."""
        self._file.close()
