"""The part of summary.txt that says what stands out: it comes first after what Artillery's own report would say."""

from __future__ import annotations

from typing import Any

from toolkit.reports.finding_words import sorted_out, window_s
from toolkit.reports.terminal_text import printable, time_of


def finding_lines(summary: dict[str, Any]) -> list[str]:
    """A line a finding and its evidence below it; what was ruled out and what cannot be told as counts, with where they stand."""
    findings = summary.get("findings")
    if not findings:
        return []
    zero = summary["run"].get("zero_ns", summary["run"]["started_ns"]) / 1e9
    several = len(summary.get("servers", [])) > 1
    lines = ["", "Findings"]
    for number, row in enumerate(findings["found"], 1):
        where = f" on {row['server']}" if several and row["server"] else ""
        window = window_s(row, zero)
        when = f", {time_of(window[0])} to {time_of(window[1])}" if window else ""
        lines.append(f"  {number}. {printable(row['title'])} ({row['certainty']}{printable(where)}{when})")
        lines += [f"     - {printable(sentence)}" for sentence in row["evidence"]]
        lines.append(f"     What would settle it: {printable(row['settle'])}")
    if findings["left_out"]:
        lines.append(f"  and {findings['left_out']} more, less certain (summary.json)")
    if not findings["found"]:
        lines.append("  No rule found anything; too little was recorded to call the service healthy.")
    ruled_out, unknown = sorted_out(findings)
    if ruled_out or unknown:
        lines.append(
            f"  Looked for and ruled out: {len(ruled_out)}; cannot be told from this run: {len(unknown)} (postmortem.md has them)"
        )
    return lines
