"""What an engine's recorder has said of its load, in the first or the last lines of events.jsonl."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.recording.layout import LoadFolder


def said_first(folder: LoadFolder, kind: str, most_bytes: int) -> bool:
    """Whether an event of this kind stands in the first `most_bytes`; False where there is no file yet."""
    return _says(folder, kind, most_bytes, last=False)


def said_last(folder: LoadFolder, kind: str, most_bytes: int) -> bool:
    """Whether an event of this kind stands in the last `most_bytes`: little is said once nobody is left."""
    return _says(folder, kind, most_bytes, last=True)


def _says(folder: LoadFolder, kind: str, most_bytes: int, *, last: bool) -> bool:
    try:
        with folder.events.open("rb") as file:
            if last:
                file.seek(max(0, file.seek(0, os.SEEK_END) - most_bytes))
            return f'"kind":"{kind}"'.encode() in file.read(most_bytes)
    except OSError:
        return False
