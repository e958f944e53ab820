"""The report page of 4 h x 8 workers x 3 views and 10 M requests: its size, and how fast Chromium opens it and draws windows.

Goals: page ≤ 5 MB; open until lanes and flamegraph are drawn ≤ 2 s; window to drawn flamegraph ≤ 50 ms; difference ≤ 150 ms.
`python -m benchmarks.page --requests N`: with fewer requests. It takes about two minutes, 1.5 GB of memory and 2 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.page_run import make_run
from benchmarks.page_tables import RATE_HZ, SECONDS, WORKERS
from toolkit.analysis.results import read_results
from toolkit.engines.node import find_node
from toolkit.reports import page, page_build

_REQUESTS = 10_000_000
_SPEED = Path(__file__).with_name("page_speed.mjs")


def main(pairs: int, requests: int = _REQUESTS) -> None:
    """Print the figures; `pairs`: how often each is measured."""
    page_build.build()
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        run = make_run(Path(scratch), requests)
        made = time.monotonic()
        results = read_results(run)
        read = time.monotonic()
        [(name, content)] = page.render(results)
        rendered = time.monotonic()
        shown = results.profile
        _say(
            f"{requests:,} requests, {SECONDS // 3600} h, {WORKERS} workers at {RATE_HZ} Hz, {len(shown.slices):,} chunks "
            f"of 3 views, {len(shown.entry_nodes):,} counts on {len(shown.tree.parents):,} nodes"
        )
        _say(
            f"made in {made - began:.0f} s, read in {read - made:.0f} s, page written in {rendered - read:.0f} s"
        )
        file = Path(scratch) / name
        file.write_bytes(content)
        measured = _in_chromium(file, pairs)
    _say(f"page                {len(content) / 1e6:.2f} MB  goal ≤ 5 MB")
    _row("open", measured["opened"], 2000)
    for kind, goal in (("windows", 50), ("differences", 150)):
        for what, times in measured[kind].items():
            _row(f"{kind[:-1]} of {what}", [one["drawn"] for one in times], goal)
        everything = [one["drawn"] for times in measured[kind].values() for one in times]
        _row(f"all {kind}", everything, goal)


def _in_chromium(file: Path, rounds: int) -> dict[str, Any]:
    asked = json.dumps({"file": str(file), "seconds": SECONDS, "rounds": rounds})
    chromium = shutil.which("chromium") or ""
    command = [str(find_node().path), str(_SPEED), asked]
    done = subprocess.run(
        command, env={**os.environ, "CHROMIUM": chromium}, stdout=subprocess.PIPE, timeout=600, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _row(what: str, times_ms: list[float], goal_ms: int) -> None:
    missed = sum(time_ms > goal_ms for time_ms in times_ms)
    spread = f"[{min(times_ms):.0f} … {max(times_ms):.0f}]  n={len(times_ms)}"
    _say(f"{what:<28} {statistics.median(times_ms):6.0f} ms  {spread}  goal ≤ {goal_ms}, missed by {missed}")


def _say(words: str) -> None:
    sys.stdout.write(f"  {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
    parser.add_argument("--requests", type=int, default=_REQUESTS, help="default: 10,000,000")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    given = parser.parse_args()
    main(given.rounds, given.requests)
