"""When the processes of an engine are over: its first decides, and nobody is cut off who only tells what it did."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from toolkit.engines.base import Helper
from toolkit.recording.layout import LoadFolder
from toolkit.run import engine_processes
from toolkit.run.engine_processes import EngineProcesses

if TYPE_CHECKING:
    from pathlib import Path


class Pretended:
    """One that runs until it is told not to."""

    def __init__(self, returncode: int | None = None, *, draining: bool = False) -> None:
        self.returncode, self.draining = returncode, draining
        self.asked = 0

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, _number: int) -> None:
        self.asked += 1
        self.returncode = 0

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            raise subprocess.TimeoutExpired("it", timeout or 0)
        return self.returncode

    def kill(self) -> None:
        self.returncode = -9


@pytest.mark.parametrize("draining", [True, False])
def test_a_worker_that_has_ended_may_tell_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, draining: bool
) -> None:
    monkeypatch.setattr(engine_processes, "_HELPERS_LEAVE_S", -1.0)
    worker = Pretended(draining=draining)
    helper = Helper("worker 1 of 1", (), {}, tmp_path / "log")
    processes = EngineProcesses(Pretended(0), [(helper, worker)], LoadFolder(tmp_path))
    assert processes.poll() is draining
    assert worker.asked == (0 if draining else 1)
    worker.returncode = 0
    assert processes.poll() is False
