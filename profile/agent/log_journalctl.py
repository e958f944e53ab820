"""A journalctl of our own: started so that it cannot outlive the agent, read without waiting, ended by its PID."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from typing import List, Optional

START_S = 0.4  # in which one that may not read the journal has ended
STOP_S = 0.5
READ_BYTES = 64 * 1024
_FIELDS = "--output-fields=MESSAGE,_PID,PRIORITY,SYSLOG_IDENTIFIER"
_NO_JOURNAL = b"No journal files were found"  # it would wait for ever
_MOST_ERRORS = 4096
_HIDDEN = b"not seeing messages from other users"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded before any fork, see recorder.py


class Unreadable(Exception):
    """Why the journal cannot be read."""


class Journalctl:
    """Prints the entries of a unit from `since_us` on, one JSON object a line, until it is ended.

    Args:
        unit: its name.
        users: a user's own unit.
        since_us: UTC microseconds.

    Raises:
        Unreadable: there is no journalctl, or it ended at once.
    """

    def __init__(self, unit: str, users: bool, since_us: int) -> None:
        program = shutil.which("journalctl")
        if program is None:
            raise Unreadable("journalctl is not there")
        which = "_SYSTEMD_USER_UNIT=" + unit if users else "--unit=" + unit
        since = "--since=@%d.%06d" % divmod(since_us, 1000000)
        command = [program, "--follow", "--no-tail", "--all", "--output=json", since]
        self._errors = b""
        try:
            self._process = _started([*command, _FIELDS, which])
            if self._ended_at_once() and b"output-fields" in self._errors:  # systemd before 236
                self.close()
                self._errors = b""
                self._process = _started([*command, which])
        except OSError as error:
            raise Unreadable("journalctl could not be started: %s" % error.strerror) from None
        if self._ended_at_once() or _NO_JOURNAL in self._errors:
            why = self.last_words
            self.close()
            raise Unreadable(why)

    def _ended_at_once(self) -> bool:
        deadline = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self._hear_errors()
        return self._process.poll() is not None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def sees_all(self) -> bool:
        """Whether it said nothing of entries that this user may not see."""
        return _HIDDEN not in self._errors

    def read(self) -> Optional[bytes]:
        """What it has printed; None where there is nothing now, empty when it has ended."""
        self._hear_errors()
        if self._process.stdout is None or self._process.stdout.closed:
            return b""
        try:
            return os.read(self._process.stdout.fileno(), READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _hear_errors(self) -> None:
        if self._process.stderr is not None and not self._process.stderr.closed:
            with contextlib.suppress(OSError):
                self._errors = (self._errors + os.read(self._process.stderr.fileno(), READ_BYTES))[
                    -_MOST_ERRORS:
                ]

    @property
    def last_words(self) -> str:
        """What it said when it ended."""
        self._hear_errors()
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return "journalctl: " + (" ".join(lines[-1].split())[:300] if lines else "it ended")

    def close(self) -> None:
        """End it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _started(command: List[str]) -> subprocess.Popen[bytes]:
    own = os.getpid()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "SYSTEMD_COLORS": "0"},
        start_new_session=True,
        preexec_fn=lambda: _bind_to(own),
    )
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            os.set_blocking(stream.fileno(), False)
    return process


def _bind_to(parent: int) -> None:
    """In the child: end when the agent dies, however it dies."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
