"""A pod's end of the line to the controller, started there by `kubectl exec`.

`python lent_line.py FOLDER PROCESS RECORDS EVENTS CONSOLE`, where the last three are how many bytes of each the controller has: a
line that broke is made anew, and goes on from there. Lines from the controller: `t` asks for the time; `go NS` begins, with the
clock's offset; `stop`, `kill`; `.` says that it is there; `bye` that it has all. Lines to it are those of lent_worker.py (`t NS`,
`p`, `e`, `c`, `n COUNT`), `d` when Locust has ended, last `j BASE64`, pieces of its statistics, and `x CODE`. It keeps nothing
running: that is lent_pod.py's, which does not notice when a line breaks.
"""

from __future__ import annotations

import base64
import contextlib
import os
import select
import sys
import time
from pathlib import Path

from lent_growing import EXIT, FETCHED, GO, HEARD, KILL, STOP, Growing, begun, written

SILENCE_S = 60.0
_TELL_S = 0.25
_PIECE = 48 * 1024


class Line:
    """One line, from when it is made until it breaks."""

    def __init__(self, folder: Path, process: str, had: tuple[int, int, int]) -> None:
        self._folder = folder
        self._counter = folder / "parts" / f"{process}.began"
        files = (folder / "parts" / f"{process}.jsonl", folder / "events.jsonl", folder / "console.log")
        marks = (b"p ", b"e ", b"c ")
        self._growing = [Growing(*each) for each in zip(files, marks, had)]  # noqa: B905 - Python 3.9 may run it
        self._input = b""
        self._heard = time.monotonic()
        self._told_end = False
        self._over = False

    def speak(self) -> None:
        """Until the controller has all, or is gone."""
        poll = select.poll()
        poll.register(0, select.POLLIN)
        while not self._over and time.monotonic() < self._heard + SILENCE_S:
            if poll.poll(_TELL_S * 1000):
                self._read()
            if not self._told_end:
                self._tell()

    def _read(self) -> None:
        data = os.read(0, 65536)
        if not data:
            self._over = True
            return
        self._heard = time.monotonic()
        written(self._folder / HEARD, "")
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            word, _, rest = line.partition(b" ")
            if word == b"t":
                _say(b"t %d\n" % time.time_ns())
            elif word == b"go":
                written(self._folder / GO, rest.decode())
            elif word in (b"stop", b"kill"):
                written(self._folder / (STOP if word == b"stop" else KILL), "")
            elif word == b"bye":
                written(self._folder / FETCHED, "")
                self._over = True

    def _tell(self) -> None:
        ended = (self._folder / EXIT).exists()  # asked first: nothing is written after it
        if ended:
            _say(b"d\n")
        while self._told() and ended:
            pass
        if not ended:
            return
        self._told_end = True
        _say(b"".join(one.lines(last=True) for one in self._growing))
        _say(b"".join(_pieces(self._folder / "locust.json")))
        _say(b"x %d\n" % int((self._folder / EXIT).read_text()))

    def _told(self) -> bool:
        """Tell what is new; whether there was anything."""
        count = begun(self._counter)
        told = b"".join(one.lines() for one in self._growing)
        # The count first: a request is begun before it is recorded, so that what breaks off here is missed rather than not.
        _say(b"n %d\n" % count + told)
        return bool(told)


def _pieces(path: Path) -> list[bytes]:
    try:
        data = path.read_bytes()
    except OSError:
        return []
    return [b"j " + base64.b64encode(data[at : at + _PIECE]) + b"\n" for at in range(0, len(data), _PIECE)]


def _say(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    os.umask(0o077)
    records, events, console = (int(word) for word in sys.argv[3:6])
    with contextlib.suppress(BrokenPipeError):  # the controller is gone; it may come again by another line
        Line(Path(sys.argv[1]), sys.argv[2], (records, events, console)).speak()
