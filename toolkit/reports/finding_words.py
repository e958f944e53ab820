"""Findings as every report shows them: when, in which lanes, and where in report.html."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

LANES = {
    "failed": "failed requests",
    "status_5xx": "5xx",
    "started": "requests started",
    "p95_ms": "p95",
    "workers_cpu": "CPU of the workers",
    "busy_by_cpu": "workers busy by CPU",
    "busy_workers": "busy workers",
    "busy_threads": "busy threads",
    "accept_queue": "accept queue",
    "workers": "workers",
    "born": "births",
    "died": "deaths",
    "workers_rss": "memory of the workers",
    "memory_available": "memory available",
    "swap_used": "swap",
    "connections_out": "connections to others",
    "cpu_user": "CPU, user",
    "cpu_system": "CPU, system",
    "cpu_steal": "CPU, stolen",
    "pressure_cpu_some": "time short of CPU",
    "pressure_memory_some": "time short of memory",
    "cgroup_cpu_throttled": "held back by the CPU limit",
}
PARTS = {
    "time": "over time",
    "flames": "flamegraph",
    "errors": "errors",
    "trust": "trust",
    "servers": "servers",
    "summary": "summary",
}
"""Sections of report.html → the text of a link to them."""


def window_s(row: dict[str, Any], zero_s: float) -> tuple[float, float] | None:
    """When, in seconds since the first second of the run; at least a second long."""
    if row["from_ns"] is None:
        return None
    from_s, to_s = round(row["from_ns"] / 1e9 - zero_s, 1), round(row["to_ns"] / 1e9 - zero_s, 1)
    return from_s, max(to_s, from_s + 1.0)


def fragment(row: dict[str, Any], zero_s: float) -> str:
    """The address of what shows it, within report.html: its window, and the view of the flamegraph; `#errors` without both."""
    window = window_s(row, zero_s)
    said = {}
    if window is not None and row["part"] in ("time", "flames"):
        said["w"] = f"{window[0]:g}..{window[1]:g}"
    if row["part"] == "flames" and row["view"]:
        said["f.view"] = row["view"]
        if row["server"]:
            said["f.server"] = row["server"]
    if not said:
        return f"#{row['part']}" if row["part"] else ""
    return "#" + urlencode({**said, "at": row["part"]})


def lanes_of(row: dict[str, Any]) -> str:
    """The lanes that show it, as the page names them."""
    return ", ".join(LANES.get(name, name) for name in row["lanes"])


def sorted_out(findings: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What was ruled out, and what could not be told."""
    return findings.get("ruled_out") or [], findings.get("unknown") or []
