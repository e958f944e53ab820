"""Finds the Python that Locust runs on. Locust changes the standard library (gevent), so it is never imported here."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from toolkit.errors import UsageError

OLDEST = (2, 32)
CURE = "Run `make locust`, or `pip install locust==2.47.0` in this environment."
_ASK = "import importlib.metadata as m; print(m.version('locust'))"
_TIMEOUT_S = 30.0


def find_locust() -> tuple[str, str]:
    """(path of the Python, Locust's version): the one that `TOOLKIT_LOCUST_PYTHON` names, else the toolkit's own.

    Raises:
        UsageError: Locust is missing there, or too old.
    """
    named = os.environ.get("TOOLKIT_LOCUST_PYTHON")
    if named:
        found = _version_at(named)
        if found is None:
            raise UsageError(
                f"TOOLKIT_LOCUST_PYTHON names {named}, which is no Python that has Locust.",
                "Name the python of the environment that Locust is installed in.",
            )
        path = named
    else:
        path = sys.executable
        try:
            found = version("locust")
        except PackageNotFoundError:
            raise UsageError("Locust is not installed.", CURE) from None
    if _numbers(found) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"Locust {found} ({path}) is too old; {oldest} or newer is needed.", CURE)
    return path, found


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())


@lru_cache(maxsize=4)
def _version_at(python: str) -> str | None:
    try:
        done = subprocess.run(
            [python, "-c", _ASK], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
