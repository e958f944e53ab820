"""k6 through the toolkit (samples as records, display) and bare, in turn: requests a second by k6's own count.

A closed loop of 16 users against Node's own server, which is on the same machine: all of them share its cores.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import ratios
from toolkit.engines.k6.binary import find_k6
from toolkit.engines.node import find_node

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVER = """
const server = require('http').createServer((_, answer) => answer.end('ok'));
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""
_SCRIPT = """
import http from 'k6/http';
export const options = { discardResponseBodies: true, vus: 16, duration: '8s' };
export default function () { http.get(__ENV.BASE_URL); }
"""


def main(pairs: int) -> None:
    """Print the ratio."""
    with tempfile.TemporaryDirectory() as scratch, _server() as url:
        script = Path(scratch) / "loop.js"
        script.write_text(_SCRIPT, encoding="utf-8")
        rates = []
        for turn in range(pairs):
            if turn % 2:
                through = _through(script, url)
                rates.append((_bare(script, url), through))
            else:
                rates.append((_bare(script, url), _through(script, url)))
        ratios.line("requests/s, toolkit against bare", rates, "/s", "–")


def _bare(script: Path, url: str) -> float:
    told = script.with_suffix(".json")
    argv = [find_k6()[0], "run", "--quiet", "--no-usage-report", "--summary-export", str(told), str(script)]
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "BASE_URL": url}, timeout=60)
    return _rate(told)


def _through(script: Path, url: str) -> float:
    reports = script.parent / "reports"
    argv = [sys.executable, "-m", "toolkit", "load", "--scenario", str(script), "--target", url]
    # On a machine whose cores are all taken the run may rightly be judged invalid.
    subprocess.run(
        [*argv, "--reports", str(reports), "--quiet"], check=False, capture_output=True, timeout=300
    )
    return _rate((reports / "latest").resolve() / "load" / "loop" / "k6.json")


def _rate(told: Path) -> float:
    return float(json.loads(told.read_text(encoding="utf-8"))["metrics"]["http_reqs"]["rate"])


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen([str(find_node().path), "-e", _SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)
