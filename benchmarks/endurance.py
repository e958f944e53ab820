"""Half an hour stands for hours: do memory and descriptors of controller, agent and recorders stay flat?

`make endurance`, or `python -m benchmarks.endurance --minutes 5`: a run of the bundled service over SSH with chunks of a second
instead of five and four metrics samples a second, so that half an hour has as many as two and a half hours. Prints rows for
docs/benchmarks.md, each a slope with its standard error, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.demo.service import DemoState

ROOT = Path(__file__).resolve().parents[1]
EVERY_S = 2.0
BLOCKS = 30
_WARM_SHARE, _WARM_MOST_S = 0.1, 120.0
_MB = 1e6


@dataclass(frozen=True)
class Slope:
    """A straight line through measured values. `error` is the standard error of `per_hour`."""

    mean: float
    per_hour: float
    error: float


def slope(seconds: Sequence[float], values: Sequence[float]) -> Slope:
    """Fit a line through the means of blocks of values: neighbours are alike, and each alone would count too much.

    Args:
        seconds: when; at least six.
        values: what.
    """
    size = max(1, math.ceil(len(values) / BLOCKS))
    starts = range(0, len(values), size)
    x = [_mean(seconds[start : start + size]) / 3600 for start in starts]
    y = [_mean(values[start : start + size]) for start in starts]
    middle, mean = _mean(x), _mean(y)
    spread = sum((one - middle) ** 2 for one in x)
    per_hour = sum((a - middle) * (b - mean) for a, b in zip(x, y, strict=True)) / spread
    off = sum((b - mean - per_hour * (a - middle)) ** 2 for a, b in zip(x, y, strict=True))
    return Slope(mean, per_hour, math.sqrt(off / (len(x) - 2) / spread))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@dataclass
class Part:
    """One of ours: resident bytes and open descriptors over the run."""

    name: str
    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    descriptors: list[float] = field(default_factory=list)

    def look(self, at_s: float, processes: list[psutil.Process]) -> None:
        """Take the largest of these processes; those that have just ended do not count."""
        seen = []
        for process in processes:
            try:
                seen.append((process.memory_info().rss, process.num_fds()))
            except psutil.Error:
                continue
        if seen and max(seen)[0]:
            self.seconds.append(at_s)
            self.memory.append(max(rss for rss, _ in seen) / _MB)
            self.descriptors.append(max(count for _, count in seen))

    def row(self) -> str:
        """A line for docs/benchmarks.md."""
        if len(self.seconds) < 6:
            return f"| {self.name} | too few looks | |"
        memory, files = slope(self.seconds, self.memory), slope(self.seconds, self.descriptors)
        return (
            f"| {self.name} | {memory.mean:.1f} MB, {memory.per_hour:+.2f} ± {memory.error:.2f} MB/h "
            f"| {files.mean:.1f}, {files.per_hour:+.2f} ± {files.error:.2f} /h |"
        )


def _start(demo: DemoState, reports: Path, seconds: float) -> subprocess.Popen[bytes]:
    phases = {"config": {"phases": [{"duration": round(seconds), "arrivalRate": 3, "rampTo": 3}]}}
    return subprocess.Popen(
        [
            *(
                sys.executable,
                "-m",
                "toolkit",
                "profile-and-load",
                str(ROOT / "plans" / "demo.yml"),
                "--quiet",
            ),
            *(
                "--scenario",
                str(ROOT / "loadtesting" / "http.yml"),
                "--chunk",
                "1s",
                "--reports",
                str(reports),
            ),
            *("--set", f"load.scenarios.0.overrides={json.dumps(phases)}", "--set", "watch.interval=0.25s"),
        ],
        env={**os.environ, "TOOLKIT_DEMO_URL": demo.url, "TOOLKIT_DEMO_DIR": str(demo.folder)},
        stdin=subprocess.DEVNULL,
    )


def _looks(controller: subprocess.Popen[bytes], seconds: float) -> Iterator[float]:
    """Now and then until the load has ended: seconds since the first chunks could be there."""
    began = time.monotonic()
    while controller.poll() is None and (at_s := time.monotonic() - began) < seconds:
        yield at_s
        time.sleep(EVERY_S)


def _of_ours(demo: DemoState) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """The agent and the recorders below the demo's SSH server."""
    assert demo.ssh is not None
    agents, recorders = [], []
    for process in psutil.Process(demo.ssh.process.pid).children(recursive=True):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if words[:1] and words[0].endswith("/py-spy"):
            recorders.append(process)
        elif words and words[-1].endswith("agent.pyz") and "python" in Path(words[0]).name:
            agents.append(process)
    return agents, recorders


def measure(minutes: float) -> tuple[list[Part], int]:
    """Run for so long: controller, agent and the largest recorder at each look, and the run's exit code."""
    controller, agent, recorder = Part("controller"), Part("agent"), Part("py-spy (the largest recorder)")
    seconds = minutes * 60
    warm_s = min(_WARM_MOST_S, _WARM_SHARE * seconds)
    with tempfile.TemporaryDirectory(prefix="endurance.") as name:
        demo = start_demo(Path(name) / "demo")
        running = None
        try:
            running = _start(demo, Path(name) / "reports", seconds)
            for at_s in _looks(running, seconds):
                agents, recorders = _of_ours(demo)
                if at_s < warm_s:
                    continue
                controller.look(at_s, [psutil.Process(running.pid)])
                agent.look(at_s, agents)
                recorder.look(at_s, recorders)
            code = running.wait(300)
        finally:
            if running is not None and running.poll() is None:
                running.terminate()
                running.wait(60)
            stop_demo(Path(name) / "demo")
    return [controller, agent, recorder], code


def main() -> None:
    """Measure, and print the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance")
    parser.add_argument("--minutes", type=float, default=30.0, help="of load (default 30)")
    given = parser.parse_args()
    parts, code = measure(given.minutes)
    chunks = given.minutes * 60
    sys.stdout.write(
        f"\n{time.strftime('%Y-%m-%d', time.gmtime())}, {given.minutes:g} minutes with chunks of 1 s, "
        f"as many as {chunks * 5 / 3600:.1f} hours have; exit code {code}; {len(parts[0].seconds)} looks:\n\n"
        "| part | memory | descriptors |\n|---|---|---|\n" + "".join(f"{part.row()}\n" for part in parts)
    )


if __name__ == "__main__":
    main()
