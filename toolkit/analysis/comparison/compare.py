"""Two runs' tables → every comparison with its verdict, and one verdict on them all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.analysis.comparison.judging import (
    BETTER,
    LEVEL,
    SAME,
    THRESHOLD,
    UNKNOWN,
    WORSE,
    Comparison,
    Spread,
    judge,
)
from toolkit.analysis.comparison.quantities import (
    memory_series,
    request_quantities,
    server_quantities,
    server_series,
)
from toolkit.analysis.comparison.resampling import (
    ROUNDS,
    block_length,
    block_weights,
    freedom,
    inflation,
)
from toolkit.analysis.comparison.servers import joined, read_servers
from toolkit.analysis.comparison.slices import CellKey, read_cells, read_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.analysis.comparison.quantities import Measured, Metric
    from toolkit.analysis.comparison.servers import ServerPhase
    from toolkit.analysis.comparison.slices import Cell, Window

    Floats = NDArray[np.float64]
    Quantities = Iterator[tuple[Metric, Measured]]

FEWEST_S = 40
"""A phase that was shorter is not judged: slow periods of some seconds cannot be told from a slower service."""


@dataclass(frozen=True)
class RunSlices:
    """One run, as it is compared."""

    windows: list[Window]
    cells: dict[CellKey, Cell]
    servers: dict[tuple[str, str], ServerPhase]


def read_slices(connection: duckdb.DuckDBPyConnection, servers: Iterable[str]) -> RunSlices:
    """Read a run's open tables; `servers` are those that were watched, by name."""
    windows = read_windows(connection)
    return RunSlices(windows, read_cells(connection, windows), read_servers(connection, servers, windows))


def compare_slices(
    base: RunSlices, new: RunSlices, *, threshold: float = THRESHOLD, level: float = LEVEL
) -> dict[str, Any]:
    """`comparisons` (a row each), `only_in` (what one side alone has), `verdict`, `counts` of each verdict."""
    comparisons = [*_of_requests(base, new), *_of_servers(base, new)]
    rows = judge(comparisons, threshold, level)
    counts = Counter(row["verdict"] for row in rows)
    # Where both were asked for other things, what the servers spent on them says nothing of the one against the other.
    unlike = bool(base.cells and new.cells) and not any(row["of"] == "request" for row in rows)
    return {
        "verdict": next((one for one in (WORSE, BETTER, SAME) if counts[one] and not unlike), UNKNOWN),
        "nothing_in_common": unlike,
        "counts": {one: counts[one] for one in (WORSE, BETTER, SAME, UNKNOWN)},
        "settings": {
            "threshold": threshold,
            "level": level,
            "rounds": ROUNDS,
            "resampling": "blocks of neighbouring slices of each phase, Politis and White 2004",
            "correction": "Westfall and Young 1993, step down: Holm's steps, with the rounds in place of the worst case",
        },
        "phases": _phases(base, new),
        "comparisons": rows,
        "only_in": {"base": _alone(base, new), "new": _alone(new, base)},
    }


class _Draws:
    """The rounds of one phase on both sides: everything in it is computed from the same."""

    def __init__(self, base: Window, new: Window, series: list[list[Floats]], number: int) -> None:
        self.lacking = ""
        for side, window in (("base", base), ("new", new)):
            if window.seconds < FEWEST_S and not self.lacking:
                self.lacking = f"the phase lasted {window.seconds:.0f} s in {side}, {FEWEST_S} s are needed"
        blocks = [block_length(its, window.slices) for its, window in zip(series, (base, new), strict=True)]
        # The longer memory of the two, in seconds, is the service's: it counts on both sides.
        longest_ns = max(block * window.slice_ns for block, window in zip(blocks, (base, new), strict=True))
        self.weights: list[Floats] = []
        self.spreads: list[Spread] = []
        for at, window in enumerate((base, new)):
            block = max(1, min(round(longest_ns / window.slice_ns), window.slices // 2))
            self.weights.append(block_weights(window.slices, block, (number, at)))
            self.spreads.append(Spread(inflation(window.slices, block), freedom(window.slices, block)))

    def comparisons(
        self, of: dict[str, str], base: Callable[[Floats], Quantities], new: Callable[[Floats], Quantities]
    ) -> Iterator[Comparison]:
        """Of one thing on both sides."""
        for (metric, of_base), (_, of_new) in zip(base(self.weights[0]), new(self.weights[1]), strict=True):
            spreads = (self.spreads[0], self.spreads[1])
            yield Comparison(of, metric, of_base, of_new, self.lacking, spreads)


def _of_requests(base: RunSlices, new: RunSlices) -> Iterator[Comparison]:
    common = sorted(base.cells.keys() & new.cells.keys())
    phases = dict.fromkeys((key.load, key.phase) for key in common)
    for number, place in enumerate(phases):
        keys = [key for key in common if (key.load, key.phase) == place]
        sides = [[run.cells[key] for key in keys] for run in (base, new)]
        draws = _Draws(
            sides[0][0].window, sides[1][0].window, [memory_series(cells) for cells in sides], number
        )
        for key, of_base, of_new in zip(keys, *sides, strict=True):
            yield from draws.comparisons(
                {"of": "request", **key._asdict()},
                partial(request_quantities, of_base),
                partial(request_quantities, of_new),
            )


def _of_servers(base: RunSlices, new: RunSlices) -> Iterator[Comparison]:
    for number, key in enumerate(sorted(base.servers.keys() & new.servers.keys()), 10_000):
        of_base, of_new = base.servers[key], new.servers[key]
        draws = _Draws(of_base.window, of_new.window, [server_series(of_base), server_series(of_new)], number)
        yield from draws.comparisons(
            {"of": "server", "server": key[0], "phase": key[1]},
            partial(server_quantities, of_base),
            partial(server_quantities, of_new),
        )


def _phases(base: RunSlices, new: RunSlices) -> list[dict[str, Any]]:
    sides = [{window.phase: window for window in joined(run.windows)} for run in (base, new)]
    return [
        {
            "name": name,
            **{
                f"{side}_s": round(its[name].seconds, 3) if name in its else None
                for side, its in zip(("base", "new"), sides, strict=True)
            },
        }
        for name in dict.fromkeys([*sides[0], *sides[1]])
    ]


def _alone(one: RunSlices, other: RunSlices) -> list[dict[str, Any]]:
    """What `other` has not."""
    requests = [
        {"of": "request", **key._asdict(), "requests": one.cells[key].ended}
        for key in sorted(one.cells.keys() - other.cells.keys())
    ]
    servers = [
        {"of": "server", "server": server, "phase": phase}
        for server, phase in sorted(one.servers.keys() - other.servers.keys())
    ]
    return [*requests, *servers]
