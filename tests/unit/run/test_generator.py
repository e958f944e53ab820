"""The generator's CPU, measured on processes that the test knows: itself."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from toolkit.recording.layout import GeneratorFolder
from toolkit.run import generator
from toolkit.run.generator import GeneratorWatch

if TYPE_CHECKING:
    from pathlib import Path


def test_a_busy_thread_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "EVERY_S", 0.3)
    watch = GeneratorWatch(GeneratorFolder(tmp_path))
    watch.add("http", [os.getpid()])
    watch.sample_if_due()
    assert (tmp_path / "cpu.jsonl").read_bytes() == b"", "nothing was measured yet"
    until = time.monotonic() + 0.31
    worker = threading.Thread(target=lambda: [None for _ in iter(lambda: time.monotonic() < until, False)])
    worker.start()
    worker.join()
    watch.sample_if_due()
    watch.close()
    (row,) = map(json.loads, (tmp_path / "cpu.jsonl").read_text().splitlines())
    (engine,) = row["engines"]
    # The thread has ended, so it is the host that shows it; the main thread slept.
    assert row["host_cpu"] > 0.2
    assert row["interval_s"] >= 0.3
    assert engine["load"] == "http"
    assert engine["rss"] > 1 << 20
    assert engine["threads"] >= 1


def test_an_engine_that_has_ended_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "EVERY_S", 0.0)
    watch = GeneratorWatch(GeneratorFolder(tmp_path))
    watch.add("gone", [2**22 - 1])
    watch.sample_if_due()
    watch.close()
    (row,) = map(json.loads, (tmp_path / "cpu.jsonl").read_text().splitlines())
    assert row["engines"] == []


@pytest.mark.parametrize(
    ("done", "busiest"),
    [((0.4, 0.1), 0.5), ((3.0, 0.0), 0.0), ((0.1, 11.5), 0.0)],
    ids=["since then", "longer than a second", "waited for longer than a second"],
)
def test_what_a_thread_did_before_it_was_first_seen_is_of_no_second(
    done: tuple[float, float], busiest: float
) -> None:
    before = generator._unseen(done, 1.0)

    used, waited = generator._growth(done, before)

    assert used + (waited or 0.0) == pytest.approx(busiest)
