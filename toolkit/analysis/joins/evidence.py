"""Requests worth showing, each with its lines of the servers' logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.joins.explanations import words
from toolkit.analysis.joins.masking import masked

if TYPE_CHECKING:
    import duckdb

_MOST_SLOW = 200
_MOST_FAILED = 1000
_LONGEST = 1000
_LONGEST_NAME = 300
_SHOWN = (
    "shown_as",
    "rank",
    "request_no",
    "load",
    "protocol",
    "scenario",
    "phase",
    "user",
    "start_ns",
    "end_ns",
    "latency_ms",
    "status",
    "failed",
    "slow",
    "joined_by",
    "certainty",
    "candidates",
    "server",
    "access_status",
    "server_ms",
    "outside_ms",
    "what",
    "what_certainty",
    "fingerprint",
    "traceback_certainty",
    "event",
    "event_pid",
    "event_certainty",
)
_NAMES = ("name", "method", "url", "request_id", "error")

Place = tuple[str, int, int]
"""Server, source, position."""


def worth_showing(connection: duckdb.DuckDBPyConnection, places: dict[str, str]) -> list[dict[str, Any]]:
    """Failed ones of each kind and the slowest, by `shown_as` ('failed', 'slow') and `rank`: what `joined` and `requests` say of
    them, `words` (what explains it) and `lines`: `{"role": "access" | "traceback" | "event" | "other", "server", "source",
    "file", "position", "t_ns", "t_low_ns", "t_high_ns", "kind", "event", "level", "pid", "exception", "place", "fingerprint",
    "text"}`; a line was written between t_low_ns and t_high_ns, and t_ns is as near as that is known.
    """
    found = rows(connection, "joined_worth", {"slow": _MOST_SLOW, "failed": _MOST_FAILED})
    wanted = {place for row in found for _, place in _places(row)}
    lines = _lines_at(connection, sorted(wanted)) if wanted else {}
    return [
        {name: row[name] for name in _SHOWN}
        | {name: None if row[name] is None else masked(row[name], _LONGEST_NAME) for name in _NAMES}
        | {
            "words": words(row, places),
            "lines": [{"role": role, **lines[place]} for role, place in _places(row) if place in lines],
        }
        for row in found
    ]


def _places(row: dict[str, Any]) -> list[tuple[str, Place]]:
    found = [
        (role, (row[f"{prefix}server"], row[f"{prefix}source"], row[f"{prefix}position"]))
        for role, prefix in (("access", ""), ("traceback", "traceback_"), ("event", "event_"))
        if row[f"{prefix}position"] is not None
    ]
    return found + [
        ("other", (line["server"], line["source"], line["position"])) for line in row["other_lines"] or []
    ]


def _lines_at(connection: duckdb.DuckDBPyConnection, wanted: list[Place]) -> dict[Place, dict[str, Any]]:
    servers, sources, positions = (list(column) for column in zip(*wanted, strict=True))
    asked = {"servers": servers, "sources": sources, "positions": positions}
    return {
        (line["server"], line["source"], line["position"]): {
            **line,
            "text": masked(line["text"] or "", _LONGEST),
        }
        for line in rows(connection, "lines_at", asked)
    }
