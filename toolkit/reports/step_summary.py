"""Renderer: step-summary.md, a page of Markdown that GitHub shows under a job; a run appends it to $GITHUB_STEP_SUMMARY."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from toolkit.reports.summary_checks import counted
from toolkit.reports.terminal_text import number, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results

_MARKS = {"held": "✅", "failed": "❌", "skipped": "–"}
_OUTCOMES = {"passed": "✅", "interrupted": "⚠️"}


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `step-summary.md`: outcome, figures, checks."""
    summary = results.summary
    run, totals, checks = summary["run"], summary["totals"], summary["checks"]
    lines = [
        f"### {_OUTCOMES.get(run['outcome'], '❌')} {_plain(run['plan'])}: {_plain(run['outcome'])}"
        + (f" (exit code {run['exit_code']})" if run["exit_code"] else ""),
        "",
    ]
    if run["reason"]:
        lines += [_plain(run["reason"]), ""]
    if totals["count"]:
        lines += [_figures(totals), ""]
    if checks["rows"]:
        lines += [f"Checks: {counted(checks)}.", "", "| | check | measured | limit |", "|---|---|---|---|"]
        lines += [_row(row) for row in checks["rows"]]
        lines.append("")
    yield results.run.step_summary.name, ("\n".join(lines) + "\n").encode()


def _figures(totals: dict[str, Any]) -> str:
    return (
        f"{totals['count']} requests, {number(totals['mean_responses_per_s'], 1)} answers/s, "
        f"p50 {number(totals['p50_ms'])} ms, p95 {number(totals['p95_ms'])} ms, p99 {number(totals['p99_ms'])} ms, "
        f"{totals['failed']} failed."
    )


def _row(row: dict[str, Any]) -> str:
    shown = " ".join(filter(None, [row["shown"] or "–", row["where"], row["when"]]))
    if row["verdict"] == "skipped" or (row["verdict"] == "failed" and not row["shown"]):
        shown = row["reason"]
    name = row["name"] if row["name"] == row["check"] else f"{row['name']}: {row['check']}"
    return f"| {_MARKS[row['verdict']]} | {_plain(name)} | {_plain(shown)} | {_plain(row['limit'])} |"


def _plain(text: object) -> str:
    """Text that is no Markdown and no HTML, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#!&~@])", r"\\\1", printable(str(text)))
