"""The demo without root: an ordinary user starts it and stops it.

That user cannot log in (its shell is nologin), so of the SSH server only the greeting is looked at.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
NOBODY = "nobody"
PROGRAM = """
import pathlib, socket, sys, urllib.request
from toolkit.demo.service import demo_status, start_demo, stop_demo

folder, ssh_kind = pathlib.Path(sys.argv[1]), sys.argv[2]
state = start_demo(folder, ssh_kind=ssh_kind)
try:
    print(urllib.request.urlopen(state.url + "/healthz").read().decode(), demo_status(folder) == state, state.ssh.kind)
    with socket.create_connection(("127.0.0.1", state.ssh.port), timeout=10) as connection:
        print(connection.recv(8).decode())
finally:
    print(stop_demo(folder), folder.exists())
"""

pytestmark = pytest.mark.needs_root


@functools.cache
def _python_for_nobody() -> tuple[str, str] | None:
    """A Python that the user may run, with its PYTHONPATH: ours may lie in a home folder that is closed to others."""
    site = next((path for path in sys.path if path.endswith("site-packages")), "")
    path = f"{ROOT}{os.pathsep}{site}"
    for python in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""):
        probe = [
            python,
            "-c",
            "import flask_sock, psutil, pydantic, toolkit, sys; print(sys.version_info[:2])",
        ]
        try:
            done = subprocess.run(
                probe,
                env={"PYTHONPATH": path},
                cwd="/",
                user=NOBODY,
                capture_output=True,
                text=True,
                timeout=30,
            )
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.strip() == str(sys.version_info[:2]):
            return python, path
    return None


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that is the user's own."""
    folder = Path(tempfile.mkdtemp(prefix="toolkit-demo-test-"))
    os.chown(folder, pwd.getpwnam(NOBODY).pw_uid, -1)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "kind", [pytest.param("openssh", marks=pytest.mark.needs_sshd), "asyncssh"], ids=["openssh", "embedded"]
)
def test_an_ordinary_user_starts_and_stops_it(home: Path, kind: str) -> None:
    python = _python_for_nobody()
    if python is None:
        pytest.skip(f"{NOBODY} can run no Python {sys.version_info[:2]} that finds this project's packages")
    environ = {"PYTHONPATH": python[1], "HOME": str(home), "PATH": os.environ["PATH"]}
    argv = [python[0], "-P", "-c", PROGRAM, str(home / "demo"), kind]
    done = subprocess.run(
        argv,
        env=environ,
        cwd=home,
        user=NOBODY,
        group=_group(),
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [f"ok True {kind}", "SSH-2.0-", "True False"], done.stderr
    assert list(home.iterdir()) == []
    left = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(home) in " ".join(process.info["cmdline"] or [])
    ]
    assert left == []


def _group() -> int:
    return pwd.getpwnam(NOBODY).pw_gid
