"""The engine's first process, `python -m toolkit.engines.k6.drive`: starts k6 and writes its samples as records as they come."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.k6.samples import Samples
from toolkit.engines.k6.settings import VARIABLE, DriveSettings
from toolkit.engines.leash import dies_with_parent
from toolkit.engines.parts import HEADER
from toolkit.recording.jsonl import JsonLines
from toolkit.recording.layout import LoadFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ = 1 << 20
_LOOK_S, _TELL_S = 0.2, 0.5


class Drive:
    """One k6 on its way."""

    def __init__(self, settings: DriveSettings) -> None:
        self._settings = settings
        self._folder = LoadFolder(Path(settings.folder))
        self._events = JsonLines(self._folder.events)
        self._samples = Samples(
            settings.scenario, [one["name"] for one in settings.stages], settings.urls, settings.expect
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._told = 0.0
        self._first_ns = 0
        self._ended = 0

    def run(self) -> int:
        """k6's exit code, or minus the signal that ended it."""
        pipe = self._folder.k6_samples
        os.mkfifo(pipe, 0o600)
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._folder.request_parts.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        argv = [
            *self._settings.argv,
            "--out",
            f"csv={pipe}",
            "--summary-export",
            str(self._folder.k6_json),
        ]
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            preexec_fn=dies_with_parent(signal.SIGKILL),
            start_new_session=True,
        )
        if self._stopped:  # a signal that came before there was anybody to hand it on to
            self._process.send_signal(signal.SIGINT)
        try:
            with (self._folder.request_parts / "k6.jsonl").open("ab", buffering=0) as part:
                part.write(HEADER)
                for lines in self._lines(reading):
                    self._write(part, lines)
        finally:
            pipe.unlink(missing_ok=True)
        code = self._process.wait()
        self._end(code)
        return code if code >= 0 else 128 - code

    def _lines(self, reading: int) -> Iterator[list[bytes]]:
        """Whole lines as they come, until k6 has ended and nothing is left."""
        rest = b""
        while True:
            ended = self._process is not None and self._process.poll() is not None
            ready, _, _ = select.select([reading], [], [], 0 if ended else _LOOK_S)
            data = os.read(reading, _READ) if ready else b""
            if data:
                whole, _, rest = (rest + data).rpartition(b"\n")
                if whole:
                    yield whole.split(b"\n")
            elif ended:
                return
            elif ready:  # nobody has opened it to write, or has closed it: select returns at once
                time.sleep(_LOOK_S)
            self._tell()

    def _write(self, part: Any, lines: list[bytes]) -> None:  # noqa: ANN401 - a raw file
        records = list(self._samples.records(lines))
        if not records:
            return
        if not self._first_ns:
            self._begin(self._samples.first_start_ns)
        data = memoryview("".join(records).encode("utf-8", "replace"))
        while data:
            data = data[part.write(data) :]

    def _begin(self, at_ns: int) -> None:
        self._first_ns = at_ns
        if not self._settings.stages:
            self._event(at_ns, "phase_started", phase="1", index=0, duration_s=None)
        else:
            self._phase(0, at_ns)

    def _phase(self, index: int, at_ns: int) -> None:
        stage = self._settings.stages[index]
        self._event(at_ns, "phase_started", phase=stage["name"], index=index, duration_s=stage["duration_s"])

    def _tell(self) -> None:
        """Phases by the schedule, and iterations as users."""
        now = time.time_ns()
        if not self._first_ns or time.monotonic() < self._told + _TELL_S:
            return
        self._told = time.monotonic()
        self._follow(now)
        self._event(now, "users", **self._users())

    def _follow(self, now: int) -> None:
        stages = self._settings.stages
        while self._ended < len(stages):
            end_ns = self._first_ns + round(sum(one["duration_s"] for one in stages[: self._ended + 1]) * 1e9)
            if now < end_ns:
                return
            self._event(end_ns, "phase_ended", phase=stages[self._ended]["name"], index=self._ended)
            self._ended += 1
            if self._ended < len(stages):
                self._phase(self._ended, end_ns)

    def _users(self) -> dict[str, Any]:
        done = self._samples.iterations
        return {
            "created": {self._settings.scenario: done},
            "completed": done,
            "failed": 0,
            "skipped": self._samples.dropped,
            "errors": {},
            "unanswered": {},
        }

    def _end(self, code: int) -> None:
        now = time.time_ns()
        if self._first_ns:
            self._follow(now)
            if not self._settings.stages:
                self._event(now, "phase_ended", phase="1", index=0)
        self._event(now, "users", **self._users())
        self._event(now, "users_left")
        if self._samples.failed_checks:
            words = f"{self._samples.failed_checks:,} of {self._samples.checks:,} checks of the script failed"
            self._event(now, "note", message=words)
        self._event(
            now, "done", exit_code=code, iterations=self._samples.iterations, dropped=self._samples.dropped
        )

    def _event(self, at_ns: int, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        self._events.append({"t_ns": at_ns, "kind": kind, **details})

    def _stop(self, *_: object) -> None:
        """Once: k6 then ends its iterations, and writes its summary."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._stopped = True
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)


def main() -> int:
    """As the environment says."""
    return Drive(DriveSettings(**json.loads(os.environ[VARIABLE]))).run()


if __name__ == "__main__":
    sys.exit(main())
