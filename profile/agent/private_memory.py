"""USS, the private memory of a process: read as often as the agent's own CPU time leaves room for it.

The kernel walks all of a process's memory to tell it (1 to 3 ms for 80 MB), and holds the process's map against changes
meanwhile. Few or small workers are read with every sample; of many large ones as many as fit, in turn.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable, Optional

from kernel_files import content, number_after
from pace import Pace

if TYPE_CHECKING:
    from process_metrics import Seen

AGENT_SHARE = 0.009  # of a core, for all that the agent does; USS takes what the rest leaves
LEAST_SHARE = 0.0005  # of a core, even where the rest leaves nothing
SMOOTHED_S = 20.0  # over which the rest's share is told
BEGIN_S = 0.005  # of CPU time: the first samples read some, before anything is known
HELD_SHARE = 0.002  # of the time for which a process's memory map may be held by our reading it
EVERY_S = 1.0  # at least between two readings of one process
TOO_LONG_S = 0.25  # after which it is never read again: whatever maps memory waits meanwhile


class Reading:
    """When one process was read, and whether it may be."""

    def __init__(self) -> None:
        self.pace = Pace(HELD_SHARE, EVERY_S, time.perf_counter)
        self.allowed = True


class PrivateMemory:
    """Adds `uss` to the processes of a sample, those that wait longest first.

    Args:
        used: CPU seconds of the agent so far.
        clock: seconds that pass.
    """

    def __init__(
        self, used: Callable[[], float] = time.process_time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._used, self._clock = used, clock
        self._at = self._used_before = 0.0
        self._rest_share = AGENT_SHARE
        self._credit_s = BEGIN_S
        self._own_s = 0.0

    def add(self, present: list[Seen]) -> None:
        """Read what is due and may be paid for."""
        self._earn()
        due = [one for one in present if one.known.uss.allowed and one.known.uss.pace.due()]
        for one in sorted(due, key=lambda seen: seen.known.uss.pace.next_at):
            if self._credit_s <= 0:
                break
            before = self._used()
            self._read(one)
            cost = self._used() - before
            self._credit_s -= cost
            self._own_s += cost

    def _earn(self) -> None:
        """What the time since the last sample was worth: the share of a core that the rest of the agent has left."""
        now, used = self._clock(), self._used()
        elapsed = now - self._at
        if self._at and elapsed > 0:
            rest = max(0.0, used - self._used_before - self._own_s) / elapsed
            weight = min(1.0, elapsed / SMOOTHED_S)
            self._rest_share += (rest - self._rest_share) * weight
            share = max(LEAST_SHARE, AGENT_SHARE - self._rest_share)
            # What was not spent does not pile up: a second in which all are read at once would be felt.
            self._credit_s = min(self._credit_s + share * elapsed, max(BEGIN_S, share * elapsed))
        self._at, self._used_before, self._own_s = now, used, 0.0

    @staticmethod
    def _read(one: Seen) -> None:
        path = "/proc/%d/smaps_rollup" % one.pid
        reading = one.known.uss
        value = uss(reading.pace.run(lambda: content(path)) or b"")
        if value is not None:
            one.row["uss"] = value
        reading.allowed = value is not None and reading.pace.cost_s < TOO_LONG_S


def uss(data: bytes) -> Optional[int]:
    """The private bytes in a `smaps_rollup` file."""
    parts = [number_after(data, key) for key in (b"Private_Clean:", b"Private_Dirty:", b"Private_Hugetlb:")]
    known = [part for part in parts if part is not None]
    return sum(known) * 1024 if len(known) >= 2 else None
