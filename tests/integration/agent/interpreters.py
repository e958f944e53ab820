"""Other Pythons of this machine: the server's may be old or new."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest


def interpreter(version: str) -> str:
    """An interpreter of that version: pyenv's, else the one on PATH (which may be a shim without a Python behind it)."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # not HOME, which tests may have moved
    places = [str(path) for path in sorted(home.glob(f".pyenv/versions/{version}.*/bin/python"))]
    for python in (*reversed(places), shutil.which(f"python{version}") or ""):
        if python and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0:
            return python
    pytest.skip(f"no Python {version} here")
