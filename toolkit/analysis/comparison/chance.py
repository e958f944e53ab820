"""From a difference and its spread to what chance would do: Student's t, and the correction for many comparisons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_NORMAL = NormalDist()
LARGEST_SCORE = 12.0


def score_of(t: float, degrees: float) -> float:
    """The standard normal value that is as unlikely as a Student t of so many degrees (Wallace 1959: within 0.02)."""
    if not math.isfinite(t):
        return LARGEST_SCORE
    z = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return min(z, LARGEST_SCORE)


def t_of(score: float, degrees: float) -> float:
    """The other way round."""
    z = score * (8 * degrees + 3) / (8 * degrees + 1)
    return math.sqrt(degrees * math.expm1(min(z * z / degrees, 600.0)))


def probability_of(score: float) -> float:
    """Of a value at least as far from 0, on either side."""
    return math.erfc(score / math.sqrt(2))


def welch(base_variance: float, base_degrees: float, new_variance: float, new_degrees: float) -> float:
    """Degrees of freedom of the variance of a difference (Satterthwaite)."""
    total = base_variance + new_variance
    if total <= 0:
        return base_degrees + new_degrees
    return total**2 / (base_variance**2 / base_degrees + new_variance**2 / new_degrees)


def score_of_counts(base: int, base_of: float, new: int, new_of: float) -> float:
    """How unlikely two counts are if every event came by itself and equally often on both sides (Poisson; exact, conditional).

    Args:
        base: how many events on one side.
        base_of: in how much: requests, or seconds.
        new: on the other.
        new_of: in how much.
    """
    both = base + new
    if not both or not base_of or not new_of:
        return 0.0
    share = new_of / (base_of + new_of)
    if both > 100_000:
        return min(LARGEST_SCORE, abs(new - both * share) / math.sqrt(both * share * (1 - share)))
    counts = np.arange(both + 1)
    logs = np.cumsum(np.log(np.concatenate(([1.0], np.arange(1, both + 1)))))
    terms = logs[both] - logs[counts] - logs[both - counts] + counts * math.log(share)
    likely = np.exp(terms + (both - counts) * math.log1p(-share))
    tail = float(likely[new:].sum() if new > both * share else likely[: new + 1].sum())
    return _score_of_probability(min(1.0, 2 * tail))


def _score_of_probability(probability: float) -> float:
    return LARGEST_SCORE if probability < 1e-32 else max(0.0, -_NORMAL.inv_cdf(probability / 2))


@dataclass(frozen=True)
class Corrected:
    """One comparison among many."""

    probability: float
    """Of so large a difference in any of the comparisons, had none of them changed."""
    limit: float
    """The score that it had to pass."""
    passed: bool


def correct(scores: Sequence[float], rounds: Floats, level: float) -> list[Corrected]:
    """Holm's steps with the rounds in place of the worst case (Westfall and Young 1993).

    Args:
        scores: of each comparison.
        rounds: of each round (rows) the score of each comparison (columns) where nothing has changed.
        level: how often at the most any comparison may be told from chance by chance.
    """
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    found: list[Corrected | None] = [None] * len(scores)
    # From the last step to the first: the largest of the comparisons that are still in the race.
    largest = np.zeros(len(rounds))
    races: list[Floats] = []
    for place in reversed(order):
        largest = np.maximum(largest, rounds[:, place])
        races.append(largest)
    races.reverse()
    highest, failed_at = 0.0, 0.0
    for place, race in zip(order, races, strict=True):
        probability = (1 + int((race >= scores[place]).sum())) / (len(race) + 1)
        highest = max(highest, probability)
        limit = failed_at or float(np.quantile(race, 1 - level, method="higher"))
        passed = not failed_at and highest <= level
        failed_at = failed_at if passed or failed_at else limit
        found[place] = Corrected(highest, limit, passed)
    return [one for one in found if one is not None]
