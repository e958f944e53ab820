"""Durations as Artillery reads them, and how long the phases of a file last together."""

from __future__ import annotations

import re

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_TIME = re.compile(
    r"(-?\d*\.?\d+) *(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)?",
    re.IGNORECASE,
)


def number(value: object) -> float | None:
    """What JavaScript makes a number of, of the kinds that stand in a scenario file; None where it does not."""
    if isinstance(value, bool) or value is None:
        return None
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def seconds(value: object) -> float | None:
    """A duration or pause: whole numbers are seconds, anything else needs a unit ("90s", "2m"); None where Artillery fails.

    A fraction without a unit is a trap: the number 1.5 stops the worker, and the text "1.5" is 1.5 ms.
    """
    whole = number(value)
    if whole is not None and whole.is_integer():
        return whole if whole > 0 else None
    if not isinstance(value, str):
        return None
    return _with_unit(value)


def think_s(value: object) -> float | None:
    """A think time: whole numbers are seconds, anything else needs a unit; None where Artillery has no use for it."""
    whole = number(value)
    if whole is not None and whole.is_integer():
        return whole
    return _with_unit(value) if isinstance(value, str) else None


def phase_s(phase: object) -> float:
    """How long one phase lasts; 0 where it does not say so (or only at run time)."""
    if not isinstance(phase, dict):
        return 0.0
    if phase.get("pause") is not None:
        return seconds(phase["pause"]) or 0.0
    return seconds(phase.get("duration")) or (1.0 if phase.get("rampTo") is not None else 0.0)


def planned_s(phases: object) -> float:
    """How long all phases last together; a file without phases has one user, who arrives within a second."""
    if not isinstance(phases, list) or not phases:
        return 1.0
    return sum(phase_s(phase) for phase in phases)


def _with_unit(text: str) -> float | None:
    match = _TIME.fullmatch(text)
    if match is None or not match[2]:
        return None
    unit = match[2].lower()
    key = unit if unit in _UNITS_S else ("ms" if unit.startswith(("mil", "mse")) else unit[0])
    return float(match[1]) * _UNITS_S[key]
