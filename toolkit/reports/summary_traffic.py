"""The part of summary.txt on records that were sent from files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from toolkit.reports.terminal_text import printable, table
from toolkit.reports.unknown_records import name_of

MOST_SHOWN = 10
UNKNOWN = "unknown: sent, perhaps in part, and no whole answer came, so that the service may have them or not"
COUNTS = ("records", "answered", "unknown", "unsent", "claimed", "invalid")


def traffic_lines(summary: dict[str, Any]) -> list[str]:
    """Counts by file, then what is unknown and what is invalid; nothing where no file was sent."""
    entries = summary["traffic"]
    if not entries:
        return []
    body = [[printable(entry["load"]), *(str(entry[name]) for name in COUNTS)] for entry in entries]
    lines = ["", f"Records sent from files, each once ({UNKNOWN})", *table(["", *COUNTS], body)]
    for entry in entries:
        lines += [f"  {printable(sentence)}" for sentence in sentences(entry)]
        lines += _unknown(entry)
        lines += _invalid(entry)
    return lines


def sentences(entry: dict[str, Any]) -> list[str]:
    """What there is to say of one file beside its counts."""
    said = [f"{entry['load']}: {entry['file']}, {entry['order']}"]
    if entry["statuses"]:
        counts = ", ".join(f"{count} with {status}" for status, count in entry["statuses"].items())
        said.append(f"{entry['load']}: answers of this run: {counts}")
    if entry["resumes"]:
        before = entry["before"] or {"answered": 0, "unknown": 0}
        said.append(
            f"{entry['load']}: goes on from {entry['resumes']}, where {before['answered']} were answered and "
            f"{before['unknown']} unknown"
        )
    if entry["unsent"]:
        said.append(
            f"{entry['load']}: {entry['unsent']} were not sent ({entry['claimed']} of them claimed by a process): "
            "load --resume with this run folder sends them"
        )
    return said


def when(nanoseconds: int) -> str:
    """A time of day in UTC; a dash where there is none."""
    if not nanoseconds:
        return "-"
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%H:%M:%S.%f")[:-3]


def _unknown(entry: dict[str, Any]) -> list[str]:
    rows = entry["unknown_records"][:MOST_SHOWN]
    body = [
        [
            printable(str(row["record"])),
            str(row["line"] or "-"),
            when(row["sent_ns"]),
            printable(row["request_id"]),
            printable(row["problem"]),
        ]
        for row in rows
    ]
    lines = table(["unknown", "line", "sent (UTC)", "request id", "why"], body, left=5, indent="    ")
    if entry["unknown"] > len(rows):
        lines.append(f"    … {entry['unknown']} in all: {printable(name_of(entry['load']))}")
    return lines


def _invalid(entry: dict[str, Any]) -> list[str]:
    rows = entry["invalid_records"][:MOST_SHOWN]
    lines = table(
        ["invalid", "line", "why"],
        [[str(row["record"]), str(row["line"]), printable(row["problem"])] for row in rows],
        left=3,
        indent="    ",
    )
    if entry["invalid"] > len(rows):
        lines.append(f"    … {entry['invalid']} in all: load/{printable(entry['load'])}/ledger/invalid.jsonl")
    return lines
