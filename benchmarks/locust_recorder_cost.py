"""Our recorder in Locust: CPU a request of each of its clients, with / without, in blocks in turn in one process. No goal yet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.ratios import line


def main(pairs: int) -> None:
    """Print a line for each client."""
    script = Path(__file__).with_name("locust_blocks.py")
    done = subprocess.run(
        [sys.executable, str(script), str(pairs)], capture_output=True, text=True, check=True, timeout=600
    )
    for client, found in json.loads(done.stdout).items():
        line(f"{client}, client and service", [(without, recorded) for without, recorded in found], "µs", "–")
