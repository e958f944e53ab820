"""Asks Artillery's own validation before a run does."""

from __future__ import annotations

import json
import re
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from toolkit.engines.node import artillery_folder, find_node
from toolkit.errors import UsageError
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.artillery_script import Script

TIMEOUT_S = 30.0
_NOTHING: dict[str, Any] = {"refusal": "", "missing": {}, "parses": True}
_CHECKED = {".js", ".cjs", ".mjs"}


def validation_argv() -> list[str]:
    """The command that reads a script as JSON on its standard input and says what Artillery would refuse it for.

    Raises:
        UsageError: Node or Artillery is missing.
    """
    node, artillery = find_node(), artillery_folder()
    return [str(node.path), str(carried("loadtesting") / "lib" / "validate.cjs"), str(artillery)]


def artillery_refusals(script: Script) -> list[str]:
    """What Artillery would refuse the file for, and what it would die of, each with its place; empty where it cannot be asked."""
    said = _asked(script)
    refusal = said["refusal"]
    found = [f"{_place(script, refusal)}: Artillery refuses this: {refusal}."] if refusal else []
    return found if said["parses"] else [*found, *_processor_mistakes(script)]


def missing_plugins(script: Script) -> list[str]:
    """The plugins that Artillery would go on without, each with its place; empty where it cannot be asked."""
    return [
        f"{script.place('config', 'plugins', name)}: the plugin `{name}` is not installed (no package {package}): Artillery goes "
        "on without it."
        for name, package in _asked(script)["missing"].items()
    ]


def _asked(script: Script) -> dict[str, Any]:
    try:
        asked = {"script": script.data, "processor": str(_processor(script) or "")}
        return _said(tuple(validation_argv()), json.dumps(asked, default=str))
    except UsageError:
        return _NOTHING  # said by `doctor` and by `launch`, each in its own words


@lru_cache(maxsize=16)
def _said(argv: tuple[str, ...], text: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        return {**_NOTHING, **json.loads(done.stdout)} if done.returncode == 0 else _NOTHING
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return _NOTHING


def _processor(script: Script) -> Path | None:
    """The file's processor, where Node itself reads such a file."""
    name = script.config.get("processor")
    path = script.file.resolve().parent / name if isinstance(name, str) and "{{" not in name else None
    return path if path is not None and path.suffix in _CHECKED and path.is_file() else None


def _processor_mistakes(script: Script) -> list[str]:
    """What Node cannot parse of the file's processor: its users would die of it, one after another."""
    name, path = script.config.get("processor"), _processor(script)
    if path is None:
        return []
    try:
        argv = [str(find_node().path), "--check", str(path)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, UsageError, subprocess.TimeoutExpired):
        return []
    error = re.search(r"^\w*Error\b.*", done.stderr, re.MULTILINE)
    if done.returncode == 0 or error is None:
        return []
    line = re.search(re.escape(str(path)) + r":(\d+)", done.stderr)
    where = f"{name}:{line[1]}" if line else name
    return [f"{script.place('config', 'processor')}: the processor cannot be loaded: {where}: {error[0]}."]


def _place(script: Script, message: str) -> str:
    match = re.match(r'"([^"]+)"', message)
    steps = re.findall(r"[\w-]+", match[1]) if match else []
    return script.place(*(int(step) if step.isdigit() else step for step in steps))
