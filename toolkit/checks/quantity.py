"""One quantity that can be checked, and the statistics that can be taken of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolkit.checks.units import COUNT, SHARE, Unit

_QUANTILE = re.compile(r"p(\d{1,2}|100)(?:[._](\d+))?|p(99)(\d+)")

DISTRIBUTION = ("p50", "p95", "p99", "mean", "min", "max", "stdev")
"""Of values: any pNN (p99.9 too; p100 is max), and these."""
GAUGE = ("p50", "p95", "p99", "mean", "min", "max", "last", "slope")
"""Of something that is read once a second; slope is its growth, by the straight line that fits best."""
EVENTS = ("count", "rate", "per_s")
"""Of what did or did not happen with each request: how often, in what part of them, how often a second."""
HAPPENINGS = ("count", "per_s")
NUMBER = ("count",)
"""Of the run as a whole; it has no windows."""


@dataclass(frozen=True)
class Quantity:
    """What can be measured of a run.

    `source` and `measure` are how the analysis finds its values (`toolkit/analysis/checks/measures.py`).
    """

    name: str
    meaning: str
    unit: Unit
    statistics: tuple[str, ...]
    source: str
    measure: str = ""
    tags: tuple[str, ...] = ()
    of: str = "load"
    """load: what was sent; server: what was watched. A run that drives no load, or watches no server, does not look at checks
    on it."""

    @property
    def live(self) -> bool:
        """Whether it can be looked at while the load runs."""
        return self.source in ("requests", "metrics")

    @property
    def implied(self) -> str:
        """The statistic that is taken where none is written; empty where one must be."""
        return "count" if "count" in self.statistics else ""

    def takes(self, statistic: str) -> bool:
        """Whether this statistic can be taken of it."""
        return statistic in self.statistics or (
            "p50" in self.statistics and quantile_of(statistic) is not None
        )

    def unit_of(self, statistic: str) -> Unit:
        """The unit of a statistic of it."""
        if statistic == "count":
            return COUNT
        if statistic == "rate":
            return SHARE
        if statistic == "per_s":
            return Unit("count", "s")
        return Unit(self.unit.of, "h") if statistic == "slope" else self.unit


def quantile_of(statistic: str) -> float | None:
    """0.95 of `p95`, 0.999 of `p99.9` and `p999`, 1 of `p100`; None of anything else.

    Without a dot only p99 may go on: `p101` and `p950` could mean two things.
    """
    match = _QUANTILE.fullmatch(statistic)
    if match is None:
        return None
    whole, part = match[1] or match[3], match[2] or match[4] or "0"
    value = float(f"{whole}.{part}") / 100
    return round(value, 9) if value <= 1 else None
