"""Between which bounds a quantile lies in each of many overlapping windows, from counts in bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.checks.series import FEWEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Edge = Callable[[int], float]
    """Where a bin begins."""
    Counted = dict[int, dict[int, int]]
    """Second → bin → values."""

_PER_DECADE = 200
FINE = 1000


@dataclass(frozen=True)
class Bounds:
    """Of the window that begins `first` seconds after the start."""

    first: int
    low: float
    high: float


def coarse_edge(number: int) -> float:
    """Where a bin of check_bins.sql begins; the first holds everything below, too."""
    return float(10 ** (number / _PER_DECADE) - 1) / 1000 if number else float("-inf")


def fine_edge(low: float, high: float) -> Edge:
    """Where the bins of check_fine_bins.sql begin."""

    def edge(number: int) -> float:
        if number == 0:
            return float("-inf")
        return low + (high - low) * (number - 1) / FINE if number <= FINE + 1 else float("inf")

    return edge


def quantile_bounds(
    counted: Counted, window: int, seconds: int, quantile: float, edge: Edge = coarse_edge
) -> Iterator[Bounds]:
    """Each window that lies within `seconds` and holds enough values."""
    largest = max((number for bins in counted.values() for number in bins), default=0)
    sliding = _Sliding([0] * (largest + 2))
    for second in range(seconds):
        sliding.add(counted.get(second, {}), 1)
        if second >= window:
            sliding.add(counted.get(second - window, {}), -1)
        if second >= window - 1 and sliding.total >= FEWEST:
            place = quantile * (sliding.total - 1)
            low, high = sliding.bin_of(int(place)), sliding.bin_of(min(int(place) + 1, sliding.total - 1))
            yield Bounds(second - window + 1, edge(low), edge(high + 1))


@dataclass
class _Sliding:
    """Counts by bin, and a place among them that seldom has to move far."""

    counts: list[int]
    total: int = 0
    _at: int = 0
    _below: int = 0

    def add(self, bins: dict[int, int], sign: int) -> None:
        for number, count in bins.items():
            self.counts[number] += sign * count
            self.total += sign * count
            if number < self._at:
                self._below += sign * count

    def bin_of(self, rank: int) -> int:
        """The bin that holds the value of this rank, counted from 0."""
        while self._below > rank:
            self._at -= 1
            self._below -= self.counts[self._at]
        while self._below + self.counts[self._at] <= rank:
            self._below += self.counts[self._at]
            self._at += 1
        return self._at
