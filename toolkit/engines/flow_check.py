"""Mistakes in the steps of a flow."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from toolkit.engines.phases import number, think_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.engines.artillery_script import Script

Path = tuple[str | int, ...]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
COMMON = ("think", "log", "loop", "function")
STEPS = {
    "http": (*METHODS, *COMMON, "parallel"),
    "ws": ("connect", "send", "wait", *COMMON),
    "socketio": ("emit", *METHODS, *COMMON, "parallel"),
}
BESIDE = ("count", "over", "whileTrue", "loopValue", "loopElement", "limit", "name", "jitter")
BESIDE_EMIT = ("response", "acknowledge", "namespace")


def flow_mistakes(script: Script, scenario: dict[str, Any], engine: str, path: Path) -> Iterator[str]:
    """Each with its place. The steps of an engine that is not Artillery's own are left alone."""
    flow = scenario.get("flow")
    if not isinstance(flow, list) or not flow:
        yield f"{script.place(*path[:-1])}: this scenario has no `flow` (a list of steps)."
        return
    known = STEPS.get(engine)
    if known is None:
        return
    for at, step in _steps(flow, path):
        if isinstance(step, list):
            continue  # several steps shared by a YAML reference: Artillery flattens them
        if not isinstance(step, dict) or not step:
            yield f"{script.place(*at)}: a step must be a map with one key, such as `get:`."
            continue
        yield from _step(script, step, engine, known, at)


def flow_remarks(script: Script, scenario: dict[str, Any], path: Path) -> list[str]:
    """Pauses that Artillery cuts short, and responses that it waits out although they have come."""
    remarks: list[str] = []
    for at, step in _steps(scenario.get("flow"), path):
        if isinstance(step, dict) and "think" in step:
            remarks += _hasty(script, step["think"], at)
        response = step.get("response") if isinstance(step, dict) and "emit" in step else None
        if isinstance(response, dict) and "data" not in response and "args" not in response:
            remarks.append(
                f"{script.place(*at, 'response')}: a response without `data` holds the user for the whole timeout"
                " (config.timeout, 10 s). An acknowledgement, or `data`, goes on at once."
            )
    return remarks


def _steps(flow: object, path: Path) -> Iterator[tuple[Path, Any]]:
    for index, step in enumerate(flow if isinstance(flow, list) else []):
        yield (*path, index), step
        if isinstance(step, dict):
            for key in ("loop", "parallel"):
                yield from _steps(step.get(key), (*path, index, key))


def _step(
    script: Script, step: dict[str, Any], engine: str, known: tuple[str, ...], at: Path
) -> Iterator[str]:
    beside = (*BESIDE, *BESIDE_EMIT) if engine == "socketio" else BESIDE
    actions = [key for key in step if key in known]
    for key in step:
        if key not in known and key not in beside:
            near = get_close_matches(str(key), known, 1, 0.6)
            meant = f"Did you mean `{near[0]}`?" if near else f"It knows {', '.join(known)}."
            yield f"{script.place(*at, str(key))}: the {engine} engine has no step `{key}`. {meant}"
    if len(actions) > 1:
        yield (
            f"{script.place(*at, actions[1])}: `{actions[1]}` stands in the same step as `{actions[0]}`, and only one is played."
            " Begin it with its own `-`."
        )
    if "think" in step:
        yield from _think(script, step["think"], at)
    for key in actions:
        if key in METHODS:
            yield from _request(script, step, key, at)
    if "emit" in step:
        yield from _emit(script, step["emit"], at)


def _think(script: Script, value: object, at: Path) -> Iterator[str]:
    if isinstance(value, str) and "{{" in value:
        return
    if think_s(value) is None and number(value) is None:
        cure = "whole seconds, or a unit such as `200ms`"
        yield f"{script.place(*at, 'think')}: `think: {value}` is no time to Artillery. Write {cure}."


def _hasty(script: Script, value: object, at: Path) -> Iterator[str]:
    """Artillery takes a fraction of a second for milliseconds: it runs, but hardly waits."""
    amount = number(value)
    if think_s(value) is None and amount is not None:
        cure = f"`{round(amount * 1000)}ms`"
        yield f"{script.place(*at, 'think')}: `think: {value}` waits about 1 ms; {cure} waits as it reads."


def _request(script: Script, step: dict[str, Any], key: str, at: Path) -> Iterator[str]:
    params = step[key]
    if next(iter(step)) != key:
        yield f"{script.place(*at)}: `{key}` must be the first key of its step; Artillery takes the first for the method."
    elif not isinstance(params, dict) or not (params.get("url") or params.get("uri")):
        yield f"{script.place(*at, key)}: a `{key}` needs a `url`."


def _emit(script: Script, emit: object, at: Path) -> Iterator[str]:
    place = script.place(*at, "emit")
    if isinstance(emit, list):
        if not all(isinstance(value, str) for value in emit):
            yield f"{place}: a list after `emit` may hold strings only. Write `emit: {{ channel: …, data: … }}`."
    elif not isinstance(emit, dict) or not emit.get("channel"):
        yield f"{place}: `emit` needs a `channel`."
    else:
        for key in BESIDE_EMIT:
            if key in emit:
                yield f"{place}: Artillery passes over `{key}` inside `emit`. It stands beside it, in the same step."
