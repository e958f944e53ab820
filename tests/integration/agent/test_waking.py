"""Recorders that are told to end while they sleep between two samples, with a real py-spy."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import until
from tests.integration.agent.driver import AGENT

if TYPE_CHECKING:
    from collections.abc import Iterator

if str(AGENT) not in sys.path:
    sys.path.append(str(AGENT))
pyspy = import_module("pyspy")
recorder_module = import_module("recorder")
waking = import_module("waking")

RECORDERS = 8


@pytest.fixture
def target() -> Iterator[int]:
    """A Python that works."""
    process = subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def recorders(target: int, tmp_path: Path) -> Iterator[list[Any]]:
    """They sample once a second."""
    executable = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    found = []
    for number in range(RECORDERS):
        base = str(tmp_path / str(number))
        command = pyspy.record_command(executable, target, "wall", 1, base + ".raw", False)
        found.append(recorder_module.Recorder(target, command, str(tmp_path), base + ".raw", base + ".log"))
    until(lambda: not [one.poll() for one in found if one.sampling_ns is None], "all to sample", 20)
    time.sleep(1.5)
    yield found
    for one in found:
        one.signal(9)
        until(lambda one=one: one.poll() or one.exit_code is not None, "its end", 5)  # type: ignore[misc]


def await_end(recorders: list[Any]) -> float:
    """Seconds until the last has ended."""
    began = time.monotonic()
    for one in recorders:
        one.poll()
    while any(one.exit_code is None for one in recorders):
        time.sleep(0.01)
        for one in recorders:
            one.poll()
    return time.monotonic() - began


@pytest.mark.skipif(platform.machine() != "x86_64", reason="recorders are woken on x86_64 alone")
def test_who_is_awaited_ends_at_once_with_what_was_sampled(recorders: list[Any]) -> None:
    for one in recorders:
        one.stop()
        one.hurry()

    took = await_end(recorders)

    assert took < 1.5, "one in 700 times they end so soon by themselves"
    assert [one.exit_code for one in recorders] == [0] * RECORDERS
    assert not any(one.forced for one in recorders)
    samples = [pyspy.parse_log(one.log).samples for one in recorders]
    # 1.5 s of one sample a second: none is made up by the waking.
    assert 1 <= sum(samples) <= 4 * RECORDERS, samples
    assert all(Path(one.output).exists() for one in recorders)


def test_where_it_cannot_be_woken_it_ends_later_with_the_same(
    recorders: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "_LIBC", None)
    for one in recorders[:3]:
        one.stop()
        one.hurry()

    await_end(recorders[:3])

    assert [one.exit_code for one in recorders[:3]] == [0, 0, 0]


def test_only_a_sleeping_thread_is_touched(tmp_path: Path) -> None:
    """One in another system call goes on with that, and a process that is gone is no mistake."""
    code = (
        "import threading, sys; threading.Thread(target=sys.stdin.read).start(); print('there', flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"there\n"
        waker = waking.Waker(process.pid)
        waker.wake()
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(10) == 0
        waker.wake()
