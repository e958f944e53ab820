"""Tracebacks by fingerprint: one example, how often, when, and beside which requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.joins.masking import masked

if TYPE_CHECKING:
    import duckdb

_MOST_GROUPS = 50
_MOST_LINKS = 6
_MOST_FRAMES = 20
_MOST_REQUESTS = 10
_LONGEST = 300


def traceback_groups(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The most frequent first: `fingerprint`, `known_by` ("TimeoutError at broker/client.py:61 publish"), `exception`, `message`
    (the most frequent), `place`, `count`, `quoted` (of these directly behind other text, of which they may be a part),
    `first_ns`, `last_ns`, `servers`, `example` (where the first stands), `chain`
    (outermost cause first: `exception`, `message`, `link`, `frames` of `file`, `line`, `function`, `code`), `requests` that
    they stand beside, and `requests_count`.
    """
    beside: dict[str, list[dict[str, Any]]] = {}
    for row in rows(connection, "traceback_requests"):
        beside.setdefault(row.pop("fingerprint"), []).append(row)
    found = []
    for row in rows(connection, "traceback_groups", {"most": _MOST_GROUPS}):
        example = row["example"]
        chain = example.pop("chain")
        its = beside.get(row["fingerprint"], [])
        found.append(
            {
                "fingerprint": row["fingerprint"],
                "known_by": _known_by(row),
                "exception": _short(row["exception"]),
                "message": _short(row["message"]),
                "place": _short(row["place"]),
                "count": row["tracebacks"],
                "quoted": row["quoted"],
                "first_ns": row["first_ns"],
                "last_ns": row["last_ns"],
                "servers": row["servers"],
                "example": example,
                "chain": _chain(chain),
                "requests": [
                    {**one, "error": _short(one["error"]), "name": _short(one["name"])}
                    for one in its[:_MOST_REQUESTS]
                ],
                "requests_count": sum(one["requests"] for one in its),
            }
        )
    return found


def traceback_series(
    connection: duckdb.DuckDBPyConnection, fingerprints: list[str]
) -> dict[str, list[tuple[int, int]]]:
    """Fingerprint → (epoch second, tracebacks in it), in order."""
    found: dict[str, list[tuple[int, int]]] = {}
    for row in rows(connection, "traceback_seconds", {"shown": fingerprints}):
        found.setdefault(row["fingerprint"], []).append((row["t"], row["tracebacks"]))
    return found


def _known_by(row: dict[str, Any]) -> str:
    exception = _short(row["exception"]) or "an exception"
    return f"{exception} at {_short(row['place'])}" if row["place"] else exception


def _short(text: str | None) -> str | None:
    return None if text is None else masked(text, _LONGEST)


def _chain(text: str | None) -> list[dict[str, Any]]:
    try:
        links = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return (
        [_link(link) for link in links[-_MOST_LINKS:] if isinstance(link, dict)]
        if isinstance(links, list)
        else []
    )


def _link(link: dict[str, Any]) -> dict[str, Any]:
    listed = link.get("frames")
    frames = (
        [frame for frame in listed if isinstance(frame, list) and len(frame) == 4]
        if isinstance(listed, list)
        else []
    )
    return {
        "exception": _short(_text(link.get("exception"))),
        "message": _short(_text(link.get("message"))),
        "link": _text(link.get("link")),
        "frames": [
            {
                "file": _short(_text(file)),
                "line": line,
                "function": _short(_text(function)),
                "code": _short(_text(code)),
            }
            for file, line, function, code in frames[-_MOST_FRAMES:]
        ],
        "frames_left_out": max(0, len(frames) - _MOST_FRAMES),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
