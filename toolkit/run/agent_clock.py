"""How far a server's clock is from ours, from the round trips of the heartbeat."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_PENDING = 64
_LARGEST_NS = 2**63 - 1


class ClockOffset:
    """`offset_ns` is what is added to a server's time to get ours; true to within ± `error_ns`.

    Distances are measured on the monotonic clock: a wall clock that jumps on either side spoils one round trip at most.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        self.offset_ns = 0
        self.error_ns = 0
        self.round_trips = 0
        self.best_ns = 0
        self._sent: dict[int, int] = {}
        self._lock = threading.Lock()

    def ping(self) -> int:
        """Stamp a ping that is sent now: its `t0`."""
        with self._lock:
            stamp = self._wall_ns()
            while stamp in self._sent:
                stamp += 1
            if len(self._sent) >= _MOST_PENDING:
                del self._sent[min(self._sent)]
            self._sent[stamp] = self._steady_ns()
            return stamp

    def pong(self, stamp: object, server_ns: object) -> bool:
        """Learn from an answer that came now; False where it answers nothing that was asked."""
        now, wall = self._steady_ns(), self._wall_ns()
        if not isinstance(stamp, int) or not isinstance(server_ns, int) or not 0 < server_ns <= _LARGEST_NS:
            return False
        with self._lock:
            sent = self._sent.pop(stamp, None)
            if sent is None:
                return False
            self._learn(now - sent, wall - (now - sent) // 2 - server_ns)
        return True

    def _learn(self, round_trip_ns: int, offset_ns: int) -> None:
        error_ns = (round_trip_ns + 1) // 2
        if self.round_trips == 0 or round_trip_ns < self.best_ns:
            drifted = abs(offset_ns - self.offset_ns) if self.round_trips else 0
            beyond = drifted - error_ns - self.error_ns
            self.offset_ns, self.best_ns = offset_ns, round_trip_ns
            self.error_ns = error_ns if beyond <= 0 else drifted
        else:
            # The two estimates exclude each other: a clock drifts or was set. One offset cannot be right for the
            # whole run then, and the bound has to say so.
            drifted = abs(offset_ns - self.offset_ns)
            if drifted > error_ns + self.error_ns:
                self.error_ns = drifted
        self.round_trips += 1
