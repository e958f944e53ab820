"""A run's requests, counted by name, phase and slice of time: all that resampling needs of them, however many there were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from toolkit.analysis.database import query, rows

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_SLICES = 240
SHORTEST_S = 1.0
PER_DECADE = 50
"""Bins of latency: 4.7 % wide. Within one a rank is placed by proportion; what is told to people is exact."""
_LAST_BIN = 9 * PER_DECADE
QUANTILES = (0.5, 0.95, 0.99)


class CellKey(NamedTuple):
    """What is compared with what of the same key."""

    load: str
    protocol: str
    name: str
    phase: str
    """Empty where the requests name none."""


@dataclass(frozen=True)
class Window:
    """When a phase ran, and the slices that it is cut into."""

    load: str
    phase: str
    start_ns: int
    end_ns: int
    requests: int

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end_ns - self.start_ns) / 1e9

    @property
    def slices(self) -> int:
        """How many, all of one length; at least one."""
        return max(1, min(MOST_SLICES, math.floor(self.seconds / SHORTEST_S)))

    @property
    def slice_ns(self) -> float:
        """The length of each."""
        return max(1.0, (self.end_ns - self.start_ns) / self.slices)


@dataclass(frozen=True)
class Cell:
    """One request name in one phase."""

    key: CellKey
    window: Window
    ended: int
    answered: int
    failed: int
    quantiles_ms: tuple[float, ...]
    """As `QUANTILES`, exact; empty where nothing was answered."""
    counts: Floats
    """Of the answered: slices x bins of latency, from the first bin that holds one to the last."""
    ended_in: Floats
    """In each slice."""
    failed_in: Floats

    @property
    def answered_in(self) -> Floats:
        """In each slice."""
        return np.asarray(self.counts.sum(axis=1))


def read_windows(connection: duckdb.DuckDBPyConnection) -> list[Window]:
    """Every phase in which a request was made, in order of start."""
    return [
        Window(row["load"], row["phase"], row["start_ns"], row["end_ns"], row["requests"])
        for row in rows(connection, "compare_windows")
    ]


def read_cells(connection: duckdb.DuckDBPyConnection, windows: list[Window]) -> dict[CellKey, Cell]:
    """Every request name in every phase."""
    totals = rows(connection, "compare_cells")
    if not totals:
        return {}
    found = connection.execute(query("compare_slices"), _asked(windows)).fetchnumpy()
    columns = {name: np.asarray(values, dtype=np.int64) for name, values in found.items()}
    order = np.argsort(columns["cell"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    bounds = np.searchsorted(columns["cell"], np.arange(1, len(totals) + 2))
    by_phase = {(window.load, window.phase): window for window in windows}
    cells: dict[CellKey, Cell] = {}
    for total, start, end in zip(totals, bounds[:-1], bounds[1:], strict=True):
        key = CellKey(total["load"], total["protocol"], total["name"], total["phase"])
        own = {name: values[start:end] for name, values in columns.items()}
        cells[key] = _cell(key, by_phase[key.load, key.phase], total, own)
    return cells


def _asked(windows: list[Window]) -> dict[str, Any]:
    return {
        "loads": [window.load for window in windows],
        "phases": [window.phase for window in windows],
        "starts": [window.start_ns for window in windows],
        "lengths": [window.slice_ns for window in windows],
        "counts": [window.slices for window in windows],
        "per_decade": PER_DECADE,
        "last": _LAST_BIN,
    }


def _cell(key: CellKey, window: Window, total: dict[str, Any], own: dict[str, NDArray[np.int64]]) -> Cell:
    slices = window.slices
    answered = own["bin"] >= 0
    bins = own["bin"][answered]
    first, last = (int(bins.min()), int(bins.max())) if len(bins) else (0, 0)
    counts = np.zeros((slices, last - first + 1))
    counts[own["slice"][answered], bins - first] = own["requests"][answered]
    return Cell(
        key,
        window,
        total["ended"],
        total["answered"],
        total["failed"],
        tuple(total["percentiles_ms"] or ()),
        counts,
        np.bincount(own["slice"], own["requests"], slices).astype(np.float64),
        np.bincount(own["slice"], own["failed"], slices).astype(np.float64),
    )
