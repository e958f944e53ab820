"""The part of summary.txt on a load of which there are only sums, in the place of Artillery's own report."""

from __future__ import annotations

from typing import Any

from toolkit.reports.terminal_text import fixed, number, printable, table

_TIMES = ("mean", "p50", "p75", "p90", "p95", "p99", "p999", "min", "max")


def aggregate_lines(summary: dict[str, Any]) -> list[str]:
    """In the shape of Artillery's report; nothing where every load has records."""
    lines: list[str] = []
    for entry in summary.get("aggregates") or ():
        lines += ["", *_head(entry)]
        rows = [*entry["names"], {**entry, "name": "all", "count": entry["answered"]}]
        body = [
            [printable(row["name"]), str(row["count"]), *(fixed(row[f"{one}_ms"]) for one in _TIMES)]
            for row in rows
        ]
        heads = ["", "answered", *("p99.9" if one == "p999" else one for one in _TIMES)]
        lines += [
            "",
            "Requests (response time in msec, by Artillery's sketches: to about 1 %)",
            *table(heads, body),
        ]
    return lines


def _head(entry: dict[str, Any]) -> list[str]:
    users, workers = entry["users"], entry["workers"]
    where = f" of {workers} workers" if workers else ""
    where += f" in {printable(entry['region'])}" if entry["region"] else ""
    lines = [
        f"Sums{where}, as Artillery told them ({printable(entry['load'])}; no single requests)",
        f"  Scenarios launched:  {users['created']}",
        f"  Scenarios completed: {users['completed']}",
        f"  Scenarios failed: {users['failed']}, skipped over maxVusers: {users['skipped']}",
        f"  Requests sent:       {entry['requests']}",
        f"  Requests completed:  {entry['answered']}",
        f"  Mean request/sec: {number(entry['rate_per_s'], 2)}",
        "  Codes:",
        *(f"    {printable(code)}: {count}" for code, count in entry["codes"].items()),
    ]
    if entry["errors"]:
        lines += [
            "  Errors:",
            *(f"    {printable(text)}: {count}" for text, count in entry["errors"].items()),
        ]
    return lines
