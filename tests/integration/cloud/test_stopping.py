"""An engine that must end workers elsewhere is given the time for it before it is killed."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from tests.gunicorns import until
from toolkit.engines.base import Launch
from toolkit.recording.layout import LoadFolder
from toolkit.run.engine_processes import STOP_S, start_engine

if TYPE_CHECKING:
    from pathlib import Path

SLOW = f"""\
import pathlib, signal, sys, time

def end(*_):
    time.sleep({STOP_S + 1.5})
    pathlib.Path("ended").touch()
    sys.exit(0)

signal.signal(signal.SIGINT, end)
pathlib.Path("there").touch()
time.sleep(60)
"""


def test_it_may_take_longer_than_others(tmp_path: Path) -> None:
    folder = LoadFolder(tmp_path / "load")
    folder.path.mkdir()
    launch = Launch((sys.executable, "-c", SLOW), {}, tmp_path, 0.0, 60.0, stop_s=30.0)
    process = start_engine(launch, folder, dict(os.environ))
    until((tmp_path / "there").exists, "it to run")
    asked = time.monotonic()
    process.end()
    assert (tmp_path / "ended").exists(), "it was not killed meanwhile"
    assert time.monotonic() - asked < 20, "nor waited for any longer than it took"
