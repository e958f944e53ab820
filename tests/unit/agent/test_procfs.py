"""When processes started, by what the kernel counts."""

from __future__ import annotations

import os
import time
from importlib import import_module

import pytest

procfs = import_module("procfs")


def test_a_birth_is_told_to_the_tick() -> None:
    """The kernel's own time of the boot is in whole seconds."""
    ticks = os.sysconf("SC_CLK_TCK")
    just_now = int(time.clock_gettime(time.CLOCK_BOOTTIME) * ticks)
    assert procfs.create_time(just_now) == pytest.approx(time.time(), abs=0.1)


def test_without_that_clock_the_kernels_word_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_clock: int) -> float:
        raise OSError("no such clock")

    exact = procfs.boot_time()
    monkeypatch.setattr(time, "clock_gettime", refuse)
    assert procfs.boot_time() == pytest.approx(exact, abs=2.0)
    assert procfs.boot_time() % 1 == 0
