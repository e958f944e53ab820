"""One thing that was looked at, and what it says of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JUDGED = "The numbers must not be used. "
"""How run.json's reason begins where it was this verdict that made the run invalid."""


@dataclass(frozen=True)
class Finding:
    """A row of "Can this be trusted?"."""

    key: str
    name: str
    value: str
    tone: str = "good"
    """good, warn or bad; none where there is nothing to judge."""
    words: str = ""
    reason: str = ""
    """A sentence: why the numbers are in doubt. Empty where they are not."""
    certain: bool = False
    """Whether they must not be used at all."""

    def row(self) -> dict[str, Any]:
        """As it stands in `summary["trust"]["rows"]`."""
        return {
            "key": self.key,
            "name": self.name,
            "value": self.value,
            "tone": self.tone,
            "words": self.words,
            "reason": self.reason,
        }


def verdict_of(findings: list[Finding]) -> str:
    """good, doubtful or invalid."""
    reasons = [finding for finding in findings if finding.reason]
    if any(finding.certain for finding in reasons):
        return "invalid"
    return "doubtful" if reasons else "good"


def reasons_of(findings: list[Finding]) -> list[str]:
    """Sentences, what is certain first, each once."""
    ordered = sorted((finding for finding in findings if finding.reason), key=lambda one: not one.certain)
    return list(dict.fromkeys(finding.reason for finding in ordered))


def percent(share: float) -> str:
    """`0.873` as `87 %`, small shares with a digit more."""
    value = share * 100
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"


def milliseconds(value: float | None) -> str:
    """`0.41 ms`, `18 ms`, `2,060 ms`."""
    if value is None:
        return "–"
    return f"{value:,.0f} ms" if abs(value) >= 10 else f"{value:.2g} ms"


def seconds(value: float) -> str:
    """`3 s`, `8.9 s`."""
    return f"{value:.1f} s".replace(".0 s", " s")
