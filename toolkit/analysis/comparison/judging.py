"""Verdicts: of each comparison whether it differs, by how much at the least and at the most, and whether that matters."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.analysis.comparison.chance import (
    LARGEST_SCORE,
    correct,
    probability_of,
    score_of,
    score_of_counts,
    t_of,
    welch,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.analysis.comparison.chance import Corrected
    from toolkit.analysis.comparison.quantities import Measured, Metric

    Floats = NDArray[np.float64]

WORSE, BETTER, SAME, UNKNOWN = "worse", "better", "no difference", "not enough data"
LEVEL = 0.03
THRESHOLD = 0.02
WIDEST = 0.25
"""An interval that reaches further than this part of the base on either side cannot say "no difference"."""


@dataclass(frozen=True)
class Spread:
    """How the rounds of one side are to be read."""

    inflation: float
    degrees: float


@dataclass
class Comparison:
    """One quantity of one thing on both sides."""

    of: dict[str, str]
    """Whose: `of` (request, server), `load`, `protocol`, `name`, `server`, `phase`."""
    metric: Metric
    base: Measured
    new: Measured
    lacking: str = ""
    """Why it cannot be judged: the first of the phase's and of both sides' reasons."""
    spreads: tuple[Spread, Spread] | None = None
    score: float = 0.0
    centred: Floats = field(default_factory=lambda: np.zeros(0))
    """Scores of the rounds about their own mean: what chance alone makes of it."""
    spread: float = 0.0
    """Standard error of the difference, on the scale of the rounds."""
    degrees: float = 1.0

    def measure(self) -> None:
        """Compute the score; afterwards `lacking` says whether there is one."""
        self.lacking = self.lacking or self.base.lacking or self.new.lacking
        if self.base.value is None or self.new.value is None:
            self.lacking = self.lacking or "it was not measured"
        if self.lacking or self.spreads is None:
            return
        deviations = [float(side.rounds.std(ddof=1)) for side in (self.base, self.new)]
        if not all(map(math.isfinite, (*deviations, self.distance))):
            self.lacking = "there were requests in too few of its seconds"
            return
        variances = [
            (one * spread.inflation) ** 2 for one, spread in zip(deviations, self.spreads, strict=True)
        ]
        self.spread = math.sqrt(sum(variances))
        self.degrees = welch(variances[0], self.spreads[0].degrees, variances[1], self.spreads[1].degrees)
        self.score = self._scored()
        self.centred = self._chance()

    @property
    def distance(self) -> float:
        """New less base, on the scale of the rounds."""
        base, new = self.base.value, self.new.value
        if base is None or new is None:
            return math.nan
        if not self.base.is_log:
            return new - base
        return math.log(new / base) if base > 0 and new > 0 else math.nan

    def _scored(self) -> float:
        if self.spread:
            score = score_of(abs(self.distance) / self.spread, self.degrees)
        else:
            score = LARGEST_SCORE if self.distance else 0.0
        if self.base.counts and self.new.counts:
            # Few events vary as counts do, also where the slices of one side happen to hold none, or as many each.
            score = min(score, score_of_counts(*self.base.counts, *self.new.counts))
        return score

    def _chance(self) -> Floats:
        rounds = self.new.rounds - self.base.rounds
        deviation = rounds.std(ddof=1)
        return np.abs(rounds - rounds.mean()) / deviation if deviation > 0 else np.zeros(len(rounds))


def judge(comparisons: Sequence[Comparison], threshold: float, level: float = LEVEL) -> list[dict[str, Any]]:
    """A row of compare.json for each comparison, in the same order."""
    for one in comparisons:
        one.measure()
    known = [one for one in comparisons if not one.lacking]
    rounds = np.column_stack([one.centred for one in known]) if known else np.zeros((0, 0))
    corrected = correct([one.score for one in known], rounds, level)
    by_id = {id(one): found for one, found in zip(known, corrected, strict=True)}
    return [_row(one, by_id.get(id(one)), threshold) for one in comparisons]


def _row(one: Comparison, corrected: Corrected | None, threshold: float) -> dict[str, Any]:
    base, new = one.base.value, one.new.value
    row: dict[str, Any] = {
        **one.of,
        "metric": one.metric.name,
        "label": one.metric.label,
        "unit": one.metric.unit,
        "base": base,
        "new": new,
        "difference": new - base if base is not None and new is not None else None,
        "relative": new / base - 1 if base is not None and new is not None and base > 0 else None,
        "interval": None,
        "relative_interval": None,
        "p": None,
        "p_corrected": None,
        "verdict": UNKNOWN,
        "why": one.lacking,
    }
    if corrected is None or base is None or new is None:
        return row
    row["p"], row["p_corrected"] = probability_of(one.score), corrected.probability
    row["interval"], row["relative_interval"] = _intervals(one, corrected, base)
    row["verdict"], row["why"] = _verdict(one, corrected, row, threshold)
    return row


def _intervals(one: Comparison, corrected: Corrected, base: float) -> tuple[list[float], list[float] | None]:
    """Of the difference and of its relative size, as wide as the correction asks: it holds 0 just where nothing was found."""
    reach = t_of(corrected.limit, one.degrees) * one.spread
    if one.base.counts and one.new.counts:
        reach = max(
            reach, corrected.limit * _spread_of_counts(one.base.counts, one.new.counts, one.base.is_log)
        )
    low, high = one.distance - reach, one.distance + reach
    if not corrected.passed:
        low, high = min(low, 0.0), max(high, 0.0)
    elif one.distance > 0:
        low = max(low, 0.0)
    else:
        high = min(high, 0.0)
    if one.base.is_log:
        relative = [math.expm1(max(low, -50.0)), math.expm1(min(high, 50.0))]
        return [base * part for part in relative], relative
    low, high = max(low, -base), high
    return [low, high], [low / base, high / base] if base > 0 else None


def _spread_of_counts(base: tuple[int, float], new: tuple[int, float], is_log: bool) -> float:
    """Standard error of the difference of two rates, or of their logarithms, had every event come by itself."""
    if is_log:
        return math.sqrt(1 / max(1, base[0]) + 1 / max(1, new[0]))
    rate = (base[0] + new[0] + 1) / (base[1] + new[1])
    return math.sqrt(rate * (1 / base[1] + 1 / new[1]))


def _verdict(one: Comparison, corrected: Corrected, row: dict[str, Any], threshold: float) -> tuple[str, str]:
    metric = one.metric
    least = max(threshold, metric.least_relative)
    relative = math.inf if row["relative"] is None else abs(row["relative"])
    if not corrected.passed:
        reach = max(map(abs, row["interval"]))
        if reach > WIDEST * row["base"] and (metric.is_ratio or reach > metric.widest):
            return UNKNOWN, "its interval is too wide to say that nothing has changed"
        return SAME, ""
    if relative < least:
        return SAME, f"it differs, by less than {least * 100:g} %"
    if abs(row["difference"]) < metric.least:
        return SAME, f"it differs, by less than {metric.least:g} {metric.unit}"
    return (WORSE if (row["difference"] > 0) == (metric.more_is == "worse") else BETTER), ""
