"""How much longer profile-and-load takes than Artillery itself ran (SSH, agent, recording, bundle). Goal: ≤ 4 s."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from toolkit.demo.service import start_demo, stop_demo
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import load_manifest

ROOT = Path(__file__).resolve().parent.parent
_SHORT = "{config: {phases: [{duration: 5, arrivalRate: 4, name: short}]}}"


def main(pairs: int) -> None:
    """Print the median and each stage's share."""
    beyond: list[float] = []
    stages: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "demo"
        state = start_demo(folder)
        try:
            for _ in range(pairs):
                run, wall_s = _run(state.url, folder, Path(scratch))
                manifest = load_manifest(run.manifest)
                load = max(entry.ended_ns for entry in manifest.loads) - min(
                    entry.started_ns for entry in manifest.loads
                )
                beyond.append(wall_s - load / 1e9)
                for stage in manifest.stages:
                    stages.setdefault(stage["name"], []).append(
                        (stage["ended_ns"] - stage["started_ns"]) / 1e9
                    )
        finally:
            stop_demo(folder)
    sys.stdout.write(
        f"  beyond the load: median {statistics.median(beyond):.2f} s  [{min(beyond):.2f} … {max(beyond):.2f}]  "
        f"n={len(beyond)}  goal ≤ 4 s\n"
    )
    for name, values in stages.items():
        sys.stdout.write(f"    {name:<32} {statistics.median(values):6.2f} s\n")


def _run(url: str, demo: Path, scratch: Path) -> tuple[RunFolder, float]:
    argv = [
        sys.executable,
        "-m",
        "toolkit",
        "profile-and-load",
        "plans/demo.yml",
        "--reports",
        str(scratch / "reports"),
    ]
    argv += [
        "--quiet",
        "--set",
        f"load.scenarios.0.overrides={_SHORT}",
        "--set",
        f"load.scenarios.1.overrides={_SHORT}",
    ]
    environ = {**os.environ, "TOOLKIT_DEMO_URL": url, "TOOLKIT_DEMO_DIR": str(demo)}
    began = time.monotonic()
    subprocess.run(argv, check=True, cwd=ROOT, env=environ, capture_output=True, timeout=120)
    return RunFolder((scratch / "reports" / "latest").resolve()), time.monotonic() - began
