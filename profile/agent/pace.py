"""How often something costly is looked at: as often as its cost allows, never oftener."""

from __future__ import annotations

import math
import time
from typing import Callable, Optional, TypeVar

Found = TypeVar("Found")
_EARLY_S = 0.05  # a look that is due a moment after this sample is taken with it


class Pace:
    """Keeps the CPU time of a repeated look within a share of one core.

    Args:
        share: of a core, 0.001 for 0.1 %.
        least_s: between two looks, however cheap.
        clock: what a look costs: this thread's CPU time, or `time.perf_counter` where waiting counts too.
        most_s: between two looks, however dear: one dear look must not silence what is looked at for long.
    """

    def __init__(
        self,
        share: float,
        least_s: float = 0.0,
        clock: Callable[[], float] = time.thread_time,
        most_s: float = math.inf,
    ) -> None:
        self._share, self._least_s, self._clock, self._most_s = share, least_s, clock, most_s
        self.next_at = 0.0
        self.cost_s = 0.0
        """Of the last look."""

    def due(self, now: Optional[float] = None) -> bool:
        """Whether it may be looked at now (`time.monotonic`)."""
        return (time.monotonic() if now is None else now) + _EARLY_S >= self.next_at

    def run(self, look: Callable[[], Found]) -> Found:
        """Look, and see what it costs."""
        started, before = time.monotonic(), self._clock()
        try:
            return look()
        finally:
            self.cost_s = self._clock() - before
            self.next_at = started + min(self._most_s, max(self._least_s, self.cost_s / self._share))
