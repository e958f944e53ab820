"""Runs one worker on a host that lends its CPU, tells the controller what it writes, and takes the folder away at the end.

`python lent_worker.py FOLDER`. Lines from the controller: `t` asks for the time; `run JSON` starts the worker, once; `stop`
ends it as Ctrl-C would, `kill` at once; `.` says that the controller is there. When the input ends, or nothing came for
`SILENCE_S`, the worker is ended. Lines to it: `t NS`; `p`, `e`, `c` and a line of records, events or console; `n COUNT` of
requests begun (see locust_recorder/part.py), which is also the sign of life; `x CODE` last.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lent_growing import Growing, begun

SILENCE_S = 15.0
_TELL_S = 0.25
_STOP_S = 5.0
_PR_SET_PDEATHSIG = 1
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


def die_with_us() -> None:
    """In the child: a worker whose keeper was killed must not go on; and it hears what we do not."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Keeper:
    """Keeps one worker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._worker: subprocess.Popen[bytes] | None = None
        self._input = b""
        self._heard = time.monotonic()
        self._kill_at = float("inf")
        self._gone = False
        self._growing: list[Growing] = []
        self._began = folder / "parts"
        self._counter: Path | None = None

    def keep(self) -> None:
        """Until the worker has ended and all was told."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        while self._worker is None or self._worker.poll() is None:
            if poll.poll(_TELL_S * 1000):
                self._read()
            self._tell()
            silent = time.monotonic() > self._heard + SILENCE_S
            if (self._gone or silent) and self._worker is None:
                return
            if self._gone or silent:
                self._stop()
            if time.monotonic() > self._kill_at:
                self._kill()
        while self._tell():
            pass
        self._say(b"".join(one.lines(last=True) for one in self._growing))
        self._say(b"x %d\n" % self._worker.returncode)

    def end(self) -> None:
        """Whatever happened: no worker, no folder."""
        if self._worker is not None and self._worker.poll() is None:
            self._kill()
            self._worker.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> None:
        data = os.read(0, 65536)
        if not data:
            self._gone = True
            return
        self._heard = time.monotonic()
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"t":
                self._say(b"t %d\n" % time.time_ns())
            elif word == b"run" and self._worker is None:
                self._start(json.loads(rest))
            elif word == b"stop":
                self._stop()
            elif word == b"kill":
                self._kill()

    def _start(self, asked: dict[str, Any]) -> None:
        console = (self._folder / "console.log").open("ab")
        self._counter = self._began / f"{asked['process']}.began"
        self._growing = [
            Growing(self._began / f"{asked['process']}.jsonl", b"p "),
            Growing(self._folder / "events.jsonl", b"e "),
            Growing(self._folder / "console.log", b"c "),
        ]
        self._worker = subprocess.Popen(
            asked["argv"],
            env={**os.environ, **asked["env"]},
            cwd=self._folder / asked["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_us,
        )
        console.close()

    def _stop(self) -> None:
        if self._worker is not None and self._kill_at == float("inf"):
            self._kill_at = time.monotonic() + _STOP_S
            self._worker.send_signal(signal.SIGINT)

    def _kill(self) -> None:
        if self._worker is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._worker.pid, signal.SIGKILL)

    def _tell(self) -> bool:
        """Whether there was anything new."""
        told = b"".join(one.lines() for one in self._growing)
        count = begun(self._counter) if self._counter is not None else 0
        # The count first: a request is begun before it is recorded, so that what breaks off here is missed rather than not.
        self._say(b"n %d\n" % count + told)
        return bool(told)

    def _say(self, data: bytes) -> None:
        try:
            while data and not self._gone:
                data = data[os.write(1, data) :]
        except OSError:
            self._gone = True


def main() -> None:
    """See the module."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    keeper = Keeper(Path(sys.argv[1]))
    try:
        keeper.keep()
    finally:
        keeper.end()


if __name__ == "__main__":
    main()
