"""Users: how many were meant to arrive by when, and how many did."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from toolkit.analysis.trust import limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.trust.reading import Load, Row


class Share:
    """A thread's share of a phase (`kind: schedule`)."""

    def __init__(self, schedule: Row) -> None:
        self.start_s = schedule["t_ns"] / 1e9
        self.index = int(schedule["index"])
        self.name = str(schedule.get("phase") or self.index + 1)
        self.mode = str(schedule.get("mode") or "")
        self.duration_s = float(schedule["duration_s"])
        self._rate = _number(schedule, "rate")
        self._ramp_to = _number(schedule, "ramp_to")
        self._count = _number(schedule, "count")
        self._worker, self._workers = int(schedule["worker"]), int(schedule["workers"])

    def meant_by(self, at_s: float) -> float:
        """Users that it means to have made by then."""
        at = min(max(at_s - self.start_s, 0.0), self.duration_s)
        if self.mode == "ramp":
            return self._ramped(at)
        if self.mode == "count":
            return self._count * at / self.duration_s if self.duration_s else self._count
        return 0.0 if self.mode == "pause" else self._rate * at

    def _ramped(self, at: float) -> float:
        whole = min(int(at), len(self._seconds) - 1)
        rest = at - whole
        until = self._seconds[whole]
        return until + ((self._seconds[whole + 1] - until) * rest if whole + 1 < len(self._seconds) else 0.0)

    @cached_property
    def _seconds(self) -> list[int]:
        """Of a ramp: users by the end of each second, from 0, as Artillery's createRamp counts them: whole numbers in each,
        fractions dealt out among the threads."""
        periods = max(1, math.ceil(self.duration_s))
        step = (self._ramp_to - self._rate) / (periods - 1) if periods > 1 else 0.0
        first = self._rate if periods > 1 else (self._rate + self._ramp_to) / 2
        raw = (max(0.0, first + step * period) for period in range(periods))
        return [0, *accumulate(self._users(users) for users in raw)]

    def _users(self, raw: float) -> int:
        return math.floor(raw) + (math.floor(raw % 1 * self._workers + 0.5) >= self._worker)


def _number(schedule: Row, name: str) -> float:
    value = schedule.get(name)
    return float(value) if isinstance(value, (int, float)) else 0.0


_PULSES_S = 2.0
"""A user is counted up to a pulse later than it came."""


@dataclass(frozen=True)
class Arrivals:
    """The users of one engine, all its threads together. Times in epoch seconds."""

    load: Load

    @cached_property
    def _shares(self) -> list[Share]:
        return [Share(row) for row in self.load.schedules]

    @cached_property
    def _by_thread(self) -> list[tuple[list[float], list[float]]]:
        threads: dict[Any, tuple[list[float], list[float]]] = {}
        began = {row["worker"]: row["t_ns"] / 1e9 for row in reversed(self.load.schedules)}
        earliest = min(began.values(), default=None)
        for row in self.load.pulses:
            start = began.get(row["worker"], earliest)
            times, counts = threads.setdefault(row["worker"], ([] if start is None else [start], []))
            if len(counts) < len(times):
                counts.append(0.0)
            times.append(row["t_ns"] / 1e9)
            counts.append(float(row["arrived"]))
        return list(threads.values())

    @cached_property
    def last_s(self) -> float:
        """When its threads were last heard of together; 0 where never."""
        return min((times[-1] for times, _ in self._by_thread), default=0.0)

    @cached_property
    def _last_arrival_s(self) -> float:
        """When the last user had arrived, by the pulse that counts it first; 0 where nothing is known."""
        return max(
            (times[counts.index(counts[-1])] for times, counts in self._by_thread if counts), default=0.0
        )

    def arrived_by(self, at_s: float) -> float:
        """Users so far; in between two pulses as if evenly."""
        return sum(_between(times, counts, at_s) for times, counts in self._by_thread)

    def meant_by(self, at_s: float) -> float:
        """Users that the schedule means to have by then; a phase that began late means them late."""
        return sum(share.meant_by(at_s) for share in self._shares)

    def phases(self) -> list[Phase]:
        """Its phases that are no pauses, in order."""
        shares: dict[int, list[Share]] = {}
        for share in self._shares:
            shares.setdefault(share.index, []).append(share)
        return [
            self._phase(index, phase)
            for index, phase in shares.items()
            if any(share.mode != "pause" for share in phase)
        ]

    def _phase(self, index: int, shares: list[Share]) -> Phase:
        start_s = min(share.start_s for share in shares)
        planned_s = max(share.duration_s for share in shares)
        ended = [row["t_ns"] / 1e9 for row in self.load.pulses if row.get("ended") == index]
        whole = len(ended) >= len(shares)
        end_s = max(ended) if whole else self.last_s
        if (
            whole
            and index == max(share.index for share in self._shares)
            and self._last_arrival_s > end_s + _PULSES_S
        ):
            end_s = (
                self._last_arrival_s
            )  # a generator at its limit says that a phase has ended while its users queue up
        # Of a load that was stopped in the middle of a phase only what came before is asked for.
        asked_s = planned_s if whole else min(planned_s, max(0.0, end_s - start_s))
        meant = sum(share.meant_by(start_s + asked_s) for share in shares)
        if any(share.mode == "poisson" for share in shares):
            meant = max(0.0, meant - limits.POISSON_DEVIATIONS * math.sqrt(meant))
        until_s = min(start_s + asked_s + limits.GRACE_S, end_s)
        came = self.arrived_by(until_s) - self.arrived_by(start_s) + limits.TICKS_LATE * len(shares)
        return Phase(
            load=self.load.name,
            name=shares[0].name,
            mode=shares[0].mode,
            start_s=start_s,
            end_s=end_s,
            whole=whole,
            planned_s=planned_s,
            meant=meant,
            arrived=min(came, meant),
        )


@dataclass(frozen=True)
class Phase:
    """A phase of one engine: what was planned and what came of it."""

    load: str
    name: str
    mode: str
    start_s: float
    end_s: float
    whole: bool
    """Whether it ran to its end."""
    planned_s: float
    meant: float
    """Users planned; of a phase that was cut short, until then; of random arrivals, the fewest that chance allows."""
    arrived: float
    """Those that came in time, at most `meant`."""

    @property
    def ratio(self) -> float | None:
        """Arrived of meant; None where too few were meant to say."""
        return self.arrived / self.meant if self.meant >= limits.LEAST_ARRIVALS else None

    @property
    def stretched_s(self) -> float:
        """How much longer it took than planned; 0 where it did not."""
        return max(0.0, self.end_s - self.start_s - self.planned_s) if self.whole else 0.0


def _between(times: Sequence[float], counts: Sequence[float], at: float) -> float:
    place = bisect_right(times, at)
    if place == 0:
        return 0.0
    if place == len(times):
        return counts[-1]
    before, after = times[place - 1], times[place]
    share = (at - before) / (after - before) if after > before else 1.0
    return counts[place - 1] + (counts[place] - counts[place - 1]) * share
