"""A stress: at which step errors, latency or a queue broke, and whether the service recovered.

`figures`: `{"broke": {"step" (from 1), "phase", "load", "level", "unit", "by": [BREAK]} or None, "first": {family: the same},
"held": {"level", "unit"} or None (the last step before), "steps": [{"step", "phase", "load", "level", "unit", "requests",
"per_s", "failed_percent", "p50_ms", "p95_ms", "broke": [BREAK]}], "recovered": true, false or None (not looked, or too few
requests), "recovered_after_s"}`; BREAK: `{"family", "check", "measured"}`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from toolkit.analysis.checks.measured import Measured
from toolkit.analysis.checks.measures import MEASURES
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
from toolkit.checks.grammar import parse

if TYPE_CHECKING:
    from toolkit.analysis.checks.measured import Given
    from toolkit.checks.check import Check

Row = dict[str, Any]
_FEWEST = 5
"""Requests of a piece of the recovery; of fewer nothing is said."""


def show(given: Given) -> Shown:
    """Each step is judged by its own requests: those that it started, however late they ended."""
    limits = [(entry, parse(entry["check"])) for entry in given.manifest.shape.get("limits") or []]
    steps = _steps(given, limits)
    broken = [step for step in steps if step["broke"]]
    broke = broken[0] if broken else None
    first = {
        family: next(step for step in broken if family in _families(step))
        for family in dict.fromkeys(family for step in broken for family in _families(step))
    }
    held = _held(steps, broke)
    recovered, after_s = _recovery(given, [check for _, check in limits]) if broke else (None, None)
    named = [step for step in (broke, *first.values()) if step is not None]
    figures = {
        "broke": _named(broke),
        "first": {family: _named(step) for family, step in first.items()},
        "held": held and {"level": held["level"], "unit": held["unit"]},
        "steps": steps,
        "recovered": recovered,
        "recovered_after_s": after_s,
    }
    if not steps:
        return Shown(_without_steps(given), [], figures)
    sentences = [*_broke_words(steps, broke, first, held), *_recovery_words(bool(named), recovered, after_s)]
    sentences.append(f"Limits: {'; '.join(check.text for _, check in limits)}.")
    return Shown(sentences, [_table(steps)], figures)


def _without_steps(given: Given) -> list[str]:
    """Of scenarios that say their phases themselves."""
    entries = given.manifest.shape.get("limits") or []
    ended = [f"{one['check']} did not hold, which ended the load." for one in entries if one.get("aborted")]
    return [
        "No request of a step was recorded: the scenarios have phases of their own, or it ended before.",
        *ended,
    ]


def _steps(given: Given, limits: list[tuple[Row, Check]]) -> list[Row]:
    """With several files each has its row; steps count by level."""
    phases = phases_with_role(given, "step")
    numbers = {
        (load, phase["name"]): at
        for load in {phase["load"] for phase in phases}
        for at, phase in enumerate((one for one in phases if one["load"] == load), 1)
    }
    return [
        {
            "step": numbers[phase["load"], phase["name"]],
            "phase": phase["name"],
            "load": phase["load"],
            "level": phase["level"],
            "unit": phase["unit"],
            "requests": phase["count"],
            "per_s": phase.get("rate_per_s"),
            "failed_percent": failed_percent(phase),
            "p50_ms": phase.get("p50_ms"),
            "p95_ms": phase.get("p95_ms"),
            "broke": _breaks(given, limits, phase),
        }
        for phase in phases
    ]


def _breaks(given: Given, limits: list[tuple[Row, Check]], phase: Row) -> list[Row]:
    found = []
    for entry, check in limits:
        value = _measured(given, check, phase).value
        if value is None and (seen := _seen_live(entry, phase)) is not None:
            value = seen
        if value is not None and not check.holds(value):
            found.append(
                {"family": entry["family"], "check": check.text, "measured": check.unit.written(value)}
            )
    return found


def _measured(given: Given, check: Check, phase: Row) -> Measured:
    """The check of the requests of one phase; of a server, while it lasted."""
    tags = (*check.tags, ("phase", phase["name"]))
    if check.quantity.source == "requests" and check.tag("scenario") is None:
        tags = (*tags, ("scenario", phase["load"]))
    try:
        return MEASURES[check.quantity.source](replace(check, tags=tags), given)
    except duckdb.Error as error:
        return Measured(problem=str(error).splitlines()[0])


def _seen_live(entry: Row, phase: Row) -> float | None:
    """What ended the steps, where the phase alone is too short to be judged: a window that ended in it."""
    seen = entry.get("aborted")
    if not isinstance(seen, dict) or not phase.get("start_ns"):
        return None
    inside = phase["start_ns"] < seen["to_ns"] <= phase["end_ns"]
    return float(seen["value"]) if inside else None


def _families(step: Row) -> list[str]:
    return [one["family"] for one in step["broke"]]


def _held(steps: list[Row], broke: Row | None) -> Row | None:
    before = steps if broke is None else [step for step in steps if step["step"] < broke["step"]]
    return before[-1] if before else None


def _named(step: Row | None) -> Row | None:
    if step is None:
        return None
    return {key: step[key] for key in ("step", "phase", "load", "level", "unit")} | {"by": step["broke"]}


def _recovery(given: Given, limits: list[Check]) -> tuple[bool | None, float | None]:
    """The limits over each piece as a whole; recovered: from which piece on none broke."""
    pieces = phases_with_role(given, "recovery")
    judged = [(piece, _holds(given, limits, piece)) for piece in pieces]
    if not judged or all(holds is None for _, holds in judged):
        return None, None
    well = None
    for piece, holds in reversed(judged):
        if holds is False:
            break
        well = piece if holds else well
    if well is None:
        return False, None
    fell_ns = max((step["end_ns"] for step in phases_with_role(given, "step")), default=well["start_ns"])
    return True, round(max(0.0, (well["start_ns"] - fell_ns) / 1e9), 1)


def _holds(given: Given, limits: list[Check], piece: Row) -> bool | None:
    if (piece.get("count") or 0) < _FEWEST:
        return None
    for check in limits:
        measured = _measured(given, replace(check, window_s=None), piece)
        if measured.value is not None and not check.holds(measured.value):
            return False
    return True


def _broke_words(steps: list[Row], broke: Row | None, first: dict[str, Row], held: Row | None) -> list[str]:
    if broke is None:
        return [f"No limit broke: {level_words(steps[-1])} was the last step."]
    before = f", {level_words(held)} held" if held else ""
    words = [f"Broke at step {broke['step']}, {level_words(broke)}{before}."]
    for family, step in first.items():
        by = next(one for one in step["broke"] if one["family"] == family)
        words.append(
            f"{family.capitalize()} broke at step {step['step']}, {level_words(step)}: {by['check']} was {by['measured']}."
        )
    return words


def _recovery_words(broke: bool, recovered: bool | None, after_s: float | None) -> list[str]:
    if not broke:
        return []
    if recovered is None:
        return ["Whether it recovers is not known: too few requests followed."]
    if not recovered:
        return ["It did not recover: at the first level again, a limit was broken to the end."]
    return [
        f"It recovered: at the first level again, all limits held from {after_s:.0f} s after the break on."
    ]


def _table(steps: list[Row]) -> Table:
    several = len({step["load"] for step in steps}) > 1
    rows = [
        [
            f"{step['load']}: {level_words(step)}" if several else level_words(step),
            str(step["step"]),
            f"{step['requests']:,}",
            per_second({"rate_per_s": step["per_s"]}),
            percent(step["failed_percent"]),
            ms(step["p50_ms"]),
            ms(step["p95_ms"]),
            ", ".join(dict.fromkeys(_families(step))) or "held",
        ]
        for step in steps
    ]
    return Table(
        "Steps (by the step in which a request was started)",
        ["level", "step", "requests", "/sec", "failed", "p50", "p95", "broke"],
        rows,
    )
