"""UTC from a monotonic clock. What is kept of a request is `now()`; it becomes UTC when it is written, so that a correction
of the clock never bends a duration.
"""

from __future__ import annotations

import os
import time

now = time.perf_counter_ns
"""Nanoseconds, monotonic."""


_AHEAD_NS = int(os.environ.get("TOOLKIT_CLOCK_OFFSET_NS") or 0)
"""Added to this host's time to get the controller's; 0 on the controller's own machine."""


def utc_now() -> int:
    """UTC nanoseconds by the controller's clock."""
    return time.time_ns() + _AHEAD_NS


def _origin() -> int:
    before = time.perf_counter_ns()
    utc = utc_now()
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
