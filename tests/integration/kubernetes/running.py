"""The command line, run to its end in the folder of a test, and what it left."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
DEADLINE_S = 100


class Ran:
    """One call."""

    def __init__(self, *words: str, meanwhile: Callable[[Ran], object] | None = None) -> None:
        self.folder = Path.cwd()
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "toolkit", *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        until = time.monotonic() + DEADLINE_S
        try:
            while self.process.poll() is None and time.monotonic() < until:
                if meanwhile is not None:
                    meanwhile(self)
                time.sleep(0.05)
        finally:
            self.process.kill()
            self.exit_code = self.process.wait()
        self.said = (self.folder / "said").read_text()

    def so_far(self) -> str:
        """What it has said."""
        return (self.folder / "said").read_text()

    @property
    def run(self) -> RunFolder | None:
        """None while there is none."""
        found = [one for one in (self.folder / "reports").glob("2*") if one.is_dir()]
        return RunFolder(found[0]) if found else None

    @property
    def there(self) -> RunFolder:
        assert self.run, self.said
        return self.run

    def rows(self) -> list[dict[str, Any]]:
        with gzip.open(self.there.load("locustfile").requests, "rt") as file:
            return [json.loads(line) for line in file][1:]

    def events(self) -> list[dict[str, Any]]:
        return list(read_lines(self.there.events))

    def records_of(self, worker: int) -> int:
        """Bytes of its records so far."""
        part = self.run and self.run.load("locustfile").request_parts / f"worker-{worker}.jsonl"
        return part.stat().st_size if part and part.exists() else 0
