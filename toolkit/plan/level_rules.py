"""Words of a level that the plan's kind or its engines do not understand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.engines.cloud_options import PLACES
from toolkit.plan.k6 import SCRIPTS
from toolkit.plan.kinds import RECOVERY_LOAD
from toolkit.plan.names import scenario_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.plan.places import Location

    Mistake = tuple[Location, str]

_TIMED = ("load", "stress", "endurance", "soak", "spike", "smoke")
_OF_KINDS = {
    "duration": _TIMED,
    "order": _TIMED,
    "resume": _TIMED,
    **dict.fromkeys(("clients", "repetitions", "limit", "replicas", "scale"), ("capacity",)),
    "ramp": ("load", "endurance", "soak"),
    "steps": ("stress",),
    "peak": ("spike",),
    "recovery": ("stress", "spike"),
}
_OF_ENGINES = {
    "rate": (("artillery", "k6"), "an Artillery file, or requests for k6,"),
    "users": (("locust",), "a locustfile"),
}
_TIMES = ("spawn_rate", "run_time")
_NEED_LEVEL = ("duration", "ramp")


def broken_level_rules(data: dict[str, Any]) -> Iterator[Mistake]:
    """Every rule that a plan's `load:` breaks; whatever its fields hold, of whatever type."""
    kind, load = data.get("kind", "load"), data.get("load")
    if not isinstance(load, dict) or not isinstance(kind, str):
        return
    named = load.get("scenarios")
    scenarios = named if isinstance(named, list) else []
    engines = [_engine_of(scenario) for scenario in scenarios]
    yield from _of_words(kind, load, engines)
    for index, scenario in enumerate(scenarios):
        yield from _of_locust(kind, load, ("load", "scenarios", index, "locust"), scenario)
    yield from _of_clients(kind, load, scenarios)
    if kind in ("load", "capacity"):
        return
    for index, engine in enumerate(engines):
        if engine == "sender":
            yield (
                ("load", "scenarios", index),
                f"the engine sender has a rate: of its own, and no kind: {kind}",
            )
    if kind == "stress":
        yield from _of_stress(load, [scenario_name(scenario) for scenario in scenarios])


def _of_words(kind: str, load: dict[str, Any], engines: list[str]) -> Iterator[Mistake]:
    given = {key for key, value in load.items() if value is not None}
    for key in [key for key in _OF_KINDS if key in given and kind not in _OF_KINDS[key]]:
        yield ("load", key), f"kind: {kind} has no {key}; only {', '.join(_OF_KINDS[key])}"
    for key, (takers, words) in _OF_ENGINES.items():
        if key in given and engines and not set(takers) & set(engines):
            yield ("load", key), f"only {words} takes this, and there is none"
    if kind == "load" and not given & _OF_ENGINES.keys() and "k6" not in engines:
        for key in [key for key in _NEED_LEVEL if key in given]:
            yield ("load", key), "say how much, too: rate: of Artillery's files, users: of locustfiles"


def _of_locust(kind: str, load: dict[str, Any], place: Location, scenario: Any) -> Iterator[Mistake]:  # noqa: ANN401 - any YAML value
    """What is said of a locustfile by itself, and would be passed over."""
    own = scenario.get("locust") if isinstance(scenario, dict) else None
    if not isinstance(own, dict) or own.get("stages"):
        return
    if kind != "load":
        passed_over = [*_TIMES, *(["users"] if load.get("users") is not None else [])]
        words = f"kind: {kind} says this; load.users and load.duration change it"
    else:
        passed_over = [*_TIMES, "users"] if load.get("users") is not None else []
        words = "load.users, duration and ramp say this; name one or the other"
    for key in passed_over:
        if own.get(key) is not None:
            yield (*place, key), words


def _of_clients(kind: str, load: dict[str, Any], scenarios: list[Any]) -> Iterator[Mistake]:
    for index, scenario in enumerate(scenarios):
        place: Location = ("load", "scenarios", index)
        said = [
            key
            for key in ("call", "test")
            if isinstance(scenario, dict) and scenario.get(key) not in (None, "")
        ]
        said += ["test"] if isinstance(scenario, dict) and scenario.get("test") == "" else []
        if kind != "capacity":
            if said:
                yield (
                    (*place, said[0]),
                    "only kind: capacity repeats a function or tests; write kind: capacity",
                )
        elif not said:
            yield (
                place,
                "kind: capacity needs call: (a function in a Python file) or test: (of pytest; empty: all of the file)",
            )
        elif len(said) > 1:
            yield (*place, said[1]), "name call or test, not both"
        if isinstance(scenario, dict) and scenario.get("python") and not said:
            yield (*place, "python"), "only call and test take this"
    if kind == "capacity" and (load.get("replicas") is None) != (load.get("scale") is None):
        missing = "scale" if load.get("scale") is None else "replicas"
        yield ("load", missing), "replicas and scale belong together: name both or none"


def _of_stress(load: dict[str, Any], names: list[str]) -> Iterator[Mistake]:
    if load.get("order") == "sequential":
        yield ("load", "order"), "a stress raises all its files together; leave this out"
    for index, name in enumerate(names):
        if name and name + RECOVERY_LOAD in names:
            yield (
                ("load", "scenarios", index),
                f"{name}{RECOVERY_LOAD} is what a stress calls the load after it; give that scenario another name:",
            )


def _engine_of(scenario: Any) -> str:  # noqa: ANN401 - any YAML value
    file = scenario.get("file") if isinstance(scenario, dict) else scenario
    chosen = scenario.get("engine") if isinstance(scenario, dict) else None
    if isinstance(scenario, dict) and any(scenario.get(place) is not None for place in PLACES):
        return str(chosen or "artillery-cloud")
    if (isinstance(scenario, dict) and scenario.get("k6") is not None) or str(file or "").endswith(SCRIPTS):
        return str(chosen or "k6")
    return str(chosen or ("locust" if str(file or "").endswith(".py") else "artillery"))
