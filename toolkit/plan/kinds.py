"""What each kind of load means: its phases, with the defaults where the plan says nothing; decision 021."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.engines.k6.settings import K6Stage
from toolkit.engines.locust_options import LocustOptions, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.engines.k6.settings import K6Options
    from toolkit.plan.level import Level
    from toolkit.plan.model import Plan, Scenario

RAMP, STEADY, STEP, BEFORE, SPIKE, RECOVERY = "ramp", "steady", "step", "before", "spike", "recovery"
RECOVERY_PIECES = 4
"""Each is a phase, so that the report can say in which of them the service was well again."""
RECOVERY_LOAD = "-recovery"
"""The load that follows on a stress that broke is called as its scenario, and this."""
UNITS = {"artillery": "/s", "k6": "/s", "locust": " users"}
"""Engines whose load has a level; Artillery's users and k6's requests arrive at a rate, Locust's users are there."""
_HOUR_S = 3600.0


@dataclass(frozen=True)
class Phase:
    """So much load for so long. `begins` is the level that it rises from; None where it does not."""

    name: str
    role: str
    level: int
    duration_s: float
    begins: int | None = None


@dataclass(frozen=True)
class _Defaults:
    rate: int
    users: int
    duration_s: float
    ramp_s: float = 0.0
    steps: int = 20
    peak: float = 10.0
    recovery_s: float = 30.0


_DEFAULTS = {
    "load": _Defaults(5, 10, 60.0, ramp_s=10.0),
    "stress": _Defaults(5, 10, 10.0),
    "endurance": _Defaults(5, 10, _HOUR_S, ramp_s=30.0),
    "spike": _Defaults(2, 5, 10.0),
    "smoke": _Defaults(1, 1, 10.0),
}


def kind_of(plan: Plan) -> str:
    """The kind by its first name: soak is endurance."""
    return "endurance" if plan.kind == "soak" else plan.kind


def phases_of(plan: Plan, scenario: Scenario) -> tuple[Phase, ...]:
    """What the plan's kind means for a scenario; empty where its file, or what is laid over it, says it."""
    level, kind, unit = plan.load, kind_of(plan), UNITS.get(scenario.engine)
    if level is None or unit is None or _says_itself(scenario):
        return ()
    by_rate = scenario.engine != "locust"
    own = level.rate if by_rate else level.users
    if kind == "load" and own is None and scenario.engine != "k6":
        return ()
    if scenario.engine == "locust" and own is None and scenario.locust is not None:
        own = scenario.locust.users
    defaults = _DEFAULTS[kind]
    base = own or (defaults.rate if by_rate else defaults.users)
    return _MAKERS[kind](level, defaults, base, unit)


def recovery_of(plan: Plan, scenario: Scenario) -> tuple[Phase, ...]:
    """After a stress that broke: the first level again."""
    steps = phases_of(plan, scenario)
    if plan.load is None or not steps:
        return ()
    return _recovery(plan.load, _DEFAULTS["stress"], steps[0].level, RECOVERY)


def laid_over(plan: Plan, scenario: Scenario, *, recovery: bool = False) -> tuple[dict[str, Any], Any]:
    """A scenario's overrides and Locust's options, with the phases of the plan's kind in them."""
    phases = recovery_of(plan, scenario) if recovery else phases_of(plan, scenario)
    options = scenario.locust.options() if scenario.locust else None
    if not phases or scenario.engine == "k6":
        return scenario.overrides, options
    if scenario.engine == "locust":
        return scenario.overrides, replace(
            options or LocustOptions(), stages=tuple(_stage(phase) for phase in phases)
        )
    config = {**(scenario.overrides.get("config") or {}), "phases": [_artillery(phase) for phase in phases]}
    return {**scenario.overrides, "config": config}, options


