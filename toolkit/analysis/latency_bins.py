"""Latencies second by second in bins: what a heatmap shows and a p95 of any window follows from.

p95 of a window: of n requests in its bins, the place 0.95 * n, counted from the lowest; linear inside the bin in which it lies.
The worst window of some seconds is the one with the highest p95 of those with at least 20 requests, in steps of a second;
of equal ones the first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from toolkit.analysis.database import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

FEWEST_REQUESTS = 20
BOUNDS_MS = [float(f"{0.1 * 10 ** (number / 20):.4g}") for number in range(121)]
"""Bin i holds latencies from bound i to bound i + 1: 0.1 ms … 100 s; the first and the last hold what is beyond, too."""

Bins = dict[int, dict[int, int]]
"""Second since 1970 → bin → requests that ended in it, answered."""


def read_bins(connection: duckdb.DuckDBPyConnection) -> Bins:
    """All seconds in which an answered request ended, in order."""
    found: Bins = {}
    for row in rows(connection, "latency_bins", {"last": len(BOUNDS_MS) - 2}):
        found.setdefault(row["t"], {})[row["bin"]] = row["requests"]
    return found


def worst_window(bins: Bins, seconds: int) -> tuple[int, float] | None:
    """The second since 1970 in which the worst window begins, and its p95 in ms; None where no window has enough requests.

    A window lies between the first and the last second; one that is longer is taken as long as they are apart (`load_seconds`).
    """
    if not bins:
        return None
    first, last = min(bins), max(bins)
    seconds = min(seconds, load_seconds(bins))
    counts = [0] * (len(BOUNDS_MS) - 1)
    for second in range(first, first + seconds):
        _add(counts, bins.get(second), 1)
    worst: tuple[int, float] | None = None
    for start in range(first, max(first, last + 1 - seconds) + 1):
        p95_ms = quantile_ms(counts, 0.95) if sum(counts) >= FEWEST_REQUESTS else None
        if p95_ms is not None and (worst is None or p95_ms > worst[1]):
            worst = start, p95_ms
        _add(counts, bins.get(start), -1)
        _add(counts, bins.get(start + seconds), 1)
    return worst


def load_seconds(bins: Bins) -> int:
    """From the first second with an answer to the last, both counted."""
    return max(bins) - min(bins) + 1 if bins else 0


def quantile_ms(counts: Sequence[int], quantile: float) -> float | None:
    """The latency at a quantile of counts by bin; None of nothing."""
    place = quantile * sum(counts)
    before = 0
    for number, count in enumerate(counts):
        if count and before + count >= place:
            low, high = BOUNDS_MS[number], BOUNDS_MS[number + 1]
            return low + (high - low) * (place - before) / count
        before += count
    return None


def requests_between(
    connection: duckdb.DuckDBPyConnection, zero_ms: int, start_s: float | None, end_s: float | None
) -> int:
    """Requests that ended in a window of seconds since `zero_ms`: a whole second is in it if its start is."""
    zero_s = zero_ms // 1000
    asked = {
        "start_s": None if start_s is None else zero_s + math.ceil(start_s),
        "end_s": None if end_s is None else zero_s + math.ceil(end_s),
    }
    (found,) = rows(connection, "requests_between", asked)
    return int(found["requests"])


def _add(counts: list[int], of_second: dict[int, int] | None, sign: int) -> None:
    for number, count in (of_second or {}).items():
        counts[number] += sign * count
