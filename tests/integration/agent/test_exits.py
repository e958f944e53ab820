"""How processes of others ended, on kernels that tell it afterwards and on those where the zombie must be caught."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
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
exits = import_module("exits")
procfs = import_module("procfs")

CODES = [
    ("raise SystemExit(3)", {"code": 3}),
    ("pass", {"code": 0}),
    ("import os; os.kill(os.getpid(), 9)", {"signal": 9}),
]


@pytest.fixture
def watched() -> Iterator[Any]:
    found = exits.Exits()
    yield found
    found.close()


def child(code: str) -> tuple[subprocess.Popen[bytes], tuple[int, int]]:
    """A process that waits for its input's end, then does `code`."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stdin.read(); {code}"], stdin=subprocess.PIPE
    )
    return process, (process.pid, procfs.stat(process.pid).start_ticks)


def end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(("code", "told"), CODES)
@pytest.mark.parametrize("opener", ["os", "syscall"])
def test_the_zombie_tells(
    watched: Any, code: str, told: dict[str, int], opener: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if opener == "syscall":  # Python before 3.9
        monkeypatch.delattr(os, "pidfd_open")
    process, key = child(code)
    watched.follow([key])
    assert not watched.collect()
    end(process)
    assert select.select([watched.descriptor], [], [], 10)[0], "its end wakes"
    assert watched.collect()
    assert not watched.collect(), "once"
    monkeypatch.setattr(exits, "_told_by_pidfd", lambda _: None)  # a kernel before 6.15
    assert watched.of(key) == told
    process.wait()


@pytest.mark.parametrize(("code", "told"), CODES)
def test_the_kernel_tells_afterwards(watched: Any, code: str, told: dict[str, int]) -> None:
    process, key = child(code)
    watched.follow([key])
    end(process)
    process.wait()  # the parent was first
    watched.collect()
    if watched.of(key) is None:
        pytest.skip("this kernel forgets how a process ended: PIDFD_GET_INFO came with Linux 6.15")
    assert watched.of(key) == told


@pytest.mark.parametrize(("code", "told"), CODES)
def test_one_that_ended_a_moment_ago_is_known_too(watched: Any, code: str, told: dict[str, int]) -> None:
    process, key = child(code)
    watched.follow([key])
    end(process)
    until(lambda: procfs.stat(key[0]).state == "Z", "the zombie")
    assert watched.of(key) == told, "nobody has collected it yet"
    process.wait()


def test_what_cannot_be_known_is_not_made_up(watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    process, key = child("pass")
    watched.follow([key, (key[0], key[1] + 1), (2**22 + 1, 1)])
    assert watched.of((key[0], key[1] + 1)) is None, "another process of the same number"
    monkeypatch.setattr(exits, "_told_by_pidfd", lambda _: None)
    end(process)
    process.wait()
    watched.collect()
    assert watched.of(key) is None, "reaped before anyone looked"


def test_nothing_is_kept_open_of_those_who_are_gone(watched: Any) -> None:
    before = open_files()
    for _ in range(20):
        process, key = child("pass")
        watched.follow([key])
        process.send_signal(signal.SIGKILL)
        end(process)
        process.wait()
        until(watched.collect, "its end")
        watched.of(key)
    watched.follow([])
    assert open_files() == before
