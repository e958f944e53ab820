"""What a process elsewhere tells of its records, events and console, written here as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from toolkit.recording.layout import LoadFolder

RECORDS, EVENTS, CONSOLE = b"p", b"e", b"c"


class Streamed:
    """The files of one process. Lines are those of loadtesting/lib/lent_worker.py and lent_line.py."""

    def __init__(self, folder: LoadFolder, process: str, console: Path) -> None:
        folder.request_parts.mkdir(parents=True, exist_ok=True)
        self._part = folder.request_parts / f"{process}.jsonl"
        self._paths = {RECORDS: self._part, EVENTS: folder.events, CONSOLE: console}
        self._files: dict[bytes, FileIO] = {}
        self.had = dict.fromkeys(self._paths, 0)
        """How many bytes of each came."""

    def take(self, line: bytes) -> tuple[bytes, bytes]:
        """Write a line where it belongs; (its word, the rest) where it is none for a file, else empty.

        Raises:
            OSError: the disk is full, say.
        """
        word, _, rest = line.partition(b" ")
        if word not in self._paths:
            if word == b"n" and rest.isdigit() and int(rest):
                self._begun(int(rest))
            return word, rest
        # A line that was cut off is no record: that it is missing is what has to be seen.
        if word == CONSOLE or rest.endswith(b"}"):
            self._file(word).write(rest + b"\n")
        self.had[word] += len(rest) + 1
        return b"", b""

    def complain(self, line: bytes) -> None:
        """What was said on standard error stands in the console."""
        self._file(CONSOLE).write(line + b"\n")

    def close(self) -> None:
        """Nothing more comes."""
        for file in self._files.values():
            file.close()

    def _file(self, mark: bytes) -> FileIO:
        if (
            mark not in self._files
        ):  # when it is needed: a master has no records, and must not look as if it could have
            self._files[mark] = self._paths[mark].open("ab", buffering=0)
        return self._files[mark]

    def _begun(self, count: int) -> None:
        """The counter as a worker here keeps it: eight bytes."""
        self._file(RECORDS)
        self._part.with_suffix(".began").write_bytes(count.to_bytes(8, "little"))
