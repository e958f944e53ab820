"""Section "Checks" of report.html, from `summary["checks"]`."""

from __future__ import annotations

from typing import Any

from toolkit.reports.summary_checks import counted

_TONES = {"held": "good", "failed": "bad", "skipped": "none"}
_WORDS = {"held": "held", "failed": "did not hold", "skipped": "not looked at"}


def check_words(summary: dict[str, Any]) -> dict[str, Any] | None:
    """`{"tone", "words", "rows": [{"name", "check", "measured", "limit", "tone", "verdict", "words"}]}`, or None."""
    checks = summary.get("checks")
    if not checks or not checks["rows"]:
        return None
    return {
        "tone": "bad" if checks["failed"] else "good",
        "words": counted(checks),
        "rows": [_row(row) for row in checks["rows"]],
    }


def _row(row: dict[str, Any]) -> dict[str, str]:
    return {
        "name": row["name"],
        "check": row["check"] if row["check"] != row["name"] else "",
        "measured": row["shown"] or "–",
        "limit": row["limit"],
        "tone": _TONES[row["verdict"]],
        "verdict": _WORDS[row["verdict"]],
        "words": row["reason"] or " ".join(filter(None, [row["where"], row["when"]])),
    }
