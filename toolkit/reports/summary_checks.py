"""The part of summary.txt that says what was checked, and what held."""

from __future__ import annotations

from typing import Any

from toolkit.reports.terminal_text import printable, table

_MARKS = {"failed": "!!", "skipped": "–"}


def check_lines(summary: dict[str, Any]) -> list[str]:
    """Every check with what was measured; nothing where nothing was checked."""
    checks = summary.get("checks") or {}
    rows = checks.get("rows") or []
    if not rows:
        return []
    lines = ["", f"Checks: {counted(checks)}"]
    lines += [f"  - {printable(row['reason'])}" for row in rows if row["verdict"] == "failed"]
    body = [
        [
            f"{_MARKS.get(row['verdict'], ''):2} {printable(row['name'])}",
            printable(f"{row['shown'] or '-'} {row['when']}".rstrip()),
            printable(row["limit"]),
            row["verdict"],
        ]
        for row in rows
    ]
    return lines + table(["   check", "measured", "limit", "verdict"], body, left=4, widest=60)


def stopped_by_a_check(summary: dict[str, Any]) -> bool:
    """Whether the load ended before its time because a check did not hold."""
    rows = (summary.get("checks") or {}).get("rows") or []
    return any(row["stopped"] for row in rows)


def counted(checks: dict[str, Any]) -> str:
    """`all 5 held`, `2 of 5 did not hold, 1 not looked at`."""
    judged = checks["held"] + checks["failed"]
    said = f"{checks['failed']} of {judged} did not hold" if checks["failed"] else f"all {judged} held"
    return f"{said}, {checks['skipped']} not looked at" if checks["skipped"] else said
