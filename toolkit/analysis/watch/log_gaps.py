"""What is missing of a server's logs: those that gave nothing, and what a run folder's log files do not tell any more."""

from __future__ import annotations

import json
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from toolkit.analysis.building import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.analysis.building import Building
    from toolkit.recording.layout import ServerFolder

_NAMED = "named in the plan"
_MOST_TOLD = 20
_LONGEST = 300


def note_log_gaps(building: Building) -> None:
    """Append to `sources` what is missing of every server's logs."""
    for server in building.run.servers():
        listed, index = _Listed(server.log_sources), _Index(server.log_index)
        building.sources += _damage(building, server, listed, index)
        said = list(_silent(server, listed.rows, index))
        more = len(said) - _MOST_TOLD
        said[_MOST_TOLD:] = [f"Server {server.name}: {more} more logs gave nothing."] if more > 0 else []
        building.sources += [Source(building.name_of(server.logs), problem=sentence) for sentence in said]


class _Listed:
    """sources.json."""

    def __init__(self, path: Path) -> None:
        self.problem = ""
        self.rows: list[dict[str, Any]] = []
        if not path.exists():
            return
        try:
            said = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            said = None
        if not isinstance(said, list):
            self.problem = " cannot be read: which logs were followed is not known, and none of them is used"
            return
        self.rows = [row for row in said if _is_source(row)]
        if len(self.rows) < len(said):
            self.problem = f": {len(said) - len(self.rows)} of its logs cannot be read and are left out"


class _Index:
    """index.jsonl."""

    def __init__(self, path: Path) -> None:
        self.lines = self.unreadable = 0
        self.problem = ""
        self.read: Counter[int] = Counter()
        """Bytes of each source."""
        self.absent: set[int] = set()
        """Sources that were never there."""
        if not path.exists():
            return
        try:
            with path.open("rb") as lines:
                for text in lines:
                    self._take(text)
        except OSError as error:
            self.problem = f"cannot be read: {error.strerror or error}"

    def _take(self, text: bytes) -> None:
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or type(row.get("source")) is not int:
            self.unreadable += 1
            return
        self.lines += 1
        number, size = row["source"], row.get("bytes")
        if row.get("what") == "data" and type(size) is int:
            self.read[number] += size
        if row.get("what") == "start" and row.get("note") == "it is not there yet":
            self.absent.add(number)
        elif row.get("what") != "limit":
            self.absent.discard(number)


def _is_source(row: object) -> bool:
    return isinstance(row, dict) and type(row.get("source")) is int and isinstance(row.get("path"), str)


def _damage(building: Building, server: ServerFolder, listed: _Listed, index: _Index) -> Iterator[Source]:
    name = building.name_of(server.log_sources)
    if listed.problem:
        yield Source(name, len(listed.rows), problem=f"{name}{listed.problem}.")
    elif not server.log_sources.exists() and server.log_index.exists():
        yield Source(name, problem=f"{name} is not there: the logs that were recorded are not used.")
    name = building.name_of(server.log_index)
    problem = f"{name} {index.problem}." if index.problem else ""
    if index.unreadable or problem:
        yield Source(name, index.lines, index.unreadable, problem=problem)


def _silent(server: ServerFolder, rows: list[dict[str, Any]], index: _Index) -> Iterator[str]:
    """Logs that somebody wanted, and that gave nothing."""
    read = [row["path"] for row in rows if not row.get("note")]
    for row in rows:
        path, note = row["path"], row.get("note")
        named = row.get("found") == _NAMED
        if note and not any(path != other and fnmatchcase(other, path) for other in read):
            told = " (named in the plan)" if named else ""
            yield f"Server {server.name}: the log {path[:_LONGEST]}{told} was not followed: {str(note)[:_LONGEST]}."
        elif named and not note and index.lines and not index.read[row["source"]]:
            why = "there was no such file" if row["source"] in index.absent else "nothing was written to it"
            yield f"Server {server.name}: nothing was read of {path[:_LONGEST]} (named in the plan): {why}."
