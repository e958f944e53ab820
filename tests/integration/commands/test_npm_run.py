"""`npm run profile:python` as a user types it: in a terminal, with the virtual environment active, ended by Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import Gunicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    with Gunicorn(tmp_path_factory.mktemp("service"), "gthread", 1) as gunicorn:
        yield gunicorn


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_ends_it_calmly_and_the_flamegraph_is_there(
    service: Gunicorn, tmp_path: Path, presses: int
) -> None:
    if shutil.which("npm", path=PATH) is None:
        pytest.skip("there is no npm")
    shutil.copy(ROOT / "package.json", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    code, said = _in_a_terminal(
        ["npm", "run", "profile:python", "--", "--gunicorn", f"pid={service.pid}"], tmp_path, presses
    )
    assert code == 0, said
    for bad in ("Traceback", "Stopped by", "npm error", "KeyboardInterrupt"):
        assert bad not in said
    assert f"Flamegraph: profile-{service.pid}.svg" in said
    assert b"</svg>" in (tmp_path / f"profile-{service.pid}.svg").read_bytes()


def _in_a_terminal(argv: list[str], cwd: Path, presses: int) -> tuple[int, str]:
    """Run to its end; as soon as samples are counted, press Ctrl-C so many times."""
    ours, theirs = pty.openpty()
    said = b""
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env={**os.environ, "PATH": PATH, "TERM": "xterm", "npm_config_update_notifier": "false"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    deadline, next_press = time.monotonic() + 60, 0.0
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    said += os.read(ours, 65536)
                except OSError:  # the last process at this terminal has ended
                    break
            if presses and b" samples" in said and time.monotonic() > next_press:
                os.write(ours, b"\x03")
                presses, next_press = presses - 1, time.monotonic() + 0.4
        return process.wait(10), said.decode(errors="replace")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        os.close(ours)
