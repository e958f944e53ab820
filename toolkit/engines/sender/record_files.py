"""Reads records from a JSON array, JSON lines or CSV, one at a time: where each lies, and again from there."""

from __future__ import annotations

import csv
import json
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.engines.sender.json_array import elements
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMATS = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
LONGEST = 16 << 20
"""Bytes of one record."""
_BOM = b"\xef\xbb\xbf"

Record = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """One record of a file, good or not."""

    offset: int
    length: int
    line: int
    """From 1: where it begins."""
    record: Record | None = None
    problem: str = ""
    """Why it is none that can be sent."""


def format_of(path: Path) -> str:
    """`json`, `jsonl` or `csv`, by the file's name.

    Raises:
        UsageError: it says none of them.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"{path} is no file of records by its name.", "Call it .json (an array), .jsonl or .csv."
        )
    return found


def scan(path: Path) -> Iterator[Found]:
    """Every record in the order of the file, with what is wrong with it.

    Raises:
        UsageError: the file cannot be read, is empty, or is no JSON array or CSV as a whole.
    """
    kind = format_of(path)
    try:
        with path.open("rb") as file:
            if file.read(len(_BOM)) != _BOM:
                file.seek(0)
            yield from {"json": _scan_array, "jsonl": _scan_lines, "csv": _scan_rows}[kind](path, file)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


class RecordIndex:
    """Where the good records of a file lie: 16 bytes a record in memory, whatever their size."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offsets = array("Q")
        self._lengths = array("I")
        self._lines = array("I")
        self._header = _header(path) if format_of(path) == "csv" else []
        self._file = path.open("rb")

    def add(self, found: Found) -> None:
        """The next record of the file."""
        self._offsets.append(found.offset)
        self._lengths.append(found.length)
        self._lines.append(found.line)

    def __len__(self) -> int:
        return len(self._offsets)

    def close(self) -> None:
        """No more reading."""
        self._file.close()

    def line(self, number: int) -> int:
        """Where record `number` (from 1) begins."""
        return self._lines[number - 1]

    def read(self, number: int) -> Record:
        """Record `number` (from 1), which was good when the file was scanned.

        Raises:
            ValueError: the file is another one now.
        """
        self._file.seek(self._offsets[number - 1])
        data = self._file.read(self._lengths[number - 1])
        if self._header:
            row = next(csv.reader(data.decode().splitlines(keepends=True), strict=True))
            return dict(zip(self._header, row, strict=True))
        found = _judged(0, data, 0)
        if found.record is None:
            raise ValueError(found.problem)
        return found.record


def _scan_lines(path: Path, file: Any) -> Iterator[Found]:  # noqa: ANN401 - a binary file
    number, empty = 0, True
    offset = file.tell()
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise UsageError(
                f"{path}:{number}: a line of more than {LONGEST >> 20} MiB.", "Is it JSON lines?"
            )
        if line.strip():
            empty = False
            yield _judged(offset, line, number)
        offset += len(line)
    if empty:
        raise UsageError(f"{path} is empty.", "Write one JSON object a line.")


def _scan_array(path: Path, file: Any) -> Iterator[Found]:  # noqa: ANN401 - a binary file
    for offset, data, line in elements(path, file, LONGEST):
        yield _judged(offset, data, line)


def _scan_rows(path: Path, file: Any) -> Iterator[Found]:  # noqa: ANN401 - a binary file
    lines = _CountedLines(file)
    reader = csv.reader(lines, strict=True)
    header = _checked_header(path, reader)
    empty = True
    while True:
        offset, line = lines.offset, lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except (csv.Error, UnicodeDecodeError) as error:
            said = "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            empty = False
            yield Found(offset, lines.offset - offset, line, problem=said)
            reader = csv.reader(lines, strict=True)
            continue
        if not row:
            continue
        empty = False
        problem = "" if len(row) == len(header) else f"{len(row)} fields where the header has {len(header)}"
        record = None if problem else dict(zip(header, row, strict=True))
        yield Found(offset, lines.offset - offset, line, record, problem)
    if empty:
        raise UsageError(f"{path} holds no record below its header.")


class _CountedLines:
    """The lines of a file, which the CSV reader asks for one by one, so that we know where each row begins."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - a binary file
        self._file = file
        self.offset = file.tell()
        self.number = 0

    def __iter__(self) -> _CountedLines:
        return self

    def __next__(self) -> str:
        data: bytes = self._file.readline(LONGEST)
        if not data:
            raise StopIteration
        self.offset += len(data)
        self.number += 1
        return data.decode()


def _header(path: Path) -> list[str]:
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        return _checked_header(path, csv.reader(_CountedLines(file), strict=True))


def _checked_header(path: Path, reader: Iterator[list[str]]) -> list[str]:
    try:
        header = next(reader, [])
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}:1: the header cannot be read: {error}.") from None
    if not header:
        raise UsageError(f"{path} is empty.", "The first line of a CSV file names its fields.")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"{path}:1: two fields are called {twice!r}.", "Give each a name of its own.")
    return header


def _judged(offset: int, data: bytes, line: int) -> Found:
    """A piece of JSON as a record, or what is wrong with it."""
    try:
        record = json.loads(data)
    except UnicodeDecodeError:
        return Found(offset, len(data), line, problem="it is no UTF-8")
    except (ValueError, RecursionError) as error:
        return Found(offset, len(data), line, problem=f"no JSON: {getattr(error, 'msg', None) or error}")
    if not isinstance(record, dict):
        return Found(offset, len(data), line, problem=f"no object but {_kind(record)}")
    return Found(offset, len(data), line, record)


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
