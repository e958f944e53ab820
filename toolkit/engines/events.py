"""What an engine's recorder has said of its load, in the first or the last lines of events.jsonl."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from toolkit.engines.parts import join_parts

if TYPE_CHECKING:
    from toolkit.recording.layout import LoadFolder

_MOST_BYTES = 64 * 1024
_LAST_BYTES, _LONGEST = 20_000, 300


class TellsByEvents:
    """What engines have in common whose recorder says all of its load in events.jsonl, and writes records as parts."""

    def users_arrive(self, folder: LoadFolder) -> bool:
        """As the first lines say."""
        return said_first(folder, "phase_started", _MOST_BYTES)

    def users_left(self, folder: LoadFolder) -> bool:
        """As the last lines say."""
        return said_last(folder, "users_left", _MOST_BYTES)

    def collect(self, folder: LoadFolder) -> None:
        """Join what its processes wrote into `folder.requests`; crash-safe and repeatable."""
        join_parts(folder)


def printed(folder: LoadFolder) -> list[str]:
    """The last lines that the engine printed, without empty ones."""
    try:
        text = folder.console.read_bytes()[-_LAST_BYTES:].decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]


def last_words(folder: LoadFolder) -> str:
    """The last of them, for an error."""
    return (printed(folder) or ["it said nothing"])[-1][:_LONGEST].rstrip(".")


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
