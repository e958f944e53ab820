"""Which access logs there are, in which order they are believed, and which times they cover."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import has_table, json_table, rows, write_json_lines
from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from toolkit.analysis.building import Building
    from toolkit.recording.layout import ServerFolder

Interval = tuple[int, int]
"""From, to: nanoseconds on the controller's clock."""

_COLUMNS = {
    "server": "VARCHAR",
    "source": "INTEGER",
    "file": "VARCHAR",
    "layer": "INTEGER",
    "lines": "BIGINT",
    "with_id": "BIGINT",
    "with_duration": "BIGINT",
    "whole_seconds": "BOOLEAN",
}
_PROXY = re.compile(r"nginx|apache|httpd|haproxy|caddy|envoy|traefik", re.IGNORECASE)
_ALWAYS = 2**61
_LOGGED_LATER_NS = 250_000_000
"""So long after the client has its answer its line may be written."""
_SILENT_NS = 15_000_000_000
"""An agent that was heard so shortly before had not been lost."""


@dataclass
class _Block:
    """What is needed of one line of index.jsonl, on the controller's clock."""

    t_ns: int
    what: str
    since_ns: int | None = None
    """Of `dropped`: nothing that was written before it was lost."""


@dataclass(frozen=True)
class Covered:
    """When every server had a log that shows each request."""

    intervals: list[Interval]
    last_ns: int
    """Until when a request that was in work would have come into the logs."""


def build_access_logs(building: Building) -> Covered:
    """Write the table `access_logs`; return which times the logs cover.

    A server may have several logs that each show every request: gunicorn's, the application's, a proxy's. They are layers,
    0 first: a request is looked for in layer 0 of all servers together (it is in one of them), then in layer 1, and so on.
    A proxy's log comes last: it shows requests that gunicorn never got.
    """
    logs = rows(building.connection, "access_log_list")
    servers = {folder.name: folder for folder in building.run.servers()}
    written = _written(building)
    for name, folder in servers.items():
        known = {log["source"] for log in logs if log["server"] == name}
        # One of which no line could be read says nothing of any request: it is no access log that covers a time.
        logs += [
            _silent(name, source)
            for source in _access_sources(folder)
            if source["source"] not in known and not written.get((name, source["source"]))
        ]
    named = _named(building)
    for name in {log["server"] for log in logs}:
        its = [log for log in logs if log["server"] == name]
        # One that gunicorn has open or names is gunicorn's; one that only the plan names may be of what stands before it.
        foreign = {log["source"] for log in its if (name, log["source"]) in named}
        if len(foreign) == len(its):
            foreign = set()
        its.sort(key=lambda log: _rank(log, foreign=log["source"] in foreign))
        for layer, log in enumerate(its):
            log["layer"] = layer
    path = building.scratch / "access_logs.jsonl"
    write_json_lines(path, ({column: log[column] for column in _COLUMNS} for log in logs))
    json_table(building.connection, "raw_access_logs", path, _COLUMNS)
    building.write("access_logs")
    heard_ns = {name: _heard_until(building, folder) for name, folder in servers.items()}
    watched = [_covered_by(building, folder, logs, heard_ns[folder.name]) for folder in servers.values()]
    return Covered(_intersection(watched) if watched else [], min(heard_ns.values(), default=0))


def _named(building: Building) -> set[tuple[str, int]]:
    """(server, source) of the logs that the plan names."""
    if not has_table(building.connection, "log_sources"):
        return set()
    listed = rows(building.connection, "log_source_list")
    return {(row["server"], row["source"]) for row in listed if row["found"] == "named in the plan"}


def _written(building: Building) -> dict[tuple[str, int], int]:
    """(server, source) → lines in it."""
    if not has_table(building.connection, "log_sources"):
        return {}
    return {
        (row["server"], row["source"]): row["lines"] for row in rows(building.connection, "log_source_list")
    }


def _silent(server: str, source: dict[str, Any]) -> dict[str, Any]:
    """An access log in which nothing was written."""
    found = dict.fromkeys(("lines", "with_id", "with_duration"), 0)
    return {
        "server": server,
        "source": source["source"],
        "file": str(source.get("path") or ""),
        "whole_seconds": False,
        **found,
    }


