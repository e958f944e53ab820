"""USS is read as often as the rest of the agent leaves CPU time for it, and never holds a process's memory for long."""

from __future__ import annotations

import os
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

memory = import_module("private_memory")
CAPTURED = Path(__file__).parent / "captured" / "process"


class Machine:
    """Seconds, the agent's CPU time, and what one reading costs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cost_s: float) -> None:
        self.now, self.used, self.cost_s = 100.0, 3.0, cost_s
        self.read: list[int] = []
        monkeypatch.setattr(memory, "content", self._content)
        monkeypatch.setattr(memory.time, "monotonic", lambda: self.now)

    def _content(self, path: str) -> bytes:
        self.used += self.cost_s
        self.read.append(int(path.split("/")[2]))
        return (CAPTURED / "smaps_rollup.txt").read_bytes()

    def run(self, workers: int, seconds: int, rest_share: float) -> Counter[int]:
        """How often each worker was read."""
        known = {pid: _Known(memory.Reading()) for pid in range(1, workers + 1)}
        for one in known.values():
            one.uss.pace._clock = lambda: self.used
        private = memory.PrivateMemory(lambda: self.used, lambda: self.now)
        for _ in range(seconds):
            private.add([_Seen(pid, one) for pid, one in known.items()])
            self.used += rest_share
            self.now += 1.0
        return Counter(self.read)


class _Known:
    def __init__(self, uss: Any) -> None:
        self.uss = uss


class _Seen:
    def __init__(self, pid: int, known: _Known) -> None:
        self.pid, self.known = pid, known
        self.row: dict[str, int] = {}


def test_few_workers_are_read_with_every_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Machine(monkeypatch, 0.001).run(2, 60, 0.004)
    assert min(counts.values()) >= 55, "but for the first seconds, in which nothing is known of the rest"


def test_many_are_read_in_turn_within_what_the_rest_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, 0.001)
    counts = machine.run(8, 100, 0.007)
    assert len(counts) == 8
    assert max(counts.values()) - min(counts.values()) <= 2
    assert 150 <= counts.total() <= 230, "two of a thousandth fit beside seven thousandths"
    assert machine.used - 3.0 <= 100 * memory.AGENT_SHARE + memory.BEGIN_S + 0.05


def test_an_agent_that_is_busy_still_reads_some(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Machine(monkeypatch, 0.001).run(4, 100, 0.04)
    assert 40 <= counts.total() <= 70


def test_a_large_worker_is_not_held_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Machine(monkeypatch, 0.02).run(1, 100, 0.001)
    assert 5 <= counts.total() <= 11, "20 ms each are two thousandths of ten seconds"


def test_one_that_takes_too_long_is_never_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Machine(monkeypatch, 0.3).run(1, 1000, 0.001).total() == 1


def test_uss_is_what_nobody_shares() -> None:
    assert memory.uss((CAPTURED / "smaps_rollup.txt").read_bytes()) == (40 + 112) * 1024
    assert memory.uss(b"") is None
    assert memory.uss(b"Rss: 5 kB\n") is None


def test_ones_own_is_read() -> None:
    one = _Seen(os.getpid(), _Known(memory.Reading()))
    memory.PrivateMemory().add([one])
    assert one.row["uss"] > 1_000_000
