"""What an agent recorded of a server's logs: the sources, and which bytes it read when."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from toolkit.recording.jsonl import read_lines
from toolkit.recording.records import LOG_SOURCE_FIELDS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import ServerFolder

_MOST_SOURCES = 1000
_BEHIND_BYTES = 64 << 10
"""Where no block says since when it can be: one of this size may have been cut from what was there, and the next be older."""


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes that were read at once. Times are the server's."""

    position: int
    size: int
    low_ns: int
    """Nothing in it was written before."""
    high_ns: int
    """All of it was written by then."""
    fresh: bool
    """It does not go on where the block before it ended: another generation of the file, or bytes are missing between."""


@dataclass
class LogSource:
    """One log of one server."""

    said: dict[str, Any]
    """Its line of sources.json: `records.LOG_SOURCE_FIELDS`."""
    file: Path | None
    """The recorded bytes; None where none were."""
    blocks: list[Block] = field(default_factory=list)
    dropped_bytes: int = 0
    cuts: int = 0
    """How often it was truncated, and what was written in the last moment before may have been lost."""
    limited: bool = False
    generations: int = 1
    lost_index: bool = False
    """There are bytes that no line of index.jsonl tells of."""

    @property
    def number(self) -> int:
        """As in sources.json."""
        return int(self.said["source"])


def read_sources(server: ServerFolder, started_ns: int, ended_ns: int) -> list[LogSource]:
    """Every source of a server; hostile or broken lines are passed over.

    Args:
        server: its folder.
        started_ns: the run's, on the server's clock: bounds of bytes that the index does not tell the time of.
        ended_ns: the run's.
    """
    sources = {source.number: source for source in _listed(server)}
    tellers = {number: _Blocks(source, started_ns, ended_ns) for number, source in sources.items()}
    for line in read_lines(server.log_index):
        teller = tellers.get(line["source"]) if _is_count(line.get("source")) else None
        if teller is not None and _is_count(line.get("t_ns")):
            teller.add(line)
    for teller in tellers.values():
        teller.finish()
    return list(sources.values())


def _listed(server: ServerFolder) -> list[LogSource]:
    try:
        said = json.loads(server.log_sources.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    found: dict[int, LogSource] = {}
    for one in said[:_MOST_SOURCES] if isinstance(said, list) else []:
        number = one.get("source") if isinstance(one, dict) else None
        if _is_count(number) and number < 1 << 31 and number not in found:
            known = {name: one.get(name) for name in LOG_SOURCE_FIELDS}
            texts = {name: value if isinstance(value, str) else None for name, value in known.items()}
            found[number] = LogSource({**texts, "source": number}, _file(server, texts["file"]))
    return list(found.values())


def _file(server: ServerFolder, name: str | None) -> Path | None:
    # The folder may come from elsewhere: nothing outside of it is read.
    if not name or "/" in name or "\\" in name or "\0" in name or name in (".", ".."):
        return None
    path = server.logs / name
    return path if path.is_file() and not path.is_symlink() else None


class _Blocks:
    """Turns the index lines of one source into blocks."""

    def __init__(self, source: LogSource, started_ns: int, ended_ns: int) -> None:
        self._source = source
        self._size = source.file.stat().st_size if source.file else 0
        self._low_ns = started_ns
        self._latest_ns = started_ns
        self._ended_ns = ended_ns
        self._position = 0
        self._fresh = True

    def add(self, line: dict[str, Any]) -> None:
        what, t_ns = line.get("what"), line["t_ns"]
        if what == "data":
            since_ns = line.get("since_ns")
            if _is_count(since_ns):  # otherwise: after the block before it
                self._low_ns = since_ns
            self._data(t_ns, line.get("position"), line.get("bytes"))
            return
        if what in ("start", "rotated", "truncated"):
            self._fresh = True
        if what == "start":
            self._low_ns = self._latest_ns = t_ns
        elif what in ("dropped", "limit"):
            self._fresh = True
            if _is_count(line.get("bytes")):
                self._source.dropped_bytes += line["bytes"]
            else:
                self._source.cuts += what == "dropped"
            self._source.limited |= what == "limit"
        if _is_count(line.get("generation")):
            self._source.generations = max(self._source.generations, line["generation"] + 1)

    def finish(self) -> None:
        """What lies behind the last block was written, but its index line was not."""
        if self._position < self._size:
            self._source.lost_index = True
            high_ns = max(self._ended_ns, self._low_ns)
            self._add(self._size - self._position, high_ns)

    def _data(self, t_ns: int, position: object, size: object) -> None:
        if not _is_count(position) or not _is_count(size) or not size:
            return
        if position < self._position or position >= self._size:
            return  # told twice, or never written
        if position > self._position:  # bytes that no line tells of
            self._source.lost_index = True
            self._add(position - self._position, t_ns)
            self._fresh = True
        self._add(min(size, self._size - position), t_ns)

    def _add(self, size: int, high_ns: int) -> None:
        high_ns = max(high_ns, self._low_ns)  # a clock that was set back
        self._source.blocks.append(Block(self._position, size, self._low_ns, high_ns, self._fresh))
        if size < _BEHIND_BYTES:
            self._low_ns = high_ns
        self._position += size
        self._fresh = False


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62
