"""The time of day as the agent tells it: this machine's clock as it stood when the agent began, steady from there on.

A clock that somebody sets in the middle of a run would move what comes after it by hours: chunks would last as long, and no
one offset could bring all of it to the controller's time. Times that others stamped, of files and in journals, are theirs.
"""

from __future__ import annotations

import time
from typing import Optional

_SET_S = 0.5  # less is no setting: the two are not read at the same moment


def _steady_ns() -> int:
    try:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)  # goes on while the machine sleeps
    except (AttributeError, OSError):
        return time.monotonic_ns()


_BEGAN_NS = time.time_ns() - _steady_ns()


def now_ns() -> int:
    """UTC nanoseconds."""
    return _BEGAN_NS + _steady_ns()


def now() -> float:
    """UTC seconds."""
    return now_ns() / 1e9


class Watch:
    """Notices that somebody sets the machine's clock."""

    def __init__(self) -> None:
        self._told_s = 0.0

    def moved_s(self) -> Optional[float]:
        """By how many seconds it stands beside ours, if that is new; else None."""
        beside_s = (time.time_ns() - now_ns()) / 1e9
        if abs(beside_s - self._told_s) < _SET_S:
            return None
        self._told_s = beside_s
        return round(beside_s, 3)
