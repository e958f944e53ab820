"""Ctrl-C, SIGTERM and a terminal that closes: the run stops in good order, however many of them come."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit.errors import InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Counts signals. While `raising` is on, a signal also breaks what the main thread is doing."""

    def __init__(self) -> None:
        self.count = 0
        self.number = 0
        self.first_at = 0.0
        """When the first came, by the monotonic clock."""
        self._raising = False
        self._last_straw = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals over for the length of the block; must be entered by the main thread."""
        taken = [number for number in _SIGNALS if not _under_nohup(number)]
        before = {number: signal.signal(number, self._note) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Within the block a signal raises InterruptedRunError; one that came just before does so at once."""
        self._raising = True
        try:
            self.check()
            yield
        finally:
            self._raising = False

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Within the block the first signal is only counted, the second raises KeyboardInterrupt.

        For the report: it is nearly done, and `toolkit report` can build it again.
        """
        self._last_straw = self.count + 2
        try:
            yield
        finally:
            self._last_straw = 0

    def check(self) -> None:
        """Raise if a signal has come: for loops that wait."""
        if self.count:
            raise self.error()

    def error(self) -> InterruptedRunError:
        """The error that stands for the last signal."""
        name = signal.Signals(self.number).name
        return InterruptedRunError(f"Stopped by {name}.", self.number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.number = number
        self.first_at = self.first_at or time.monotonic()
        if self._raising:
            self._raising = False
            raise self.error()
        if self._last_straw and self.count >= self._last_straw:
            self._last_straw = 0
            raise KeyboardInterrupt


def _under_nohup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
