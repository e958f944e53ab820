"""What a kind has to show, in words and in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows

if TYPE_CHECKING:
    from toolkit.analysis.checks.measured import Given

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows of texts; the first column is a name."""

    title: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Shown:
    """`figures` is for scripts, the rest for people."""

    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def phases_with_role(given: Given, *roles: str) -> list[Row]:
    """`summary["phases"]` of these roles in order of start, each with its `role`, `level`, `unit` and `cut_off`."""
    levels = {(one["load"], one["phase"]): one for one in given.manifest.shape.get("levels") or []}
    cut = {(row["load"], row["phase"]): row["requests"] for row in rows(given.connection, "kind_cut")}
    found = []
    for phase in given.summary["phases"]:
        level = levels.get((phase["load"], phase["name"]))
        if level is not None and level["role"] in roles:
            named = {key: level[key] for key in ("role", "level", "unit")}
            found.append({**phase, **named, "cut_off": cut.get((phase["load"], phase["name"]), 0)})
    return sorted(found, key=lambda row: row.get("start_ns") or 0)


def failed_percent(phase: Row) -> float | None:
    """Of its requests that were not cut off at the end of the load; None where there was none."""
    whole = (phase.get("count") or 0) - phase["cut_off"]
    return (phase["failed"] - phase["cut_off"]) / whole * 100 if whole else None


def ms(value: float | None) -> str:
    """Milliseconds in words."""
    return "–" if value is None else f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def percent(value: float | None) -> str:
    """Percent in words."""
    return "–" if value is None else f"{value:.1f} %"


def per_second(phase: Row) -> str:
    """Requests a second that a phase started."""
    rate = phase.get("rate_per_s")
    return "–" if rate is None else f"{rate:,.1f}"


def level_words(phase: Row) -> str:
    """`20/s`, `20 users`."""
    space = "" if phase["unit"].startswith("/") else " "
    return f"{phase['level']}{space}{phase['unit']}"
