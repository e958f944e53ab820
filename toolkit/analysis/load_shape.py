"""The shape of the load over time and of its latencies: what the page's arrivals, heatmap and histograms are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.analysis.database import rows
from toolkit.analysis.latency_bins import BOUNDS_MS, Bins, read_bins, worst_window

if TYPE_CHECKING:
    import duckdb

WORST_S = 30
"""Seconds of the worst window."""

Name = tuple[str, str, str]
"""Load, protocol, name of a request."""


@dataclass(frozen=True)
class LoadShape:
    """Seconds are since 1970; a second in which nothing happened is left out."""

    offered: dict[int, int] = field(default_factory=dict)
    """Second → virtual users that the arrival schedule meant to begin in it."""
    arrived: dict[int, int] = field(default_factory=dict)
    """Second → virtual users whose first request started in it."""
    bins: Bins = field(default_factory=dict)
    """Second → bin → answered requests that ended in it; bounds: `latency_bins.BOUNDS_MS`."""
    by_name: dict[Name, dict[int, int]] = field(default_factory=dict)
    """Request → bin → answered requests."""
    worst: tuple[int, float] | None = None
    """The second in which the `WORST_S` seconds with the highest p95 begin, and that p95 in ms."""


def read_load_shape(connection: duckdb.DuckDBPyConnection) -> LoadShape:
    """Read it from the tables; empty where no request was recorded."""
    arrivals = rows(connection, "arrivals")
    bins = read_bins(connection)
    by_name: dict[Name, dict[int, int]] = {}
    for row in rows(connection, "latency_bins_by_name", {"last": len(BOUNDS_MS) - 2}):
        by_name.setdefault((row["load"], row["protocol"], row["name"]), {})[row["bin"]] = row["requests"]
    return LoadShape(
        offered={row["t"]: row["offered"] for row in arrivals if row["offered"]},
        arrived={row["t"]: row["arrived"] for row in arrivals if row["arrived"]},
        bins=bins,
        by_name=by_name,
        worst=worst_window(bins, WORST_S),
    )
