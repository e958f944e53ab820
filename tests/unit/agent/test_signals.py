"""Every signal goes to a PID whose start time matches: a later process of the same number gets none."""

from __future__ import annotations

import os
import signal
from importlib import import_module

import pytest

faults, procfs, stopped, neighbours = map(import_module, ("faults", "procfs", "stopped", "neighbours"))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What would have been sent; to this very process, so that it is there."""
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    for name in ("END_WITHIN_S", "KILLED_WITHIN_S", "PAUSE_S"):
        monkeypatch.setattr(neighbours, name, 0.0)
    return signals


def test_an_agent_is_ended_by_its_start_too(sent: list[tuple[int, int]]) -> None:
    started = procfs.stat(os.getpid()).start_ticks
    neighbours._end(os.getpid(), started - 1)
    assert sent == [], "it is a later process of that number"
    with pytest.raises(faults.Fault, match="does not end"):
        neighbours._end(os.getpid(), started)
    assert sent == [(os.getpid(), signal.SIGTERM), (os.getpid(), signal.SIGKILL)]


def test_a_stopped_process_is_continued_by_its_start_too(
    sent: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = os.getpid()
    started = procfs.stat(pid).start_ticks
    monkeypatch.setattr(stopped, "halted", lambda _: {(pid, started - 1)})
    assert stopped.release([pid], set()) == []
    assert sent == []
    monkeypatch.setattr(stopped, "halted", lambda _: {(pid, started)})
    assert stopped.release([pid], {(pid, started)}) == [], "it was so before"
    assert stopped.release([pid], set()) == [pid]
    assert sent == [(pid, signal.SIGCONT)]
