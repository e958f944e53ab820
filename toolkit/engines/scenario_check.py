"""Mistakes in an Artillery file that would end the run, or spoil its numbers without a word."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from toolkit.engines.flow_check import flow_mistakes, flow_remarks
from toolkit.engines.phases import number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.engines.artillery_script import Script
    from toolkit.engines.base import LoadJob

TOP = ("config", "scenarios", "before", "after")
CONFIG = (
    *(
        "target",
        "phases",
        "payload",
        "variables",
        "processor",
        "plugins",
        "ensure",
        "apdex",
        "http",
        "tls",
        "engines",
    ),
    *(
        "environments",
        "ws",
        "socketio",
        "defaults",
        "timeout",
        "statsInterval",
        "mode",
        "engine",
        "pluginsScope",
        "bundling",
    ),
)
PHASE = ("duration", "arrivalRate", "arrivalCount", "rampTo", "maxVusers", "name", "pause", "mode")
PLUGINS = ("ensure", "expect", "apdex", "metrics-by-endpoint", "publish-metrics", "slack", "fake-data")
ENGINES = ("http", "ws", "socketio", "playwright")


def find_mistakes(script: Script, job: LoadJob) -> list[str]:
    """Each with its place (`file:line`), in the order of the file's sections."""
    return [
        *_typos(script, (), script.data, TOP),
        *_sections(script),
        *_typos(script, ("config",), script.config, CONFIG),
        *_target(script, job),
        *_phases(script),
        *_files(script),
        *_plugins(script),
        *_scenarios(script),
    ]


def find_remarks(script: Script) -> list[str]:
    """What runs, but not as it reads; each with its place."""
    remarks: list[str] = []
    for index, scenario in enumerate(script.scenarios):
        if isinstance(scenario, dict):
            remarks += flow_remarks(script, scenario, ("scenarios", index, "flow"))
    return remarks


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """` Did you mean `x`?`, or nothing where no known word is near."""
    near = get_close_matches(word, known, 1, 0.75)
    return f" Did you mean `{near[0]}`?" if near else ""


def _typos(
    script: Script, path: tuple[str | int, ...], section: dict[str, Any], known: tuple[str, ...]
) -> Iterator[str]:
    """Only keys that are nearly a known one: Artillery passes over the others, and people keep their own there."""
    for key in section:
        word = str(key)
        if word not in known and did_you_mean(word, known):
            yield f"{script.place(*path, word)}: Artillery passes over `{word}`.{did_you_mean(word, known)}"


def _sections(script: Script) -> Iterator[str]:
    if not isinstance(script.data.get("config"), dict):
        yield f"{script.place('config')}: there is no `config` section (target, phases)."
    scenarios = script.data.get("scenarios")
    if not isinstance(scenarios, list) or not scenarios:
        yield f"{script.place('scenarios')}: there are no `scenarios`; one user with one request is the least."


def _target(script: Script, job: LoadJob) -> Iterator[str]:
    environments = script.config.get("environments")
    names = tuple(map(str, environments)) if isinstance(environments, dict) else ()
    if job.environment and job.environment not in names:
        listed = f" There are: {', '.join(names)}." if names else " It has none."
        yield (
            f"{script.place('config', 'environments')}: there is no environment `{job.environment}` in this file."
            f"{did_you_mean(job.environment, names) or listed}"
        )
    target = script.config.get("target")
    if not target:
        if script.config:
            yield f"{script.place('config')}: no `target` is given, here or by the plan."
    elif not isinstance(target, str) or ("{{" not in target and "://" not in target):
        yield f"{script.place('config', 'target')}: the target `{target}` is not a URL. Write `http://{target}`."


def _phases(script: Script) -> Iterator[str]:
    phases = script.config.get("phases")
    if phases is None:
        return
    if not isinstance(phases, list) or not all(isinstance(phase, dict) for phase in phases):
        yield f"{script.place('config', 'phases')}: `phases` must be a list of maps (`- duration: 60`)."
        return
    for index, phase in enumerate(phases):
        path = ("config", "phases", index)
        yield from _typos(script, path, phase, PHASE)
        for key, problem in _phase(phase):
            yield f"{script.place(*path, key)}: {problem}"
    if not any(_makes_users(phase) for phase in phases):
        yield f"{script.place('config', 'phases')}: no phase makes a user arrive; Artillery would wait for ever."


