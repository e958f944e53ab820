"""Artillery through the toolkit (recorder, ids, records, display, canary) and bare, in turn. Goal of requests a second: ≥ 0.98.

Both play the same file; the service counts Artillery's requests from the first to the last, so that neither side's start and end
count. The CPU a request costs says the same with less noise from whatever else the machine does.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks import ratios
from toolkit.engines.base import LoadJob
from toolkit.engines.node import find_node
from toolkit.engines.registry import engine
from toolkit.errors import RunInvalidError
from toolkit.recording.layout import RunFolder
from toolkit.recording.places import node_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Command = tuple[Sequence[str], dict[str, str]]

_REQUESTS = 1200
_FEW = 100
_USERS = 20

_SAMPLE_S = 2.0

# Node's own server answers far faster than Artillery asks. The canary and other askers are not counted.
_SERVER = """
let seen = { requests: 0, first: 0, last: 0 };
const server = require('http').createServer((request, answer) => {
  if (request.url === '/seen') {
    answer.end(JSON.stringify(seen));
    seen = { requests: 0, first: 0, last: 0 };
    return;
  }
  if ((request.headers['user-agent'] ?? '').startsWith('Artillery')) {
    seen.last = performance.now();
    if (seen.requests++ === 0) seen.first = seen.last;
  }
  answer.end('ok');
});
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""

_SCENARIO = """
config:
  target: "http://127.0.0.1:{port}"
  phases: [ {{ duration: 1, arrivalCount: {users} }} ]
  http: {{ pool: {users} }}
scenarios:
  - flow:
      - loop: [ {{ get: {{ url: "/" }} }} ]
        count: {requests}
"""


def main(pairs: int) -> None:
    """Print both ratios, and the toolkit's own CPU; a closed loop, so that the generator is the bottleneck."""
    with tempfile.TemporaryDirectory() as scratch, _server() as port:
        folder = Path(scratch)
        long, short = (_scenario(folder, port, requests) for requests in (_REQUESTS, _FEW))
        _bare_rate(long, port)
        beside: list[float] = []
        rates = _pairs(
            pairs, lambda: _bare_rate(long, port), lambda: _toolkit_rate(long, port, folder, beside)
        )
        ratios.line("requests/s, toolkit against bare", rates, "/s", "≥ 0.98")
        sys.stdout.write(
            f"  the toolkit's processes beside Artillery, in % of one core: median {statistics.median(beside):.1f}"
            f"  [{min(beside):.1f} … {max(beside):.1f}]\n"
        )
        costs = _pairs(pairs, lambda: _cpu_us(_bare, long, short), lambda: _cpu_us(_recorded, long, short))
        ratios.line("CPU per request of Artillery's process", costs, "µs", "≤ 1.02")


def _pairs(number: int, bare: Callable[[], float], through: Callable[[], float]) -> list[tuple[float, float]]:
    """Each in turn first, so that a machine that grows slower favours neither."""
    pairs = []
    for turn in range(number):
        if turn % 2:
            second = through()
            pairs.append((bare(), second))
        else:
            pairs.append((bare(), through()))
    return pairs


def _scenario(folder: Path, port: int, requests: int) -> Path:
    file = folder / f"loop-{requests}.yml"
    file.write_text(_SCENARIO.format(port=port, users=_USERS, requests=requests), encoding="utf-8")
    return file


def _bare(file: Path) -> Command:
    """Artillery as anybody would start it."""
    run = str(node_folder() / "node_modules/artillery/bin/run")
    argv = (str(find_node().path), run, "run", "--quiet", "--output", str(_report(file)), str(file))
    return argv, {**os.environ, "ARTILLERY_DISABLE_TELEMETRY": "true"}


def _recorded(file: Path) -> Command:
    """Artillery as the toolkit starts it, without the toolkit's own process beside it."""
    folder = RunFolder(file.parent / f"recorded-{time.monotonic_ns()}").load("loop")
    folder.path.mkdir(parents=True)
    launch = engine("artillery").launch(LoadJob("loop", file, ""), folder)
    return launch.argv, {**os.environ, **launch.env}


def _bare_rate(file: Path, port: int) -> float:
    argv, environ = _bare(file)
    subprocess.run(argv, check=True, capture_output=True, env=environ, timeout=120)
    return _seen_rate(port)


def _toolkit_rate(file: Path, port: int, scratch: Path, beside: list[float]) -> float:
    reports = scratch / f"reports-{time.monotonic_ns()}"
    argv = [sys.executable, "-m", "toolkit", "load", "--scenario", str(file)]
    argv += ["--reports", str(reports), "--quiet"]
    toolkit = psutil.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    beside.append(_cpu_beside(toolkit))
    # A generator that is the bottleneck, on a busy machine, may rightly be judged invalid; what it sent is checked below.
    assert toolkit.wait(120) in (0, RunInvalidError.exit_code)
    return _seen_rate(port)


def _cpu_beside(toolkit: psutil.Popen) -> float:
    """What the toolkit and its canary use while Artillery runs, in % of one core; a look every two seconds costs little."""
    looks: list[tuple[float, float]] = []
    while toolkit.poll() is None:
        time.sleep(_SAMPLE_S)
        with suppress(psutil.Error):
            children = toolkit.children()
            engines = [child for child in children if "artillery/bin/run" in " ".join(child.cmdline())]
            others = [child for child in children if child not in engines]
            if engines and others:
                looks.append((time.monotonic(), sum(_used_s(process) for process in (toolkit, *others))))
            elif looks:
                break
    (began, before), (ended, after) = looks[0], looks[-1]
    return (after - before) / (ended - began) * 100


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _seen_rate(port: int) -> float:
    """Requests a second as the service saw them; the count begins anew."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/seen", timeout=10) as answer:
        seen = json.load(answer)
    assert seen["requests"] == _USERS * _REQUESTS
    return float((seen["requests"] - 1) / (seen["last"] - seen["first"]) * 1000)


def _cpu_us(command: Callable[[Path], Command], long: Path, short: Path) -> float:
    """User and system time a request costs: a long run less a short one, so that starting and ending do not count."""
    return (_cpu_s(*command(long)) - _cpu_s(*command(short))) / (_USERS * (_REQUESTS - _FEW)) * 1e6


def _cpu_s(argv: Sequence[str], environ: dict[str, str]) -> float:
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(argv, stdout=nowhere, stderr=nowhere, env=environ)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def _report(file: Path) -> Path:
    return file.with_suffix(".bare.json")


@contextmanager
def _server() -> Iterator[int]:
    process = subprocess.Popen([str(find_node().path), "-e", _SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
