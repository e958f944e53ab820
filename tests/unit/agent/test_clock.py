"""The agent's time of day: steady, whatever somebody does to the machine's clock."""

from __future__ import annotations

import time
from importlib import import_module

import pytest

clock = import_module("clock")


def test_it_is_the_machines_time_to_begin_with() -> None:
    assert abs(clock.now_ns() - time.time_ns()) < 50_000_000
    assert clock.now() == pytest.approx(time.time(), abs=0.05)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_moves_nothing_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    watch = clock.Watch()
    assert watch.moved_s() is None
    before, real = clock.now_ns(), time.time_ns
    monkeypatch.setattr(clock.time, "time_ns", lambda: real() + hours * 3600 * 10**9)
    assert 0 <= clock.now_ns() - before < 10**9
    assert watch.moved_s() == pytest.approx(hours * 3600, abs=0.1)
    assert watch.moved_s() is None
    monkeypatch.undo()
    assert watch.moved_s() == pytest.approx(0, abs=0.1), "it was set back"
    assert watch.moved_s() is None