def k6_options(plan: Plan, scenario: Scenario, *, recovery: bool = False) -> K6Options | None:
    """What k6 is given: the plan's requests, with the phases of the plan's kind as stages."""
    if scenario.k6 is None:
        return None
    phases = recovery_of(plan, scenario) if recovery else phases_of(plan, scenario)
    return scenario.k6.options(
        K6Stage(phase.name, phase.level, phase.duration_s, phase.begins) for phase in phases
    )


def shape_of(plan: Plan) -> dict[str, Any]:
    """`Manifest.shape` without its limits."""
    levels = []
    for scenario in plan.load.scenarios if plan.load else []:
        named = [(scenario.name, phase) for phase in phases_of(plan, scenario)]
        if kind_of(plan) == "stress":
            named += [(scenario.name + RECOVERY_LOAD, phase) for phase in recovery_of(plan, scenario)]
        levels += [
            {
                "load": load,
                "phase": phase.name,
                "role": phase.role,
                "level": phase.level,
                "unit": UNITS[scenario.engine].strip(),
                "planned_s": phase.duration_s,
            }
            for load, phase in named
        ]
    return {"kind": kind_of(plan), "levels": levels}


def _says_itself(scenario: Scenario) -> bool:
    if scenario.engine == "k6":  # a script of the user's
        return not (scenario.k6 and scenario.k6.requests)
    if scenario.engine == "locust":
        return bool(scenario.locust and scenario.locust.stages)
    config = scenario.overrides.get("config")
    return isinstance(config, dict) and bool(config.get("phases"))


def _steady(level: Level, defaults: _Defaults, base: int, _unit: str) -> tuple[Phase, ...]:
    ramp_s = defaults.ramp_s if level.ramp is None else level.ramp
    ramp = (Phase("ramp-up", RAMP, base, ramp_s, begins=1),) if ramp_s else ()
    return (*ramp, Phase("steady", STEADY, base, level.duration or defaults.duration_s))


def _stress(level: Level, defaults: _Defaults, base: int, unit: str) -> tuple[Phase, ...]:
    lasts_s, steps = level.duration or defaults.duration_s, level.steps or defaults.steps
    return tuple(Phase(f"{base * at}{unit}", STEP, base * at, lasts_s) for at in range(1, steps + 1))


def _spike(level: Level, defaults: _Defaults, base: int, _unit: str) -> tuple[Phase, ...]:
    lasts_s, peak = level.duration or defaults.duration_s, round(base * (level.peak or defaults.peak))
    return (
        Phase("before", BEFORE, base, 2 * lasts_s),
        Phase("spike", SPIKE, peak, lasts_s),
        *_recovery(level, defaults, base, "after"),
    )


def _smoke(level: Level, defaults: _Defaults, base: int, _unit: str) -> tuple[Phase, ...]:
    return (Phase("smoke", STEADY, base, level.duration or defaults.duration_s),)


def _recovery(level: Level, defaults: _Defaults, base: int, name: str) -> tuple[Phase, ...]:
    piece_s = (level.recovery or defaults.recovery_s) / RECOVERY_PIECES
    return tuple(Phase(f"{name} {at}", RECOVERY, base, piece_s) for at in range(1, RECOVERY_PIECES + 1))


_MAKERS: dict[str, Callable[[Level, _Defaults, int, str], tuple[Phase, ...]]] = {
    "load": _steady,
    "stress": _stress,
    "endurance": _steady,
    "spike": _spike,
    "smoke": _smoke,
}


def _artillery(phase: Phase) -> dict[str, Any]:
    """`rampTo` even where nothing rises: `arrivalRate` alone waits in a busy loop, which takes most of a core."""
    begins = phase.level if phase.begins is None else phase.begins
    lasts = f"{round(phase.duration_s * 1000)}ms"
    return {"name": phase.name, "duration": lasts, "arrivalRate": begins, "rampTo": phase.level}


def _stage(phase: Phase) -> Stage:
    spawn_rate = float(phase.level) if phase.begins is None else phase.level / phase.duration_s
    return Stage(phase.name, phase.level, spawn_rate, phase.duration_s)
