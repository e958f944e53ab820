"""A scenario file as Artillery will see it (environment, target and overrides laid over it), with the lines it came from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from toolkit.engines.phases import think_s

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.base import LoadJob

CODE_SUFFIXES = (".js", ".ts")
DATA_SUFFIXES = (".yml", ".yaml", ".json")
_SUFFIXES = ".yml, .yaml, .json, .js or .ts"
_VARIABLE = re.compile(r"\{\{\s*(?:(\$env|\$processEnvironment)\.)?([\w-]+)\s*\}\}")
_MOST_REQUEST_S = 600.0
_ENDLESS_S = 600.0


@dataclass(frozen=True)
class Script:
    """One parsed scenario file. `data` is what Artillery runs, `tree` what stands in the file."""

    file: Path
    data: dict[str, Any]
    tree: Any

    @property
    def config(self) -> dict[str, Any]:
        """The `config` section; empty where there is none."""
        config = self.data.get("config")
        return config if isinstance(config, dict) else {}

    @property
    def scenarios(self) -> list[Any]:
        """The `scenarios`; empty where there are none."""
        scenarios = self.data.get("scenarios")
        return scenarios if isinstance(scenarios, list) else []

    def place(self, *path: str | int) -> str:
        """`file:line` of what `path` leads to, or of the nearest thing above it that stands in the file."""
        node, line = self.tree, 0
        for step in path:
            position = _line_of(node, step)
            if position is None:
                break
            line, node = position, node[step]
        return f"{self.file}:{line + 1}"

    def longest_flow_s(self, ack_timeout_s: float = 10.0) -> float:
        """How long one user's flow may take when every think time is kept and answers are slow; generous."""
        timeout_s = self.config.get("timeout") or (self.config.get("http") or {}).get("timeout") or 10
        wait_s = max(float(timeout_s) if isinstance(timeout_s, int | float) else 10.0, ack_timeout_s)
        flows = [_flow_s(scenario.get("flow")) for scenario in self.scenarios if isinstance(scenario, dict)]
        return max(
            (1.5 * thinking + min(asking * wait_s, _MOST_REQUEST_S) for thinking, asking in flows),
            default=wait_s,
        )


def load_script(job: LoadJob) -> tuple[Script | None, list[str]]:
    """Parse a job's file; None and the mistakes where it cannot be parsed.

    A `.ts` or `.js` file is read by Artillery alone: None, and no mistake.
    """
    suffix = job.file.suffix.lower()
    if not job.file.is_file():
        what = "is a folder" if job.file.is_dir() else "does not exist"
        return None, [f"{job.file}: {what}. Name an Artillery file ({_SUFFIXES})."]
    if suffix in CODE_SUFFIXES:
        return None, []
    if suffix not in DATA_SUFFIXES:
        return None, [f"{job.file}: Artillery reads {_SUFFIXES} files only."]
    try:
        text = job.file.read_text(encoding="utf-8")
    except OSError as error:
        return None, [f"{job.file}: cannot be read: {error.strerror}."]
    except UnicodeDecodeError:
        return None, [f"{job.file}: is not UTF-8 text."]
    return _script(job, text)


def _script(job: LoadJob, text: str) -> tuple[Script | None, list[str]]:
    try:
        tree, data = _parsed(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        return None, [f"{job.file}{line}: is not YAML: {problem[:300]}."]
    if not isinstance(data, dict):
        return None, [f"{job.file}:1: has no `config` and `scenarios`: it is {_kind(data)}."]
    return Script(job.file, _effective(data, job), tree), []


@lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[Any, Any]:
    """With places and without; nobody changes either. A run asks a dozen times for each file, at 0.1 s a time."""
    return YAML(typ="rt").load(StringIO(text)), YAML(typ="safe", pure=True).load(StringIO(text))


def _effective(data: dict[str, Any], job: LoadJob) -> dict[str, Any]:
    config = data.get("config")
    if isinstance(config, dict):
        environments = config.get("environments")
        chosen = (
            environments.get(job.environment) if isinstance(environments, dict) and job.environment else None
        )
        if isinstance(chosen, dict):
            config = _merged(config, chosen)
        if job.target:
            config = {**config, "target": job.target}
        data = {**data, "config": config}
    return _resolved(_merged(data, job.overrides), job.variables)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """As Artillery lays overrides over a file: maps are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = base.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _resolved(data: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
    """Fill in what is known before the run where a value of a phase is nothing but one variable."""
    config = data.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("phases"), list):
        return data

    def fill(value: object) -> object:
        match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return value
        return (os.environ if match[1] else variables).get(match[2], value)

    phases = [
        {key: fill(value) for key, value in phase.items()} if isinstance(phase, dict) else phase
        for phase in config["phases"]
    ]
    return {**data, "config": {**config, "phases": phases}}


def _flow_s(flow: object) -> tuple[float, float]:
    """Seconds of think time, and the number of requests, of one flow."""
    thinking = asking = 0.0
    for step in flow if isinstance(flow, list) else []:
        if not isinstance(step, dict):
            continue
        inner = step.get("loop") or step.get("parallel")
        if inner is not None:
            times = _times(step)
            inner_thinking, inner_asking = _flow_s(inner)
            thinking += inner_thinking * times if times is not None else _ENDLESS_S
            asking += inner_asking * (times or 1)
        elif "think" in step:
            thinking += max(think_s(step["think"]) or 0.0, 0.0)
        else:
            asking += 1
    return thinking, asking


def _times(step: dict[str, Any]) -> float | None:
    if "parallel" in step:
        return 1.0
    count = str(step.get("count", "")).rsplit("-", 1)[-1] if step.get("count") != -1 else ""
    if isinstance(step.get("over"), list):
        return float(len(step["over"]))
    return float(count) if count.isdigit() else None


def _line_of(node: object, step: str | int) -> int | None:
    if isinstance(node, CommentedMap) and step in node:
        return int(node.lc.key(step)[0])
    if isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
        return int(node.lc.item(step)[0])
    return None


def _kind(data: object) -> str:
    return "empty" if data is None else f"a {type(data).__name__}"
