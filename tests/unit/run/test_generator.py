"""The generator's CPU, measured on processes that the test knows: itself."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import TYPE_CHECKING

from toolkit.recording.layout import GeneratorFolder
from toolkit.run import generator
from toolkit.run.generator import GeneratorWatch

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_busy_thread_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "EVERY_S", 0.3)
    watch = GeneratorWatch(GeneratorFolder(tmp_path))
    watch.add("http", os.getpid())
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
    watch.add("gone", 2**22 - 1)
    watch.sample_if_due()
    watch.close()
    (row,) = map(json.loads, (tmp_path / "cpu.jsonl").read_text().splitlines())
    assert row["engines"] == []
