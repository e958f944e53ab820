"""What of the servers' logs goes into the summary: `summary["server_errors"]`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.joins.by_time import CLOSED
from toolkit.analysis.joins.evidence import worth_showing
from toolkit.analysis.joins.explanations import explanations
from toolkit.analysis.joins.masking import masked
from toolkit.analysis.joins.notes import join_notes
from toolkit.analysis.joins.traceback_groups import traceback_groups, traceback_series
from toolkit.recording.records import CANARY_AGENT

if TYPE_CHECKING:
    import duckdb

    from toolkit.recording.manifest import Manifest

CanaryAsked = tuple[str, int]
"""The path that the canary asked, and how often."""

_MOST_KINDS = 30
_MOST_PATHS = 10
_SHOWN = {"slow": 20, "failed": 100}
"""Of the requests worth showing, those in the summary."""
_QUANTILES = ("p50", "p95", "p99")


@dataclass(frozen=True)
class ServerErrors:
    """The servers' side of the load."""

    summary: dict[str, Any]
    """`summary["server_errors"]`."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """As `summary["slowest"]`, and more of them."""
    series: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Fingerprint → (epoch second, tracebacks in it), of the groups in the summary."""


def read_server_errors(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, canary: CanaryAsked = ("", 0)
) -> ServerErrors:
    """Read it from the tables.

    Keys of the summary: `joined`, `explanations`, `tracebacks`, `unseen`, `split`, `slowest`, `notes`.
    """
    bounds = rows(connection, "load_bounds")[0]
    groups = traceback_groups(connection)
    places = {group["fingerprint"]: _place(group) for group in groups}
    shown = worth_showing(connection, places)
    parts = rows(connection, "error_parts", {"most": _MOST_KINDS, "closed": list(CLOSED)})
    summary = {
        "joined": _joined(connection, bounds),
        "explanations": explanations(parts, places),
        "tracebacks": groups,
        "unseen": _unseen(connection, bounds, canary),
        "split": _split(connection),
        "slowest": [row for row in shown if row["rank"] <= _SHOWN[row["shown_as"]]],
        "notes": join_notes(connection, manifest, bounds),
    }
    series = traceback_series(connection, [group["fingerprint"] for group in groups])
    return ServerErrors(summary, shown, series)


def _place(group: dict[str, Any]) -> str:
    known_by = str(group["known_by"])
    return f"{known_by}; it may be text that was logged" if group["quoted"] == group["count"] else known_by


def _joined(connection: duckdb.DuckDBPyConnection, bounds: dict[str, Any]) -> dict[str, Any]:
    """Counts of HTTP requests; `other` is of websockets and Socket.IO."""
    found: dict[str, Any] = {
        "requests": bounds["http"],
        "id": {},
        "time": {},
        "none": bounds["http"],
        "other": 0,
    }
    for row in rows(connection, "join_counts"):
        if row["joined_by"] == "none":
            continue
        if row["http"]:
            found[row["joined_by"]][row["certainty"]] = row["requests"]
            found["none"] -= row["requests"]
        else:
            found["other"] += row["requests"]
    return found


def _unseen(
    connection: duckdb.DuckDBPyConnection, bounds: dict[str, Any], canary: CanaryAsked
) -> dict[str, Any]:
    """`{"known", "expected", "perhaps_same", "by_server": {…}, "by_client": {…}}`: what one side alone has seen.

    `by_client["calls"]`: repetitions by clients' own code, whose requests are among those that no client tells of.
    """
    counts = rows(connection, "unseen_counts")[0]
    requests = rows(connection, "unseen_requests") if counts["expected"] else []
    known = bool(counts["expected"])
    window = {"from_ns": bounds["from_ns"] or 0, "to_ns": bounds["to_ns"] or 0, "canary": CANARY_AGENT}
    lines = _without_canary(rows(connection, "unseen_lines", window), canary)
    other = [line for line in lines if line["whose"] == "other"]
    return {
        "known": known,
        "expected": counts["expected"],
        "perhaps_same": known and _meet(requests, other),
        "by_server": {
            "count": sum(row["requests"] for row in requests) if known else None,
            "answered": sum(row["answered"] for row in requests) if known else None,
            "unfinished": sum(row["unfinished"] for row in requests) if known else None,
            "refused": counts["refused"],
            "unknown": counts["unknown"],
            "paths": [
                {"method": row["method"], "path": _path(row["path"]), "count": row["requests"]}
                for row in requests[:_MOST_PATHS]
            ],
        },
        "by_client": {
            "calls": bounds["calls"],
            "count": sum(row["lines"] for row in other),
            "repeated": sum(line["lines"] for line in lines if line["whose"] == "repeated"),
            "websocket": sum(line["lines"] for line in lines if line["whose"] == "websocket"),
            "paths": [
                {"method": line["method"], "path": _path(line["path"]), "count": line["lines"]}
                for line in other[:_MOST_PATHS]
            ],
        },
    }


def _meet(requests: list[dict[str, Any]], lines: list[dict[str, Any]]) -> bool:
    """Without an id a line is given to a request by its time: one that was given to nobody may be that of one without a line."""
    answered = {(row["method"], row["path"]) for row in requests if row["answered"]}
    return bool(answered & {(line["method"], line["path"]) for line in lines})


def _without_canary(lines: list[dict[str, Any]], canary: CanaryAsked) -> list[dict[str, Any]]:
    """A log that tells neither the agent nor the id of a request: as many lines of its address as the canary asked."""
    path, asked = canary
    left = asked - sum(line["lines"] for line in lines if line["whose"] == "canary")
    found = []
    for line in lines:
        if line["whose"] == "other" and line["method"] == "GET" and line["path"] == path:
            taken = min(max(left, 0), line["lines"])
            left -= taken
            line = {**line, "lines": line["lines"] - taken}
        if line["whose"] != "canary" and line["lines"]:
            found.append(line)
    return found


def _path(path: str | None) -> str:
    return masked(path or "/", 200)


def _split(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    found = []
    for row in rows(connection, "latency_split"):
        said = {name: row[name] for name in ("load", "protocol", "name")} | {"count": row["requests"]}
        for part in ("server", "outside"):
            said[f"{part}_mean_ms"] = round(row[f"{part}_mean_ms"], 3)
            for quantile, value in zip(_QUANTILES, row[f"{part}_ms"], strict=True):
                said[f"{part}_{quantile}_ms"] = round(value, 3)
        found.append(said)
    return found
