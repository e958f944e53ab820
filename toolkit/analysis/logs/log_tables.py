"""Recorded logs → log_events, log_sources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.analysis.building import Source
from toolkit.analysis.database import json_table, query, read_parquet, write_json_lines
from toolkit.analysis.logs.assembly import Assembly
from toolkit.analysis.logs.events import EVENT_FIELDS, Event
from toolkit.analysis.logs.lines import LONGEST_LINE, lines_of
from toolkit.analysis.logs.recorded import LogSource, read_sources
from toolkit.recording.manifest import ServerEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.building import Building
    from toolkit.recording.layout import ServerFolder

_SOURCE_FIELDS = {
    "log": "INTEGER",  # a number of ours: which source of which server
    "offset_ns": "BIGINT",
    "server": "VARCHAR",
    "source": "INTEGER",
    "path": "VARCHAR",
    "role": "VARCHAR",  # access, error, application; by its content where it was not known; null where it is empty
    "kind": "VARCHAR",
    "format": "VARCHAR",
    "bytes": "BIGINT",
    "lines": "BIGINT",
    "dropped_bytes": "BIGINT",  # that were not fetched
    "limited": "BOOLEAN",  # because of the size limit
    "generations": "INTEGER",  # 1, and one more for each rotation or truncation
    "found": "VARCHAR",
    "note": "VARCHAR",
}
_LATEST_NS = 1 << 62


def build_log_tables(building: Building) -> None:
    """Write both tables; of a run without logs they are empty."""
    logs: list[dict[str, Any]] = []
    path = building.scratch / "log_events.jsonl"
    write_json_lines(path, _all_events(building, logs))
    json_table(building.connection, "raw_log_events", path, EVENT_FIELDS)
    staged = building.scratch / "log_events.parquet"
    building.connection.sql("SELECT * EXCLUDE (filename) FROM raw_log_events").write_parquet(
        str(staged), compression="lz4"
    )
    path.unlink()
    read_parquet(building.connection, "staged_log_events", staged)
    listed = building.scratch / "logs.jsonl"
    write_json_lines(listed, logs)
    json_table(building.connection, "raw_logs", listed, _SOURCE_FIELDS)
    building.connection.execute(f"CREATE TABLE log_clocks AS {query('log_clocks')}")
    building.connection.execute(query("answered_ids"))
    building.write("log_events")
    building.write("log_sources")


def _all_events(building: Building, logs: list[dict[str, Any]]) -> Iterator[Event]:
    """Every event of every log; each log is appended to `logs` once it is through."""
    entries = {entry.name: entry for entry in building.manifest.servers}
    for server in building.run.servers():
        entry = entries.get(server.name, ServerEntry(server.name, ""))
        started_ns = max(0, building.manifest.started_ns - entry.offset_ns)
        ended_ns = building.manifest.ended_ns or building.manifest.started_ns
        for source in read_sources(server, started_ns, max(started_ns, ended_ns - entry.offset_ns)):
            yield from _events(building, server, entry, source, logs)


def _events(
    building: Building,
    server: ServerFolder,
    entry: ServerEntry,
    source: LogSource,
    logs: list[dict[str, Any]],
) -> Iterator[Event]:
    said = source.said
    year = datetime.fromtimestamp(min(building.manifest.started_ns, _LATEST_NS) / 1e9, UTC).year
    assembly = Assembly(len(logs), {**said, "format": said["format"] or entry.access_format}, year)
    yield from assembly.events(lines_of(source))
    _tell(building, server, source, assembly)
    known = {name: said[name] for name in ("source", "path", "kind", "format", "found", "note")}
    logs.append(
        {
            **known,
            "log": len(logs),
            "server": server.name,
            "offset_ns": entry.offset_ns,
            "role": said["role"] or assembly.role,
            "bytes": sum(block.size for block in source.blocks),
            "lines": assembly.lines,
            "dropped_bytes": source.dropped_bytes,
            "limited": source.limited,
            "generations": source.generations,
        }
    )


_CUT_BY_A_GAP = 2
"""Lines: the last before it and the first behind it."""


def _tell(building: Building, server: ServerFolder, source: LogSource, assembly: Assembly) -> None:
    if source.file is None:
        return
    log = f"Log {_harmless(source.said['path'])} of server {server.name}"
    problem = ""
    if source.lost_index:
        problem = f"{log}: when some of its lines were written is known only by the times that they name."
    if source.dropped_bytes:
        why = "its size limit was reached" if source.limited else "it grew faster than it could be read"
        problem = f"{log}: {source.dropped_bytes} bytes were not fetched, as {why}."
    building.sources.append(Source(building.name_of(source.file), assembly.lines, problem=problem))
    if source.cuts:
        times = "once" if source.cuts == 1 else f"{source.cuts:,} times"
        sentence = f"{log} was truncated {times}: what was written in the moment before may be missing."
        building.sources.append(Source(building.name_of(source.file), problem=sentence))
    if assembly.cut:
        what = "line is" if assembly.cut == 1 else "lines are"
        sentence = f"{log}: {assembly.cut:,} {what} longer than {LONGEST_LINE >> 10} KiB: only the beginning was looked at."
        building.sources.append(Source(building.name_of(source.file), problem=sentence))
    if source.said["role"] == "access" and assembly.lines:
        for sentence in _access_doubts(
            log, assembly, _CUT_BY_A_GAP if source.dropped_bytes or source.cuts else 0
        ):
            building.sources.append(Source(building.name_of(source.file), problem=sentence))


def _access_doubts(log: str, assembly: Assembly, cut: int) -> Iterator[str]:
    """`cut`: so many lines may not be whole."""
    cure = "give gunicorn's access_log_format as access_format under servers[].logs in the plan."
    if (unread := assembly.unread) > cut:
        yield f"{log}: {unread:,} of {assembly.lines:,} lines could not be read as lines of an access log: {cure}"
    if assembly.guessed:
        yield (
            f"{log}: its format is not known, and request and status of {assembly.guessed:,} lines were guessed (a number after "
            f"the request was taken for the status): {cure}"
        )


def _harmless(path: str | None) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in path or "(unnamed)")