def _makes_users(phase: dict[str, Any]) -> bool:
    return any(phase.get(key) not in (None, 0) for key in ("arrivalRate", "arrivalCount", "rampTo"))


def _phase(phase: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong) of one phase. A value with a placeholder is known at run time only."""
    for key in ("duration", "pause"):
        value = phase.get(key)
        if value is not None and not _late(value) and seconds(value) is None:
            yield (
                key,
                f"`{key}: {value}` is no duration to Artillery. Write whole seconds, or a unit: `1500ms`, `90s`, `2m`.",
            )
    for key in ("arrivalRate", "arrivalCount", "rampTo", "maxVusers"):
        value = phase.get(key)
        if value is not None and not _late(value):
            yield from _count(key, value, ramps=phase.get("rampTo") is not None)
    if "pause" in phase:
        return
    if not any(key in phase for key in ("arrivalRate", "arrivalCount", "rampTo")):
        yield (
            "duration",
            "this phase has neither arrivalRate, arrivalCount, rampTo nor pause: Artillery leaves it out.",
        )
    elif "duration" not in phase and "rampTo" not in phase:
        yield "arrivalRate", "this phase has no `duration`: its users would arrive for ever."


def _count(key: str, value: object, *, ramps: bool) -> Iterator[tuple[str, str]]:
    count = number(value)
    if count is None or count < 0:
        yield key, f"`{key}: {value}` must be a number of at least 0."
    elif not count.is_integer() and not (ramps and key in ("arrivalRate", "rampTo")):
        yield (
            key,
            (
                f"`{key}: {value}` stops Artillery with an AssertionError: it must be whole."
                " For less than one user a second use `arrivalCount` over a `duration`."
            ),
        )


def _late(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


def _files(script: Script) -> Iterator[str]:
    config = script.config
    processor = config.get("processor")
    if isinstance(processor, str) and not _late(processor):
        path = script.file.resolve().parent / processor
        if not any(path.with_name(path.name + end).exists() for end in ("", ".js", ".cjs", ".json")):
            yield f"{script.place('config', 'processor')}: the processor {processor} is not beside the file."
    payload = config.get("payload")
    several = isinstance(payload, list)
    for index, spec in enumerate(payload if isinstance(payload, list) else [payload] if payload else []):
        name = spec.get("path") if isinstance(spec, dict) else None
        at: tuple[str | int, ...] = ("config", "payload", index) if several else ("config", "payload")
        if not isinstance(name, str):
            yield f"{script.place(*at)}: a payload needs the `path` of a CSV file."
        elif not _late(name) and not (script.file.resolve().parent / name).is_file():
            yield f"{script.place(*at, 'path')}: the payload file {name} is not beside the scenario file."


def _plugins(script: Script) -> Iterator[str]:
    plugins = script.config.get("plugins")
    if isinstance(plugins, dict):
        yield from _typos(script, ("config", "plugins"), plugins, PLUGINS)


def _scenarios(script: Script) -> Iterator[str]:
    extra = script.config.get("engines")
    engines = (*ENGINES[:3], *(map(str, extra) if isinstance(extra, dict) else ()))
    weights: list[float] = []
    for index, scenario in enumerate(script.scenarios):
        path: tuple[str | int, ...] = ("scenarios", index)
        if not isinstance(scenario, dict):
            yield f"{script.place(*path)}: a scenario must be a map with a `flow`."
            continue
        engine = scenario.get("engine") or script.config.get("engine") or "http"
        if engine not in engines:
            yield (
                f"{script.place(*path, 'engine')}: there is no engine `{engine}`."
                f"{did_you_mean(str(engine), engines) or ' Others must be listed in config.engines.'}"
            )
        weight = scenario.get("weight", 1)
        known = number(weight)
        if not _late(weight) and (known is None or known < 0 or not known.is_integer()):
            yield f"{script.place(*path, 'weight')}: `weight: {weight}` counts as {int(known or 0)}; it must be whole."
        weights.append(1.0 if known is None else known)
        yield from flow_mistakes(script, scenario, str(engine), (*path, "flow"))
    if weights and not any(weights):
        yield f"{script.place('scenarios')}: every scenario has weight 0: none would be played."