def _access_sources(folder: ServerFolder) -> list[dict[str, Any]]:
    return [source for source in _listed(folder) if source.get("role") == "access" and not source.get("note")]


def _listed(folder: ServerFolder) -> list[dict[str, Any]]:
    """The lines of sources.json that can be understood."""
    try:
        said = json.loads(folder.log_sources.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    return [
        source
        for source in (said if isinstance(said, list) else [])
        if isinstance(source, dict) and isinstance(source.get("source"), int)
    ]


def _rank(log: dict[str, Any], *, foreign: bool) -> tuple[bool, bool, bool, bool, int, int]:
    half = log["lines"] / 2
    return (
        log["lines"] == 0,
        foreign or bool(_PROXY.search(log["file"] or "")),
        not log["with_id"] > half,
        not log["with_duration"] > half,
        -log["lines"],
        log["source"],
    )


def _covered_by(
    building: Building, folder: ServerFolder, logs: list[dict[str, Any]], heard_ns: int
) -> list[Interval]:
    """When one server's access logs were read without a gap."""
    blocks = _blocks(building, folder)
    journals = {source["source"] for source in _listed(folder) if source.get("kind") == "journal"}
    found: list[Interval] = []
    for log in logs:
        if log["server"] != folder.name:
            continue
        if its_blocks := blocks.get(log["source"]):
            # A file that was renamed is read on, and goes on as `rotated`; a journal's reader that ended reads no more.
            ends = ("limit", "gone") if log["source"] in journals else ("limit",)
            found += _without_gaps(its_blocks, heard_ns + _SILENT_NS, ends)
        elif log["lines"]:
            found.append((log["first_ns"], log["last_ns"]))
    return _union(found)


def _blocks(building: Building, folder: ServerFolder) -> dict[int, list[_Block]]:
    offset_ns = next((entry.offset_ns for entry in building.manifest.servers if entry.name == folder.name), 0)
    found: dict[int, list[_Block]] = {}
    for line in read_lines(folder.log_index):
        if type(line.get("t_ns")) is int and abs(line["t_ns"]) < _ALWAYS and type(line.get("source")) is int:
            since_ns = line["since_ns"] + offset_ns if type(line.get("since_ns")) is int else None
            found.setdefault(line["source"], []).append(
                _Block(line["t_ns"] + offset_ns, str(line.get("what")), since_ns)
            )
    return found


def _heard_until(building: Building, folder: ServerFolder) -> int:
    """Until when the agent was surely there. A calm log says nothing of that: without chunks and metrics it was, to the end."""
    signs = [
        int(row["last_ns"])
        for name, table in (("last_chunk", "chunks"), ("last_metrics", "metrics"))
        if has_table(building.connection, table)
        for row in rows(building.connection, name, {"server": folder.name})
        if row["last_ns"] is not None
    ]
    if not signs:
        return building.manifest.ended_ns or _ALWAYS
    signs += [block.t_ns for its in _blocks(building, folder).values() for block in its]
    return max(signs)


def _without_gaps(blocks: list[_Block], end_ns: int, ends: tuple[str, ...]) -> Iterator[Interval]:
    """`dropped` and `limit` lose what came since the block before; after those of `ends` nothing comes. The block before a
    `limit` may itself be cut: what did not fit is left out of it."""
    since: int | None = None
    before = earlier = 0
    for block in sorted(blocks, key=lambda block: block.t_ns):
        if block.what == "dropped" or block.what in ends:
            whole = earlier if block.what == "limit" else before
            if block.what == "dropped" and block.since_ns is not None:
                whole = max(whole, min(block.since_ns, block.t_ns) - _LOGGED_LATER_NS)
            if since is not None and whole > since:
                yield since, whole
            since = block.t_ns if block.what == "dropped" else None
        elif since is None and block.what in ("start", "data", "rotated", "truncated"):
            since = block.t_ns
        before, earlier = block.t_ns, before
    if since is not None:
        yield since, max(end_ns, before)


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _intersection(several: list[list[Interval]]) -> list[Interval]:
    found = several[0]
    for other in several[1:]:
        found = [
            (max(a[0], b[0]), min(a[1], b[1]))
            for a in found
            for b in other
            if max(a[0], b[0]) < min(a[1], b[1])
        ]
    return found
