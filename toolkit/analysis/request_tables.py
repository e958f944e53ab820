"""The load generators' lines → requests, load_events, phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from toolkit.analysis.aggregates import ENGINE
from toolkit.analysis.building import Source
from toolkit.analysis.database import json_table, query, read_parquet, rows, write_json_lines
from toolkit.analysis.salvage import salvage_lines
from toolkit.recording.jsonl import read_lines
from toolkit.recording.records import ACCEPTED_FIELDS, ANSWERED_FIELDS, REQUEST_FIELDS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.analysis.building import Building
    from toolkit.recording.layout import LoadFolder

_EVENT_FIELDS = {
    "load": "VARCHAR",
    "t_ns": "BIGINT",
    "kind": "VARCHAR",
    "phase": "VARCHAR",
    "index": "INTEGER",
    "duration_s": "DOUBLE",
    "message": "VARCHAR",
    "created": "VARCHAR",  # JSON: scenario → users launched so far
    "completed": "BIGINT",
    "failed": "BIGINT",
    "skipped": "BIGINT",
    "errors": "VARCHAR",  # JSON: error → how often, as the engine counts them
    "unanswered": "VARCHAR",  # JSON: protocol → messages sent without waiting for a reply
}
_HOUR_NS = 3_600_000_000_000
_LATEST_NS = 2**62


def build_load_tables(building: Building) -> None:
    """Write the three tables of the load."""
    loads = building.run.loads()
    _build_requests(building, loads)
    path = building.scratch / "load_events.jsonl"
    events = ({**event, "load": load.name} for load in loads for event in read_lines(load.events))
    write_json_lines(path, events)
    json_table(building.connection, "raw_load_events", path, _EVENT_FIELDS)
    building.write("load_events")
    building.write("phases")


def _build_requests(building: Building, loads: list[LoadFolder]) -> None:
    files = {path: load.name for load in loads for path in _recorded(load)}
    of_sums = {entry.name for entry in building.manifest.loads if entry.engine == ENGINE}
    for load in loads:
        if not _recorded(load) and load.name not in of_sums:
            building.sources.append(
                Source(building.name_of(load.requests), problem=f"Load {load.name} left no request records.")
            )
    links = {_link(building, path, number): path for number, path in enumerate(files)}
    staged = building.scratch / "requests.parquet"
    problems: dict[Path, str] = {}
    try:
        _stage(building, links, files, staged)
    except duckdb.Error:  # a file cut short, or no gzip at all: DuckDB then reads none of it
        links, problems = _salvage(building, links)
        _stage(building, links, files, staged)
    read_parquet(building.connection, "staged", staged)
    counts = {row["file"]: row for row in rows(building.connection, "request_sources")}
    for link, path in links.items():
        count = counts.get(str(link), {"records": 0, "unreadable": 0, "implausible": 0})
        building.sources.append(
            Source(
                building.name_of(path),
                count["records"],
                count["unreadable"],
                count["implausible"],
                problems.get(path, ""),
                "cut" if path in problems else "",
            )
        )
    building.write("requests")


def _recorded(load: LoadFolder) -> list[Path]:
    if load.requests.is_file():
        return [load.requests]
    return sorted(load.request_parts.glob("*.jsonl"))  # the run ended before they were joined


def _link(building: Building, path: Path, number: int) -> Path:
    # A name of ours: load and file names may hold what DuckDB takes for a pattern.
    link = building.scratch / f"requests-{number}{'.jsonl.gz' if path.suffix == '.gz' else '.jsonl'}"
    link.symlink_to(path.resolve())
    return link


def _stage(building: Building, links: dict[Path, Path], files: dict[Path, str], staged: Path) -> None:
    """Read every line once, good or not, into one Parquet file."""
    connection = building.connection
    connection.execute("CREATE OR REPLACE TABLE request_files (filename VARCHAR, load VARCHAR)")
    for link, path in links.items():
        connection.execute("INSERT INTO request_files VALUES (?, ?)", [str(link), files[path]])
    empty = building.scratch / "none.jsonl"
    empty.touch()
    connection.execute("DROP VIEW IF EXISTS raw_requests")
    json_table(
        connection,
        "raw_requests",
        [*links, empty],
        {**REQUEST_FIELDS, **ANSWERED_FIELDS, **ACCEPTED_FIELDS, "kind": "VARCHAR"},
    )
    started_ns = building.manifest.started_ns
    plausible = {
        "earliest": max(0, started_ns - _HOUR_NS) if started_ns > 0 else 0,
        "latest": started_ns + 30 * 24 * _HOUR_NS if started_ns > 0 else _LATEST_NS,
    }
    connection.sql(query("requests_staged"), params=plausible).write_parquet(str(staged), compression="lz4")


def _salvage(building: Building, links: dict[Path, Path]) -> tuple[dict[Path, Path], dict[Path, str]]:
    saved: dict[Path, Path] = {}
    problems: dict[Path, str] = {}
    for number, path in enumerate(links.values()):
        target = building.scratch / f"salvaged-{number}.jsonl"
        if not salvage_lines(path, target):
            problems[path] = f"{building.name_of(path)} is cut short: what came before the cut was read."
        saved[target] = path
    return saved, problems
