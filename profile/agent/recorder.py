"""One py-spy process: started so that it cannot outlive the agent, stopped so that it keeps its data, and accounted for."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Optional

import clock
import pyspy
from waking import Waker

if TYPE_CHECKING:
    import resource

NICENESS = 19  # behind everything the service wants to do
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded before any fork: a child of a threaded program must not load libraries
# Seconds after SIGINT. Writing is done in 0.05 s, but py-spy sees the signal only when it wakes for its next sample but one, and
# its pauses are random: where waking.py cannot wake it, one in 330 needs more than 8 s at 1 Hz. One that is stuck in the kernel
# needs more than a flag.
TERMINATE_AFTER_S, KILL_AFTER_S = 8.0, 9.5
LOG_LIMIT = 64 * 1024
# Between SIGINT and waking it, so that it knows of the signal; then from time to time, for it looks after its second sample.
WAKE_EVERY_S = 0.05


class Recorder:
    """A `py-spy record` of one view of the process `target`.

    `sampling_ns` is set once it said that it samples, `stopped_ns` when SIGINT was sent, `exit_code` when it is gone
    (negative: the signal that ended it), with `cpu_s` from the kernel's accounts.
    """

    def __init__(self, target: int, command: list[str], folder: str, output: str, log: str) -> None:
        self.target = target
        self.command = command
        self.output = output
        self._log = log
        self.sampling_ns: Optional[int] = None
        self.stopped_ns: Optional[int] = None
        self.ended_ns: Optional[int] = None
        self.exit_code: Optional[int] = None
        self.cpu_s = 0.0
        self.start_cpu_s = 0.0
        self.forced = False  # SIGINT was not enough
        self._stop_at = 0.0
        self._waker: Optional[Waker] = None
        self._wake_at = 0.0
        self.started_at = time.monotonic()
        own = os.getpid()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(log, flags, 0o600)
        try:
            # Files, never a pipe: py-spy panics when a pipe's reader is gone, and takes its data with it.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd=folder,
                env=pyspy.ENVIRONMENT,
                start_new_session=True,
                preexec_fn=lambda: _bind_to(own),
            )
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int:
        """The recorder's process."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has printed."""
        try:
            with open(self._log, "rb") as file:
                return file.read(LOG_LIMIT).decode("utf-8", "replace")
        except OSError:
            return ""

    def poll(self) -> None:
        """Look whether it has begun or ended, and be harder on one that does not stop."""
        if self.exit_code is not None:
            return
        if self.sampling_ns is None and self.stopped_ns is None and "Sampling process" in self.log:
            self.sampling_ns = clock.now_ns()
            self.start_cpu_s = _cpu_s(self.pid)
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        if pid:
            self._ended(status, usage)
        elif self.stopped_ns is not None:
            self._insist()

    def _ended(self, status: int, usage: resource.struct_rusage) -> None:
        self.ended_ns = clock.now_ns()
        self.exit_code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self._process.returncode = self.exit_code  # it is reaped: Popen must not look for it again
        self.cpu_s = usage.ru_utime + usage.ru_stime

    def _insist(self) -> None:
        now = time.monotonic()
        waited = now - self._stop_at
        if self._waker is not None and now >= self._wake_at:
            self._wake_at = now + WAKE_EVERY_S
            self._waker.wake()
        if waited > KILL_AFTER_S:
            self.signal(signal.SIGKILL)
        elif waited > TERMINATE_AFTER_S and not self.forced:
            self.forced = True
            self.signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask it to write its file and end: SIGINT, the only signal that keeps the data."""
        if self.stopped_ns is None and self.exit_code is None:
            self.stopped_ns = clock.now_ns()
            self._stop_at = time.monotonic()
            self.signal(signal.SIGINT)

    def hurry(self) -> None:
        """Somebody waits for its end: once it is told to stop, it is woken."""
        if self._waker is None:
            self._waker = Waker(self.pid)
            self._wake_at = time.monotonic() + WAKE_EVERY_S

    def signal(self, number: int) -> None:
        """Send a signal. It is our child and not yet reaped, so the PID is its own."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def clean(self) -> None:
        """Remove what it wrote."""
        for path in (self.output, self._log):
            with contextlib.suppress(OSError):
                os.unlink(path)


def _bind_to(parent: int) -> None:
    """In the child: end with data when the agent dies however it dies, and stand back behind the service."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call above
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.nice(NICENESS)


def _cpu_s(pid: int) -> float:
    """CPU seconds used so far by another process, by its own clock (clock_getcpuclockid's number for it)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except (OSError, AttributeError, OverflowError):
        return 0.0
