"""Writes down what an agent sends: stack chunks, their rows, its log. Every name and size is checked here."""

from __future__ import annotations

import base64
import binascii
import time
from collections import defaultdict
from typing import IO, TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import JsonLines
from toolkit.run.agent_trust import FILE_NAME, chunk_row, plain
from toolkit.run.numbers import Numbers

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import ServerFolder

PART_BYTES = 256 * 1024
CHUNK_BYTES = 64 * 2**20
SERVER_BYTES = 8 * 2**30
"""No server may fill the operator's disk."""

LOG_BYTES = 4 * 2**20
_MOST_OPEN = 6
_MOST_ROWS = 500_000


class RefusedError(ToolkitError):
    """A server said something that is not in the protocol; it was not written down."""


class AgentFiles:
    """The files of one server. Used by one thread, the reader of that server's connection."""

    def __init__(self, folder: ServerFolder) -> None:
        folder.stacks.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rows = JsonLines(folder.chunks)
        self._open: dict[str, _Part] = {}
        self._sizes: dict[tuple[str, int], int] = {}  # of files whose row has not come
        self._whole: defaultdict[str, Numbers] = defaultdict(Numbers)
        self._described: defaultdict[str, Numbers] = defaultdict(Numbers)
        self._row_count = 0
        self._total = 0

    def part(self, message: dict[str, Any]) -> str | None:
        """Append one part of a file.

        Returns:
            The file's name once it is whole and in its place, else None.

        Raises:
            RefusedError: name, order, size or encoding is not as agreed.
            OSError: this side cannot write.
        """
        view, seq, name = _parse_name(message.get("name"))
        data = _decode(message.get("data"))
        number = message.get("part")
        if self.has(view, seq):
            raise RefusedError(f"{name} was sent twice")
        if number == 0 and number is not False:
            self._begin(name)
        current = self._open.get(name)
        if current is None or number != current.expected or isinstance(number, bool):
            self._abandon(name)
            raise RefusedError(f"a part of {name} came out of order")
        self._total += len(data)
        if current.size + len(data) > CHUNK_BYTES or self._total > SERVER_BYTES:
            self._abandon(name)
            raise RefusedError(f"{name} is too large")
        current.append(data)
        if message.get("last") is not True:
            return None
        del self._open[name]
        self._in_place(view, seq, current.size)
        current.finish(self._folder.chunk(view, seq))
        return name

    def has(self, view: str, seq: int) -> bool:
        """Whether the file of a chunk is in its place."""
        return seq in self._whole[view]

    def whole(self, view: str, seq: int, data: bytes) -> None:
        """Put the file of a chunk into its place at once.

        Raises:
            RefusedError: it is there already, or too large.
            OSError: this side cannot write.
        """
        self._total += len(data)
        if self.has(view, seq) or len(data) > CHUNK_BYTES or self._total > SERVER_BYTES:
            raise RefusedError(f"{view}-{seq:06d} was sent twice, or is too large")
        write_atomically(self._folder.chunk(view, seq), data)
        self._in_place(view, seq, len(data))

    def _in_place(self, view: str, seq: int, size: int) -> None:
        self._whole[view].add(seq)
        if seq not in self._described[view]:
            self._sizes[view, seq] = size

    def row(self, message: dict[str, Any]) -> dict[str, Any]:
        """Append the row of a chunk, with the size that really arrived, and return it.

        Raises:
            RefusedError: a field is not what it must be, or the chunk was described before.
        """
        row = chunk_row(message)
        if row is None:
            raise RefusedError("the description of a chunk is malformed")
        if self._row_count >= _MOST_ROWS:
            raise RefusedError("more chunks than anybody could need")
        if row["seq"] in self._described[row["view"]]:
            raise RefusedError(f"chunk {row['view']}-{row['seq']:06d} was described twice")
        self._described[row["view"]].add(row["seq"])
        self._row_count += 1
        size = self._sizes.pop((row["view"], row["seq"]), 0)
        if (row["bytes"] or 0) != size:
            lost = f"{row['bytes'] or 0} bytes were announced, {size} came"
            row["note"] = f"{row['note']}; {lost}" if row["note"] else lost
            row["bytes"] = size
        self._rows.append(row)
        return row

    def close(self) -> None:
        """Drop what is half, keep what is whole."""
        for name in list(self._open):
            self._abandon(name)
        self._rows.close()

    def _begin(self, name: str) -> None:
        self._abandon(name)
        if len(self._open) >= _MOST_OPEN:
            raise RefusedError("too many files at once")
        self._open[name] = _Part(self._folder.stacks / f".{name}.part")

    def _abandon(self, name: str) -> None:
        part = self._open.pop(name, None)
        if part is not None:
            part.abandon()


class _Part:
    """A file on its way: written beside its place, renamed when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("wb")
        self.expected = 0
        self.size = 0

    def append(self, data: bytes) -> None:
        self._file.write(data)
        self.expected += 1
        self.size += len(data)

    def finish(self, place: Path) -> None:
        self._file.close()
        self._path.rename(place)

    def abandon(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class AgentLog:
    """agent.log: the agent's own words and ours about it, one plain line each, up to `LOG_BYTES`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="replace")
        self._left = LOG_BYTES

    def __call__(self, text: str) -> None:
        """Append a line; beyond the bound, silently nothing."""
        line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {plain(text)}\n"
        if self._left <= 0 or self._file.closed:
            return
        self._left -= len(line.encode("utf-8", "replace"))
        self._file.write(line if self._left > 0 else "(the log is full; the rest is dropped)\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _parse_name(name: object) -> tuple[str, int, str]:
    match = FILE_NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise RefusedError(f"{plain(str(name), 80)!r} is no name of a chunk")
    return match[1], int(match[2]), match[0]


def _decode(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > PART_BYTES * 4 // 3 + 4:
        raise RefusedError("a part of a file has no data, or too much")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("a part of a file is not base64") from None
