"""The recorders' chunks → chunks, stacks, samples."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.building import Source
from toolkit.analysis.database import json_table, read_csv, write_json_lines
from toolkit.analysis.salvage import read_gzip
from toolkit.probes.stacks import parse_stack, split_records
from toolkit.recording.jsonl import read_lines
from toolkit.recording.manifest import ServerEntry
from toolkit.recording.records import CHUNK_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path

    from toolkit.analysis.building import Building
    from toolkit.recording.layout import ServerFolder

_VIEW = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FILE = re.compile(r"([a-z][a-z0-9_]{0,31})-(\d{1,9})\.raw\.gz")
_LARGEST_CHUNK = 256 << 20  # bytes unpacked; a chunk of 5 s is some hundred kilobytes
_KNOWN_BYTES = 64 << 20

_CHUNK_COLUMNS = {
    "chunk": "INTEGER",
    "server": "VARCHAR",
    **CHUNK_FIELDS,
    "listed": "BOOLEAN",  # in chunks.jsonl
    "whole": "BOOLEAN",  # its file could be read to its end
    "counted": "BIGINT",  # samples in its file; null where that is not there or damaged
    "unreadable": "BIGINT",  # records of its file that could not be read
}
_SAMPLE_COLUMNS = {
    "chunk": "INTEGER",
    "pid": "BIGINT",
    "root": "BIGINT",
    "thread_id": "INTEGER",
    "stack_id": "INTEGER",
    "count": "BIGINT",
}
_THREAD_COLUMNS = {"thread_id": "INTEGER", "tid": "VARCHAR", "thread": "VARCHAR"}
_STACK_COLUMNS = {"stack_id": "INTEGER", "frames": "VARCHAR[]"}


@dataclass
class _Interned:
    """Each frame, stack and thread once, however often and wherever it was seen."""

    known: dict[bytes, str] = field(default_factory=dict)
    """Record text → its columns in the samples file; emptied when it grows large, as recycled workers never come back."""
    known_bytes: int = 0
    frames: dict[str, str] = field(default_factory=dict)
    stacks: dict[tuple[str, ...], int] = field(default_factory=dict)
    threads: dict[tuple[str, str], int] = field(default_factory=dict)

    def columns(self, text: bytes) -> str:
        """`pid,root,thread_id,stack_id` of a record's text."""
        known = self.known.get(text)
        if known is None:
            stack = parse_stack(text)
            frames = tuple(self.frames.setdefault(frame, frame) for frame in stack.frames)
            stack_id = self.stacks.setdefault(frames, len(self.stacks))
            thread_id = self.threads.setdefault((stack.tid, stack.thread), len(self.threads))
            processes = f"{stack.pid},{stack.root}" if stack.pid is not None else ","
            known = f"{processes},{thread_id},{stack_id}"
            if self.known_bytes > _KNOWN_BYTES:
                self.known.clear()
                self.known_bytes = 0
            self.known[text] = known
            self.known_bytes += len(text) + 120
        return known


def build_stack_tables(building: Building) -> None:
    """Write the three tables of the recorded stacks."""
    interned = _Interned()
    scratch = building.scratch
    chunks: list[dict[str, Any]] = []
    with (scratch / "samples.csv").open("w", encoding="ascii") as sink:
        for server in building.run.servers():
            for chunk, file in _chunks(building, server):
                chunk["chunk"] = len(chunks)
                chunks.append(chunk)
                if file is not None:
                    _count(building, chunk, file, interned, sink)
    threads = (
        {"thread_id": number, "tid": tid, "thread": name} for (tid, name), number in interned.threads.items()
    )
    stacks = ({"stack_id": number, "frames": frames} for frames, number in interned.stacks.items())
    for name, lines, columns in (
        ("raw_chunks", chunks, _CHUNK_COLUMNS),
        ("raw_threads", threads, _THREAD_COLUMNS),
        ("raw_stacks", stacks, _STACK_COLUMNS),
    ):
        write_json_lines(scratch / f"{name}.jsonl", lines)
        json_table(building.connection, name, scratch / f"{name}.jsonl", columns)
    read_csv(building.connection, "raw_samples", scratch / "samples.csv", _SAMPLE_COLUMNS)
    for table in ("chunks", "stacks", "samples"):
        building.write(table)


def _count(
    building: Building, chunk: dict[str, Any], file: Path, interned: _Interned, sink: TextIOWrapper
) -> None:
    data, whole = read_gzip(file, _LARGEST_CHUNK)
    if not whole:
        # It is a sum over its time: of a part of it nobody can say of which seconds that is.
        name = building.name_of(file)
        building.sources.append(Source(name, problem=f"{name} is damaged: the chunk counts as lost."))
        chunk |= {"whole": False, "note": "its file is damaged"}
        return
    records, unreadable = split_records(data)
    number = chunk["chunk"]
    sink.writelines(f"{number},{interned.columns(text)},{count}\n" for text, count in records)
    chunk |= {"whole": True, "counted": sum(count for _, count in records), "unreadable": unreadable}
    if unreadable:
        building.sources.append(Source(building.name_of(file), len(records), unreadable))


def _chunks(building: Building, server: ServerFolder) -> Iterator[tuple[dict[str, Any], Path | None]]:
    """Every chunk that is listed or has a file, in order of view and number, on the controller's clock."""
    entries = {entry.name: entry for entry in building.manifest.servers}
    entry = entries.get(server.name, ServerEntry(server.name, ""))
    listed = _listed(server)
    files = {key: path for path in server.stacks.glob("*.raw.gz") if (key := _key_of(path)) is not None}
    if files and not server.chunks.is_file():
        problem = f"Server {server.name} has no chunks.jsonl: when its samples were taken is not known."
        building.sources.append(Source(building.name_of(server.chunks), problem=problem))
    for view, seq in sorted(listed.keys() | files.keys()):
        line = listed.get((view, seq))
        rate_hz = _number((line or {}).get("rate_hz")) or _number(_view_of(entry, view).get("rate_hz"))
        chunk = {name: value for name, value in (line or {}).items() if name in CHUNK_FIELDS}
        for name in ("start_ns", "end_ns"):
            at = chunk.get(name)
            chunk[name] = at + entry.offset_ns if isinstance(at, int) else None
        chunk |= {
            "server": server.name,
            "view": view,
            "seq": seq,
            "rate_hz": rate_hz if rate_hz and rate_hz > 0 else None,
            "listed": line is not None,
        }
        yield chunk, files.get((view, seq))


def _listed(server: ServerFolder) -> dict[tuple[str, int], dict[str, Any]]:
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for line in read_lines(server.chunks):
        view, seq = line.get("view"), line.get("seq")
        if isinstance(view, str) and _VIEW.fullmatch(view) and isinstance(seq, int) and 0 <= seq < 10**9:
            found[view, seq] = line
    return found


def _key_of(path: Path) -> tuple[str, int] | None:
    found = _FILE.fullmatch(path.name)
    return (found[1], int(found[2])) if found else None


def _view_of(entry: ServerEntry, view: str) -> dict[str, Any]:
    said = entry.views.get(view)
    return said if isinstance(said, dict) else {}


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
