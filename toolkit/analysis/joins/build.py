"""Requests and log_events → access_logs, joined: what a server's logs say of each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.analysis.building import Source
from toolkit.analysis.database import has_table, query, rows
from toolkit.analysis.joins.access_logs import build_access_logs
from toolkit.analysis.joins.by_time import CLOSED, LATE_STATUSES, MOST_REPEATS, join_by_time
from toolkit.analysis.joins.sites import make_sites
from toolkit.analysis.joins.tracebacks import join_tracebacks
from toolkit.analysis.joins.worker_ends import join_worker_ends
from toolkit.recording.records import CANARY_AGENT

if TYPE_CHECKING:
    from toolkit.analysis.building import Building
    from toolkit.analysis.joins.access_logs import Covered

UNSENT = ("ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL")
"""Errors of connections that were never made."""
MOST_SLOW = 2000

_MOST_LAYERS = 3
_LOGS_WHATEVER_COMES = 21
_MACROS = (
    "CREATE MACRO plain_path(path) AS if(contains(path, '%'), coalesce(try(url_decode(path)), path), path)",
    # A proxy may take the beginning of a path away, or put one before it.
    "CREATE MACRO alike(method, path, line_method, line_path) AS coalesce(method = line_method, true) "
    "AND coalesce(ends_with(path, line_path) OR ends_with(line_path, path), true)",
)


def build_joined(building: Building) -> None:
    """Write the tables `access_logs` and `joined`. Needs requests, chunks, log_events and worker_events."""
    connection = building.connection
    for macro in _MACROS:
        connection.execute(macro)
    covered = build_access_logs(building)
    sites = [*make_sites(building), None]
    connection.execute(query("join_requests"), {"unsent": list(UNSENT)})
    connection.execute(query("join_lines"), {"canary": CANARY_AGENT})
    connection.execute(
        "CREATE TABLE join_matches "
        "(request_no BIGINT, line_no BIGINT, layer INTEGER, joined_by VARCHAR, certainty VARCHAR, candidates BIGINT)"
    )
    error_ns = max((entry.offset_error_ns for entry in building.manifest.servers), default=0)
    _join_by_id(building)
    layers = rows(connection, "access_log_layers")[0]["layers"]
    for layer in range(min(layers, _MOST_LAYERS)):
        join_by_time(building, layer, error_ns, sites)
    connection.execute(query("join_best"))
    _make_origins(building, covered)
    known = rows(connection, "join_knowledge")[0]
    join_tracebacks(building, error_ns, sites, longest_ms=known["longest_ms"], last_ns=covered.last_ns)
    join_worker_ends(building, error_ns)
    _write(building, covered, known, error_ns)


def _join_by_id(building: Building) -> None:
    connection = building.connection
    connection.execute(query("join_repeated"))
    connection.execute(query("join_by_id"))
    connection.execute(query("join_id_pairs"), {"most": MOST_REPEATS})
    for _ in range(MOST_REPEATS):
        before = _matches(building)
        connection.execute(query("join_id_round"))
        if _matches(building) == before:
            break
    connection.execute(query("join_id_logs"))
    for row in rows(connection, "join_common_ids", {"most": MOST_REPEATS}):
        problem = (
            f"{row['requests']:,} requests share {row['ids']:,} request ids, such as {row['example'][:80]!r}: an id that so many "
            "share names none of them, and they were looked for in the server's logs by time."
        )
        building.sources.append(Source("joined", problem=problem))


def _matches(building: Building) -> int:
    return int(rows(building.connection, "join_match_count")[0]["matches"])


def _make_origins(building: Building, covered: Covered) -> None:
    """Which times and which addresses the access logs cover."""
    connection = building.connection
    connection.execute("CREATE TABLE join_covered (from_ns BIGINT, to_ns BIGINT)")
    if covered.intervals:
        connection.executemany("INSERT INTO join_covered VALUES (?, ?)", covered.intervals)
    parts = urlsplit(building.manifest.target)
    connection.execute(query("join_origins"), {"target": f"{parts.scheme}://{parts.netloc}"})


def _write(building: Building, covered: Covered, known: dict[str, Any], error_ns: int) -> None:
    connection = building.connection
    connection.execute(query("join_slow"), {"most": MOST_SLOW})
    connection.execute(query("join_others"), {"most": MOST_REPEATS})
    connection.execute(query("join_mixed"), {"late": list(LATE_STATUSES)})
    connection.execute("CREATE TABLE join_full (t_ns BIGINT)")
    if has_table(building.connection, "metrics"):
        connection.execute(query("join_full"))
    known = rows(connection, "join_knowledge")[0]
    building.write(
        "joined",
        {
            "last_ns": covered.last_ns,
            "error_ms": error_ns / 1e6 + 1,
            "longest_ms": known["longest_ms"],
            "queued_ns": _queued_ns(building),
            "stopped_ns": _stopped_ns(building),
            "logged": bool(covered.intervals),
            "ids": known["ids"],
            "unsent": list(UNSENT),
            "closed": list(CLOSED),
            "late": list(LATE_STATUSES),
            "forgets": any(_forgets(entry.facts.get("gunicorn")) for entry in building.manifest.servers),
        },
    )


def _forgets(gunicorn: object) -> bool:
    """Whether its access line comes only once the whole answer was sent: so before gunicorn 21 (workers' `handle_request`)."""
    version = gunicorn.get("version") if isinstance(gunicorn, dict) else None
    major = version.partition(".")[0] if isinstance(version, str) else ""
    return major.isdecimal() and int(major[:6]) < _LOGS_WHATEVER_COMES


def _queued_ns(building: Building) -> int:
    """From when on a request may have waited to be accepted until the recording ended."""
    empty_ns = (
        rows(building.connection, "join_queued")[0]["empty_ns"]
        if has_table(building.connection, "metrics")
        else None
    )
    return 2**62 if empty_ns is None else int(empty_ns)


def _stopped_ns(building: Building) -> int:
    """From when on no gunicorn was left on any server; later than everything where one was."""
    ends = [row["stopped_ns"] for row in rows(building.connection, "join_stopped")]
    if not ends or None in ends:
        return 2**62
    return int(max(ends))
