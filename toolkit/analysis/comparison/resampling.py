"""The block bootstrap: how a run could have come out had its slices of time fallen otherwise.

Latencies of one moment resemble each other: a slow second slows all that is under way. So not requests are drawn anew but
blocks of neighbouring slices, and every quantity of a phase is computed from the same draws: what moves together in a run moves
together in each round. See docs/decisions/020-comparing-runs.md.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROUNDS = 1000
FEWEST_BLOCKS = 8
"""A side always has as many, however long its quantities remember: fewer cannot tell how much they vary."""
_LEAST_PART = 16
"""A block is never shorter than the phase divided by this: memory that is not seen in so few slices is there all the same."""

_FEWEST_VALUES = 8


def block_weights(slices: int, block: int, seed: Sequence[int], rounds: int = ROUNDS) -> Floats:
    """How often each slice stands in each round, `rounds` x `slices`: blocks of `block` neighbours around a circle."""
    chance = np.random.default_rng(list(seed))
    starts = chance.integers(0, slices, (rounds, -(-slices // block)))
    places = (starts[:, :, None] + np.arange(block)).reshape(rounds, -1)[:, :slices] % slices
    flat = (places + np.arange(rounds)[:, None] * slices).ravel()
    return np.bincount(flat, minlength=rounds * slices).reshape(rounds, slices).astype(np.float64)


def block_length(series: Sequence[Floats], slices: int) -> int:
    """Slices a block needs for the longest memory among `series` (one value a slice), within what so many slices allow."""
    wanted = max((_automatic(one) for one in series), default=1.0)
    return max(1, min(math.ceil(max(wanted, slices / _LEAST_PART)), slices // FEWEST_BLOCKS))


def _automatic(series: Floats) -> float:
    """Politis and White (2004), corrected 2009, for the circular bootstrap."""
    values = series - series.mean()
    count = len(values)
    if count < _FEWEST_VALUES or not values.any():
        return 1.0
    quiet = max(5, math.ceil(math.sqrt(math.log10(count))))
    most = min(count - 1, math.ceil(math.sqrt(count)) + quiet)
    products = [float(values[: count - lag] @ values[lag:]) for lag in range(most + 1)]
    memory = np.array(products) / products[0]
    small = np.abs(memory) < 2 * math.sqrt(math.log10(count) / count)
    found = next((lag for lag in range(most - quiet + 1) if small[lag + 1 : lag + 1 + quiet].all()), most)
    reach = min(most, 2 * max(found, 1))
    lags = np.arange(1, reach + 1)
    kept = np.minimum(1.0, 2 * (1 - lags / reach)) * memory[1 : reach + 1]
    spectrum, slope = 1 + 2 * float(kept.sum()), 2 * float(kept @ lags)
    if spectrum <= 0:
        return 1.0
    return max(1.0, math.cbrt(1.5 * slope * slope / spectrum**2 * count))


def inflation(slices: int, block: int) -> float:
    """By how much the spread of the rounds is too small: blocks vary about the mean of their own run."""
    return math.sqrt(slices / (slices - block)) if slices > block else math.inf


def freedom(slices: int, block: int) -> float:
    """Degrees of freedom of a variance from overlapping blocks."""
    return max(1.0, 1.5 * slices / block - 1)
