"""UTC from a monotonic clock. What is kept of a request is `now()`; it becomes UTC when it is written, so that a correction
of the clock never bends a duration.
"""

from __future__ import annotations

import time

now = time.perf_counter_ns
"""Nanoseconds, monotonic."""


def _origin() -> int:
    before = time.perf_counter_ns()
    utc = time.time_ns()
    return utc - (before + time.perf_counter_ns()) // 2


class Clock:
    """How far UTC is from `now()`."""

    def __init__(self) -> None:
        self.origin = _origin()

    def reanchor(self) -> None:
        """Follow the system's clock: it is slewed by NTP, or stepped, while the monotonic one goes its own way."""
        self.origin = _origin()

    def utc(self, at: int) -> int:
        """UTC nanoseconds of a moment that `now()` gave, in whole microseconds as the other recorder's."""
        return (self.origin + at) // 1000 * 1000


clock = Clock()
