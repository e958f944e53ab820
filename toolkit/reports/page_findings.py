"""The findings at the top of report.html, each with its evidence and links to what shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.reports.finding_words import PARTS, fragment, lanes_of, sorted_out, window_s
from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.page_numbers import clock

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

_MOST_WORDS = 600


def finding_words(results: Results, zero: float) -> dict[str, Any] | None:
    """`{"found": […], "ruled_out": […], "unknown": […], "left_out"}`; None for a summary without findings."""
    findings = results.summary.get("findings")
    if not findings:
        return None
    several = len(results.summary.get("servers", [])) > 1
    ruled_out, unknown = sorted_out(findings)
    return {
        "found": [_finding(row, zero, several=several) for row in findings["found"]],
        "ruled_out": [_aside(row, several=several) for row in ruled_out],
        "unknown": [_aside(row, several=several) for row in unknown],
        "left_out": findings["left_out"],
    }


def _finding(row: dict[str, Any], zero: float, *, several: bool) -> dict[str, Any]:
    window = window_s(row, zero)
    return {
        "id": row["id"],
        "title": _short(row["title"]),
        "certainty": row["certainty"],
        "healthy": row["rule"] == "healthy",
        "server": bounded(row["server"]) if row["server"] and several else "",
        "when": "" if window is None else f"{clock(window[0])} to {clock(window[1])}",
        "lanes": lanes_of(row),
        "frames": [bounded(frame) for frame in row["frames"]],
        "evidence": [_short(sentence) for sentence in row["evidence"]],
        "settle": _short(row["settle"]),
        "link": fragment(row, zero),
        "link_words": PARTS.get(row["part"], row["part"]),
    }


def _aside(row: dict[str, Any], *, several: bool) -> str:
    return _short(f"{row['server']}: {row['words']}" if several and row["server"] else row["words"])


def _short(text: str) -> str:
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}…"
