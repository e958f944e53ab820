"""What systemd says of its units; nothing where there is no systemd."""

from __future__ import annotations

import os
import subprocess
from typing import Optional

_SYSTEMCTL = ("/usr/bin/systemctl", "/bin/systemctl")
_ANSWER_S = 5.0


def main_pid(unit: str) -> int:
    """The service's main process; 0 where there is no systemd or no such service."""
    said = _shown("MainPID", unit, False)
    return int(said) if said is not None and said.isdigit() else 0


def is_known(unit: str, users: bool) -> bool:
    """False where systemd says that there is no such unit.

    Args:
        unit: its name.
        users: a user's own unit.
    """
    return _shown("LoadState", unit, users) != "not-found"


def _shown(name: str, unit: str, users: bool) -> Optional[str]:
    program = next((path for path in _SYSTEMCTL if os.access(path, os.X_OK)), None)
    if program is None or unit.startswith("-"):
        return None
    try:
        done = subprocess.run(
            [program, *(["--user"] if users else []), "show", "-p", name, "--", unit],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=_ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    key, _, value = done.stdout.decode("ascii", "replace").strip().partition("=")
    return value if key == name else None
