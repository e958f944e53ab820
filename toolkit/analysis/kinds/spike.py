"""A spike: what it did to the service, and when that was over.

`figures`: `{"phases": [{"phase", "load", "role", "level", "unit", "requests", "failed_percent", "p50_ms", "p95_ms"}],
"recovered": {load: seconds after the end of the spike, or None where it was not seen}}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.kinds.shown import (
    Shown,
    Table,
    failed_percent,
    level_words,
    ms,
    per_second,
    percent,
    phases_with_role,
)

if TYPE_CHECKING:
    from toolkit.analysis.checks.measured import Given

Row = dict[str, Any]
_FACTOR, _LEAST_MS, _MORE_FAILED = 1.5, 20.0, 2.0
"""As before again: a p95 of at most so many times that before, or so much above it; so many more percent of failures."""
_RULE = (
    f"as before: p95 at most {_FACTOR:g} times that before, or {_LEAST_MS:.0f} ms above it, and at most "
    f"{_MORE_FAILED:g} % more failed"
)


def show(given: Given) -> Shown:
    """Of each file: before, in the spike, after it."""
    phases = phases_with_role(given, "before", "spike", "recovery")
    sentences: list[str] = []
    recovered: dict[str, float | None] = {}
    for load in dict.fromkeys(phase["load"] for phase in phases):
        of_load = {
            role: [one for one in phases if (one["load"], one["role"]) == (load, role)] for role in _ROLES
        }
        if not all(of_load[role] and of_load[role][0]["count"] for role in ("before", "spike")):
            sentences.append(f"{load}: nothing was recorded before the spike, or in it.")
            continue
        before, spike = of_load["before"][0], of_load["spike"][0]
        recovered[load] = _recovered(before, spike, of_load["recovery"])
        sentences.append(
            f"{load}: from {level_words(before)} to {level_words(spike)}, p95 went from {ms(before['p95_ms'])} to "
            f"{ms(spike['p95_ms'])}, failures from {percent(failed_percent(before))} to {percent(failed_percent(spike))}."
        )
        after_s = recovered[load]
        sentences.append(
            f"{load}: it was not as before to the end ({_RULE})."
            if after_s is None
            else f"{load}: it was as before from {after_s:.0f} s after the spike on ({_RULE})."
        )
    return Shown(
        sentences, [_table(phases)] if phases else [], {"phases": _figures(phases), "recovered": recovered}
    )


_ROLES = ("before", "spike", "recovery")


def _recovered(before: Row, spike: Row, after: list[Row]) -> float | None:
    well = None
    for piece in reversed([one for one in after if one["count"]]):
        if not _as_before(before, piece):
            break
        well = piece
    return None if well is None else round(max(0.0, (well["start_ns"] - spike["end_ns"]) / 1e9), 1)


def _as_before(before: Row, piece: Row) -> bool:
    was, is_now = before["p95_ms"], piece["p95_ms"]
    if is_now is None or (was is not None and is_now > max(_FACTOR * was, was + _LEAST_MS)):
        return False
    return (failed_percent(piece) or 0.0) <= (failed_percent(before) or 0.0) + _MORE_FAILED


def _figures(phases: list[Row]) -> list[Row]:
    return [
        {
            "phase": phase["name"],
            **{key: phase[key] for key in ("load", "role", "level", "unit")},
            "requests": phase["count"],
            "failed_percent": failed_percent(phase),
            "p50_ms": phase.get("p50_ms"),
            "p95_ms": phase.get("p95_ms"),
        }
        for phase in phases
    ]


def _table(phases: list[Row]) -> Table:
    several = len({phase["load"] for phase in phases}) > 1
    rows = [
        [
            f"{phase['load']}: {phase['name']}" if several else phase["name"],
            level_words(phase),
            f"{phase['count']:,}",
            per_second(phase),
            percent(failed_percent(phase)),
            ms(phase.get("p50_ms")),
            ms(phase.get("p95_ms")),
        ]
        for phase in phases
    ]
    return Table(
        "Before, in and after the spike (by the phase in which a request was started)",
        ["", "level", "requests", "/sec", "failed", "p50", "p95"],
        rows,
    )
