"""Section "Can this be trusted?" of report.html, from `summary["trust"]`: its rows are shown as they are."""

from __future__ import annotations

from typing import Any

_VERDICTS = {
    "good": ("good", "Nothing was found that speaks against these numbers."),
    "doubtful": ("warn", "Read these numbers with care."),
    "invalid": ("bad", "Do not use the numbers of this run."),
}
_TONES = {"good", "warn", "bad"}


def trust_words(summary: dict[str, Any]) -> dict[str, Any] | None:
    """`{"verdict", "tone", "words", "reasons": […], "rows": [{"name", "value", "tone", "words"}]}`, or None."""
    trust = summary.get("trust")
    if not isinstance(trust, dict):
        return None
    verdict = str(trust.get("verdict", ""))
    tone, words = _VERDICTS.get(verdict, ("warn", ""))
    return {
        "verdict": verdict,
        "tone": tone,
        "words": words,
        "reasons": [str(reason) for reason in trust.get("reasons") or []],
        "rows": [_row(row) for row in trust.get("rows") or [] if isinstance(row, dict)],
    }


def _row(row: dict[str, Any]) -> dict[str, str]:
    value, tone = row.get("value"), str(row.get("tone", ""))
    return {
        "name": str(row.get("name", "")),
        "value": "–" if value is None else str(value),
        "tone": tone if tone in _TONES else "",
        "words": str(row.get("words") or ""),
    }
