"""Joins the part files of the generator's workers into one."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.recording.layout import LoadFolder

HEADER = b'{"schema":1,"kind":"requests"}\n'
CHUNK = 1 << 20


def join_parts(folder: LoadFolder) -> None:
    """Write `folder.requests` from `folder.request_parts` and remove the parts. Nothing to join, nothing done.

    It may be cut off anywhere and started again: the parts go only after the whole has its name, and all at once (by a
    rename), so that a half-removed folder is never joined.

    Raises:
        OSError: the folder is not writable or full; the parts are still there.
    """
    joined = folder.request_parts.with_name("parts.joined")
    shutil.rmtree(joined, ignore_errors=True)
    parts = sorted(folder.request_parts.glob("*.jsonl")) if folder.request_parts.is_dir() else []
    if not parts:
        return
    with tempfile.NamedTemporaryFile(dir=folder.path, prefix=".requests.", delete=False) as raw:
        temporary = Path(raw.name)
        try:
            with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0, filename="") as target:
                target.write(HEADER)
                for part in parts:
                    _append(part, target)
            raw.flush()  # here, where what does not fit is still cleaned up
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    temporary.replace(folder.requests)
    folder.request_parts.rename(joined)
    shutil.rmtree(joined, ignore_errors=True)


def unaccounted(folder: LoadFolder) -> int:
    """Requests that a generator's process had begun and that are in no record: what it could not write before it was killed.

    To be asked before `join_parts`. 0 where nobody counts what is begun.
    """
    missing = 0
    for counter in folder.request_parts.glob("*.began"):
        began = int.from_bytes(counter.read_bytes()[:8], "little")
        missing += max(0, began - _records(counter.with_suffix(".jsonl")))
    return missing


def _records(part: Path) -> int:
    with part.open("rb") as file:
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))
    return max(0, lines - 1)


def _append(part: Path, target: gzip.GzipFile) -> None:
    """Every whole line but the header; what a killed worker left of its last line is dropped."""
    with part.open("rb") as source:
        head = source.readline()
        if head != HEADER and head.endswith(b"\n"):
            target.write(head)
        rest = b""
        while chunk := source.read(CHUNK):
            end = chunk.rfind(b"\n") + 1
            if end == 0:
                rest += chunk
                continue
            target.write(rest)
            target.write(chunk[:end])
            rest = chunk[end:]
