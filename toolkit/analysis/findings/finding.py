"""What a rule says: that something is so, that it was looked for and is not, or that it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CERTAIN, LIKELY, PERHAPS = "certain", "likely", "perhaps"
CERTAINTIES = (CERTAIN, LIKELY, PERHAPS)


@dataclass(frozen=True)
class Span:
    """A time on the controller's clock, nanoseconds."""

    from_ns: int
    to_ns: int


@dataclass(frozen=True)
class Finding:
    """Something that stands out, with what shows it."""

    title: str
    """One sentence without its full stop."""
    certainty: str
    """certain: a count or a log line says so by itself; likely: it fits, and its rivals that were looked at do not; perhaps:
    it fits, and so may something else, or the samples are few."""
    evidence: list[str]
    """Sentences with the numbers that show it."""
    settle: str
    """A sentence: what would settle it, or what to look at first."""
    server: str | None = None
    span: Span | None = None
    """When; None: over the whole run."""
    lanes: tuple[str, ...] = ()
    """Columns of `Results.series` and `Results.server_series` that show it."""
    frames: tuple[str, ...] = ()
    """Frame labels, as in the flamegraphs."""
    counts: dict[str, float | int] = field(default_factory=dict)
    """The numbers by themselves, for scripts; units are in the names."""
    part: str = ""
    """The part of report.html that shows it: time, flames, requests, errors, trust, servers."""
    view: str = ""
    """Where the part is `flames`: the view to look at (wall, cpu, gil, off)."""
    same: str = ""
    """Tells findings of one rule on one server apart."""

    def row(self, rule: str) -> dict[str, Any]:
        """As it stands in `summary["findings"]["found"]`, but for its `id`."""
        return {
            "rule": rule,
            "title": self.title,
            "certainty": self.certainty,
            "server": self.server,
            "from_ns": self.span.from_ns if self.span else None,
            "to_ns": self.span.to_ns if self.span else None,
            "lanes": list(self.lanes),
            "frames": list(self.frames),
            "counts": {name: _short(value) for name, value in self.counts.items()},
            "evidence": self.evidence,
            "settle": self.settle,
            "part": self.part,
            "view": self.view,
        }


@dataclass(frozen=True)
class RuledOut:
    """It was looked for and is not there."""

    words: str
    """A sentence with the numbers that speak against it."""
    server: str | None = None


@dataclass(frozen=True)
class Unknown:
    """It could not be looked for."""

    words: str
    """A sentence: why, and what would make it possible."""
    server: str | None = None


Said = Finding | RuledOut | Unknown


def _short(value: float) -> float | int:
    return value if isinstance(value, int) else round(value, 4)
