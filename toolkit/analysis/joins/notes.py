"""What a reader must know of how requests and lines were joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import has_table, rows
from toolkit.analysis.joins.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from toolkit.recording.manifest import Manifest

_MOST_PATHS = 4


def join_notes(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, bounds: dict[str, Any]
) -> list[str]:
    """Sentences; none where there was no load or no server."""
    if not bounds["requests"] or not manifest.servers:
        return []
    logs = rows(connection, "access_log_rows")
    sources = _sources(connection)
    names = [entry.name for entry in manifest.servers]
    found = [
        _without(name, sources.get(name, [])) for name in names if name not in {log["server"] for log in logs}
    ]
    for log in logs:
        found += _of_log(log)
    if bounds["other"]:
        found.append(
            "Requests on websockets and Socket.IO are joined by id alone: gunicorn logs no websocket, and no log has a line for "
            "a message."
        )
    return found + list(_doubts(connection, manifest))


def _sources(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """The logs that were followed, by server, those with the most lines first."""
    if not has_table(connection, "log_sources"):
        return {}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows(connection, "log_source_list"), key=lambda row: -row["lines"]):
        found.setdefault(row["server"], []).append(row)
    return found


def _without(name: str, sources: list[dict[str, Any]]) -> str:
    read = [source["path"] or "(unnamed)" for source in sources if source["lines"]]
    silent = [
        source["path"] or "(unnamed)" for source in sources if not source["lines"] and not source["note"]
    ]
    if read:
        said = (
            f"No access log of server {name} was recorded: no line of {_few(read)} could be read as one of an access log "
            "(access_format under servers[].logs in the plan tells its format)"
        )
    elif silent:
        said = f"No line of a log of server {name} was recorded: nothing was written to {_few(silent)}"
    else:
        said = f"No log of server {name} was recorded"
    return (
        f"{said}: what it did with a request is known only where a traceback or the end of a "
        "worker tells, and what never reached it cannot be told."
    )


def _few(paths: list[str]) -> str:
    shown = ", ".join(masked(path, 200) for path in paths[:_MOST_PATHS])
    more = len(paths) - _MOST_PATHS
    return f"{shown} and {more} more" if more > 0 else shown


def _of_log(log: dict[str, Any]) -> Iterator[str]:
    where = f"Server {log['server']}, {log['file']}"
    if not log["lines"]:
        yield f"{where}: nothing was written to this access log."
        return
    if log["layer"]:
        yield f"{where} is a second access log of that server: a request is looked for there if the first does not have it."
    if not log["by_id"]:
        told = "carries ids, but not those of the client" if log["with_id"] else "carries no request id"
        yield f"{where} {told}: requests are joined to it by method, path, status and time."
    if log["layer"]:
        return
    if not log["with_duration"]:
        yield f"{where} has no duration: a latency cannot be split into time in the server and time outside of it."
    elif log["whole_seconds"]:
        yield f"{where} has durations of whole seconds alone: too coarse to split a latency."


def _doubts(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> Iterator[str]:
    error_ns = max((entry.offset_error_ns for entry in manifest.servers), default=0)
    doubts = rows(connection, "join_doubts", {"error_ns": error_ns})[0]
    if doubts["early"]:
        yield (
            f"{doubts['early']:,} {'line was' if doubts['early'] == 1 else 'lines were'} written up to "
            f"{doubts['early_ms']:.1f} ms before the request with the same id began: the clocks differ by more than was measured."
        )
    if doubts["longer"]:
        yield (
            f"Of {doubts['longer']:,} requests the server's time is up to {doubts['longer_ms']:.1f} ms longer than the client's "
            "latency: it counts what it did after its answer had left; these are not split."
        )
    if doubts["in_front"]:
        yield f"{doubts['in_front']:,} requests stand in the log of something in front of gunicorn alone."
