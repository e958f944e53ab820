"""Asks Artillery's own validation before a run does."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from toolkit.engines.node import artillery_folder, find_node
from toolkit.errors import UsageError
from toolkit.recording.places import carried

if TYPE_CHECKING:
    from toolkit.engines.artillery_script import Script

TIMEOUT_S = 30.0


def validation_argv() -> list[str]:
    """The command that reads a script as JSON on its standard input and says what Artillery would refuse it for.

    Raises:
        UsageError: Node or Artillery is missing.
    """
    node, artillery = find_node(), artillery_folder()
    return [str(node.path), str(carried("loadtesting") / "lib" / "validate.cjs"), str(artillery)]


def artillery_refusal(script: Script) -> str:
    """What Artillery would refuse the file for, with its place; empty where it takes it, or cannot be asked."""
    try:
        argv = validation_argv()
    except UsageError:
        return ""  # said by `doctor` and by `launch`, each in its own words
    try:
        done = subprocess.run(
            argv,
            input=json.dumps(script.data, default=str),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    message = done.stdout.strip()
    if done.returncode != 0 or not message:
        return ""
    return f"{_place(script, message)}: Artillery refuses this: {message}."


def _place(script: Script, message: str) -> str:
    match = re.match(r'"([^"]+)"', message)
    steps = re.findall(r"[\w-]+", match[1]) if match else []
    return script.place(*(int(step) if step.isdigit() else step for step in steps))
