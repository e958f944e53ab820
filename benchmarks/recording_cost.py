"""The service with and without the recording at its defaults, in turn.

Goal: at a fixed load below saturation throughput ≥ 0.99 and p99 ≤ 1.05 of without; saturated, throughput ≥ 0.96;
also with 100 idle threads in each worker.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import k6, ratios
from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 12
_BELOW_SATURATION = 0.5


def main(pairs: int) -> None:
    """Print a table for few and for many threads."""
    for idle in (0, 100):
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["DEMO_IDLE_THREADS"] = str(idle)
            state = start_demo(Path(scratch) / "demo", ssh=False)
            try:
                _measure(state.url, state.gunicorn_pid, Path(scratch), idle, pairs)
            finally:
                stop_demo(Path(scratch) / "demo")
                os.environ.pop("DEMO_IDLE_THREADS")


def _measure(url: str, pid: int, scratch: Path, idle: int, pairs: int) -> None:
    k6.run(url, seconds=3)
    most = k6.run(url, seconds=6).per_s
    fixed = int(most * _BELOW_SATURATION)
    label = f"{idle} idle threads a worker"
    for rate, name in ((fixed, f"fixed at {fixed}/s"), (0, "saturated")):
        throughput, p99 = [], []
        for number in range(pairs):
            # Which of the two comes first alternates, so that a machine that slows down favours neither.
            if number % 2:
                with recording(pid, scratch):
                    recorded = k6.run(url, seconds=_SECONDS, rate=rate)
                bare = k6.run(url, seconds=_SECONDS, rate=rate)
            else:
                bare = k6.run(url, seconds=_SECONDS, rate=rate)
                with recording(pid, scratch):
                    recorded = k6.run(url, seconds=_SECONDS, rate=rate)
            throughput.append((bare.per_s, recorded.per_s))
            p99.append((bare.p99_ms, recorded.p99_ms))
        ratios.line(f"{label}, {name}: throughput", throughput, "/s", "≥ 0.99" if rate else "≥ 0.96")
        ratios.line(f"{label}, {name}: p99", p99, "ms", "≤ 1.05" if rate else "–")


@contextmanager
def recording(pid: int, scratch: Path) -> Iterator[None]:
    """`toolkit profile` at its defaults, from its first samples until the block ends."""
    reports = scratch / "reports"
    argv = [
        sys.executable,
        "-m",
        "toolkit",
        "profile",
        "--gunicorn",
        f"pid={pid}",
        "--reports",
        str(reports),
        "--quiet",
    ]
    process = subprocess.Popen(argv, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_for_recording(process, reports)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def _wait_for_recording(process: subprocess.Popen[bytes], reports: Path) -> None:
    deadline = time.monotonic() + 30
    known = {path for path in reports.glob("*/events.jsonl") if _says_recording(path)}
    while time.monotonic() < deadline and process.poll() is None:
        if any(path not in known and _says_recording(path) for path in reports.glob("*/events.jsonl")):
            return
        time.sleep(0.05)
    raise RuntimeError("the recording did not start")


def _says_recording(path: Path) -> bool:
    return any(json.loads(line).get("kind") == "recording" for line in path.read_text().splitlines() if line)
