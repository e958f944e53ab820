"""A process of the load that runs elsewhere, seen from here as one of ours: what every kind of them has in common."""

from __future__ import annotations

import subprocess
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress

from toolkit.errors import ToolkitError
from toolkit.run.agent_clock import ClockOffset

SILENCE_S = 20.0
"""What keeps it there says something four times a second."""
_BEAT_S = 2.0
_PINGS = 8


class DistantProcess(ABC):
    """As much of `subprocess.Popen` as the run needs. `returncode` is set once its end was told, or it is given up.

    Who builds upon it calls `listen` as the last of its own making, releases `_answered` at each answer to a ping, notes in
    `_heard` when it heard something, and sets `_ended` at the end.
    """

    def __init__(self, name: str, answer_s: float) -> None:
        self.returncode: int | None = None
        self.how = ""
        """How it ended, in words, where an exit code does not say it."""
        self._name, self._answer_s = name, answer_s
        self._clock = ClockOffset()
        self._asked = 0
        self._answered = threading.Semaphore(0)
        self._heard = time.monotonic()
        self._ended = threading.Event()

    @property
    def offset(self) -> tuple[int, int]:
        """(nanoseconds that its clock is behind ours, ± how many)."""
        return self._clock.offset_ns, self._clock.error_ns

    def listen(self) -> None:
        """Begin to read what it says, and to let it know that we are there."""
        for target, does in ((self._read, "reads"), (self._beat, "beats")):
            threading.Thread(target=target, name=f"{self._name} {does}", daemon=True).start()

    def learn_clock(self) -> None:
        """Ask for the time there, some times.

        Raises:
            ToolkitError: it does not answer.
        """
        for _ in range(_PINGS):
            self._asked = self._clock.ping()
            self._ask_time()
            if not self._answered.acquire(timeout=self._answer_s):
                raise ToolkitError(self._silent())

    def poll(self) -> int | None:
        """The exit code, or None while it runs; a line that fell silent is cut."""
        if self.returncode is None and time.monotonic() > self._heard + SILENCE_S:
            self._cut()
        return self.returncode

    def send_signal(self, _number: int) -> None:
        """As Ctrl-C would; what stays for long is ended there."""
        self._say(b"stop\n")

    def wait(self, timeout: float | None = None) -> int:
        """The exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(self._name, timeout or 0.0)
        return self.returncode or 0

    def kill(self) -> None:
        """At once. It still tells what it wrote; who does not answer is hung up on."""
        self._say(b"kill\n")
        if not self._ended.wait(SILENCE_S / 2):
            self.hang_up()

    def hang_up(self) -> None:
        """Listen no more."""
        self._cut()

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            self._say(b".\n")

    def _say(self, line: bytes) -> None:
        with suppress(ToolkitError):  # the connection broke, which its reader notices
            self._write(line)

    def _ask_time(self) -> None:
        self._say(b"t\n")

    @abstractmethod
    def _write(self, line: bytes) -> None:
        """Tell it.

        Raises:
            ToolkitError: the connection broke.
        """

    @abstractmethod
    def _read(self) -> None:
        """Take what it says, until it ends."""

    @abstractmethod
    def _cut(self) -> None:
        """End the connection as it is now."""

    @abstractmethod
    def _silent(self) -> str:
        """A sentence on one that does not answer."""
