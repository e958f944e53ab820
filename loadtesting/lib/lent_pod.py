"""Runs one Locust process in a pod, whose first process it is: `python lent_pod.py FOLDER WHAT LOCUST TAKES`.

TOOLKIT_POD says as JSON who it is: `process` (`main`, or `worker`: its number is the pod's index in its Job), `held`, and the
`patience_s` until the controller is first heard. A pod that is held waits for its word (`go` in FOLDER, put there by
lent_line.py), and at the end until what was written is fetched; it ends when the controller is silent for `SILENCE_S`. One that
is not begins at once and ends with Locust: manifests that were applied by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lent_growing import EXIT, FETCHED, GO, HEARD, KILL, STOP, written

SILENCE_S = 60.0
_LOOK_S = 0.1
_STOP_S, _LAST_S = 5.0, 5.0
"""For Locust to end and then for what it wrote to be fetched, where a pod is deleted: less than its grace period."""
_NOBODY = 3
"""Exit code of a pod that the controller never spoke to, or not any more."""


class Pod:
    """One process, and the files by which it is told what to do."""

    def __init__(self, folder: Path, argv: list[str]) -> None:
        self._folder, self._argv = folder, argv
        given = json.loads(os.environ["TOOLKIT_POD"])
        self._held = bool(given["held"])
        index = int(os.environ.get("JOB_COMPLETION_INDEX") or 0)
        self._worker = index + 1 if given["process"] == "worker" else 0
        self._began = time.time()
        self._asked = False
        """Whether it was asked to end, by a signal."""

    def run(self) -> int:
        """Until it is over: the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        for name in ("parts", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        while self._held and not (self._folder / GO).exists():
            if self._asked or self._is_alone():
                return _NOBODY
            time.sleep(_LOOK_S)
        code = self._locust()
        written(self._folder / EXIT, str(code))
        last = time.monotonic() + _LAST_S
        while self._held and not ((self._folder / FETCHED).exists() or self._is_alone()):
            if self._asked and time.monotonic() > last:
                break
            time.sleep(_LOOK_S)
        return code if code >= 0 else 128 - code

    def _locust(self) -> int:
        start = [sys.executable, str(Path(__file__).with_name("locust_start.py")), *self._argv]
        console = (self._folder / "console.log").open("ab") if self._held else None
        process = subprocess.Popen(
            start,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT if console else None,
            start_new_session=True,
        )
        kill_at = float("inf")
        while process.poll() is None:
            time.sleep(_LOOK_S)
            ends = self._asked or (self._folder / STOP).exists() or (self._held and self._is_alone())
            if ends and kill_at == float("inf"):
                kill_at = time.monotonic() + _STOP_S
                process.send_signal(signal.SIGINT)
            if time.monotonic() > kill_at or (self._folder / KILL).exists():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return int(process.returncode)

    def _environment(self) -> dict[str, str]:
        given = json.loads(os.environ["TOOLKIT_RECORDER"])
        if self._worker:
            given.update(process=f"worker-{self._worker}", worker=self._worker)
        given.update(parts=str(self._folder / "parts"), events=str(self._folder / "events.jsonl"))
        offset = (self._folder / GO).read_text() if self._held else "0"
        own = {"TOOLKIT_RECORDER": json.dumps(given), "TOOLKIT_CLOCK_OFFSET_NS": offset}
        return {**os.environ, **own}

    def _is_alone(self) -> bool:
        """Whether the controller has been silent for too long."""
        try:
            heard = (self._folder / HEARD).stat().st_mtime
        except OSError:
            heard = self._began + float(json.loads(os.environ["TOOLKIT_POD"])["patience_s"])
        return time.time() > heard + SILENCE_S

    def _ask(self, _number: int, _frame: Any) -> None:  # noqa: ANN401 - a frame
        self._asked = True


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(Pod(Path(sys.argv[1]), sys.argv[2:]).run())
