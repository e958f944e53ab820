"""Statistics of values with their times: of all, and of the worst window. Live and afterwards the same ones."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.checks.quantity import quantile_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.checks.check import Check

SECOND_NS = 1_000_000_000
FEWEST = 20
"""Values in a window before a quantile, a mean or a share of it says anything; as for the page's worst window."""
FEWEST_FOR_SLOPE = 10
_NEED_MANY = ("mean", "rate")
_GAUGE_SOURCES = ("metrics",)

Sample = tuple[int, float]
"""When (ns), and the value; of events 1 where it happened and 0 where it did not."""


@dataclass(frozen=True)
class Window:
    """What one stretch of time measured."""

    value: float
    from_ns: int
    to_ns: int
    samples: int


def fewest_of(check: Check) -> int:
    """How many values a window needs before it is judged."""
    if check.statistic == "slope":
        return FEWEST_FOR_SLOPE
    if check.quantity.source in _GAUGE_SOURCES:
        return 1
    needs_many = check.quantile is not None or check.statistic in _NEED_MANY
    return FEWEST if needs_many else 0 if check.statistic in ("count", "per_s") else 1


def statistic_of(samples: Sequence[Sample], statistic: str, seconds: float) -> float | None:
    """One statistic of values in order of time; None where there are too few. `seconds` is how long they were looked at."""
    values = [value for _, value in samples]
    quantile = quantile_of(statistic)
    if statistic == "count":
        return sum(values)
    if statistic == "per_s":
        return sum(values) / seconds if seconds > 0 else None
    if not values:
        return None
    if quantile is not None:
        return quantile_of_sorted(sorted(values), quantile)
    if statistic == "slope":
        return slope_per_h(samples)
    return _plain(values, statistic)


def _plain(values: list[float], statistic: str) -> float | None:
    mean = sum(values) / len(values)
    if statistic == "stdev":
        return (
            math.sqrt(sum((one - mean) ** 2 for one in values) / (len(values) - 1))
            if len(values) > 1
            else None
        )
    return {
        "mean": mean,
        "rate": mean * 100,
        "min": min(values),
        "max": max(values),
        "last": values[-1],
    }.get(statistic)


def quantile_of_sorted(values: Sequence[float], quantile: float) -> float:
    """Linear between the two closest ranks, as in summary.json."""
    place = quantile * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def slope_per_h(samples: Sequence[Sample]) -> float | None:
    """Growth an hour by the line of least squares; None of fewer than ten values."""
    if len(samples) < FEWEST_FOR_SLOPE:
        return None
    origin = samples[0][0]
    hours = [(t_ns - origin) / SECOND_NS / 3600 for t_ns, _ in samples]
    values = [value for _, value in samples]
    mean_t, mean_v = sum(hours) / len(hours), sum(values) / len(values)
    spread = sum((one - mean_t) ** 2 for one in hours)
    if spread == 0:
        return None
    return sum((t - mean_t) * (v - mean_v) for t, v in zip(hours, values, strict=True)) / spread


def worst_window(samples: Sequence[Sample], check: Check, from_ns: int, to_ns: int) -> Window | None:
    """The window in which the check is worst, of those that begin a whole number of seconds after `from_ns` and end by `to_ns`.

    Where much is bad also the one that holds what is left of the last second. None where none fits in, or none holds enough
    values. `samples` stand in order of time.
    """
    length_ns = (check.window_s or 0) * SECOND_NS
    if to_ns - from_ns < length_ns:
        return None
    to_ns += SECOND_NS * check.high_is_bad
    times = [t_ns for t_ns, _ in samples]
    worst: Window | None = None
    for start in range(from_ns, to_ns - length_ns + 1, SECOND_NS):
        found = window_at(samples, times, check, start)
        if found and (worst is None or check.badness(found.value) > check.badness(worst.value)):
            worst = found
    return worst


def window_at(samples: Sequence[Sample], times: Sequence[int], check: Check, start_ns: int) -> Window | None:
    """The check's statistic in the window that begins at `start_ns`; None where too little is in it."""
    seconds = check.window_s or 0
    end_ns = start_ns + seconds * SECOND_NS
    inside = samples[bisect_left(times, start_ns) : bisect_left(times, end_ns)]
    if len(inside) < fewest_of(check):
        return None
    value = statistic_of(inside, check.statistic, seconds)
    return None if value is None else Window(value, start_ns, end_ns, len(inside))
