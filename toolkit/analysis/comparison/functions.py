"""Functions that gained and lost time per request, with the interval of each.

In the cpu view a function's time is its own, without what it calls. In the wall view it is that of the innermost function of the
application on the stack, with the libraries that it waits in; stacks without one (threads that wait for work) do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.analysis.comparison.judging import BETTER, WORSE, Comparison, Spread, judge
from toolkit.analysis.comparison.quantities import Measured, Metric
from toolkit.analysis.comparison.resampling import (
    FEWEST_BLOCKS,
    block_length,
    block_weights,
    freedom,
    inflation,
)
from toolkit.analysis.windows import window_blocks
from toolkit.analysis.windows_frames import APPLICATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from toolkit.analysis.comparison.two_runs import TwoRuns
    from toolkit.analysis.windows import BlockTimes
    from toolkit.analysis.windows_difference import Side
    from toolkit.analysis.windows_profile import Frame, StackPath

    Floats = NDArray[np.float64]

_SMALLEST_SHARE = 0.002
_WIDEST_SHARE = 0.02
"""Of all of base's time: where an interval reaches further, something that matters could be there."""
_MOST = 200
CHANGED = {WORSE: "gained", BETTER: "lost"}


def changed_functions(runs: TwoRuns, server: str, view: str, threshold: float) -> list[dict[str, Any]]:
    """Each function with at least 0.2 % of either side's time: `server`, `view`, `function`, `file`, `owner` (application or
    not), and as in compare.json; `verdict` is gained, lost, no difference or not enough data. Changed ones first, by size."""
    sides = runs.sides(server, view)
    blocks = [window_blocks(runs, side.selection) for side in sides]
    names: dict[tuple[str, str, bool], int] = {}
    times = [_times(runs.frames, its, view, names) for its in blocks]
    if not names or not all(map(len, blocks)):
        return []
    count = len(names)
    matrices = [_matrix(its, count) for its in times]
    kept = _worth_judging(matrices)
    of = [{"server": server, "view": view, "function": name, "file": file} for name, file, _ in names]
    owned = [own for _, _, own in names]
    comparisons = list(_comparisons(sides, blocks, matrices, kept, of, runs.normal))
    rows = judge(comparisons, threshold)
    for row, number in zip(rows, kept, strict=True):
        row["application"] = owned[number]
        row["verdict"] = CHANGED.get(row["verdict"], row["verdict"])
    return sorted(rows, key=_size)


def _size(row: dict[str, Any]) -> tuple[bool, float, str]:
    return row["verdict"] not in CHANGED.values(), -abs(row["difference"] or 0.0), row["function"]


def _comparisons(
    sides: tuple[Side, Side],
    blocks: list[list[BlockTimes]],
    matrices: list[Floats],
    kept: list[int],
    of: list[dict[str, str]],
    normal: str,
) -> Iterator[Comparison]:
    fewest = min(map(len, blocks))
    lacking = f"{fewest} chunks were recorded, {FEWEST_BLOCKS} are needed" if fewest < FEWEST_BLOCKS else ""
    lengths = [np.array([one.length_ms for one in its], dtype=np.float64) for its in blocks]
    factors = [
        (length.sum() / 1e6 / side.requests if normal == "request" else 1 / 1e3)
        for side, length in zip(sides, lengths, strict=True)
    ]
    if not all(length.sum() for length in lengths):
        lacking = "when its chunks were recorded is not known"
    weights, spreads = [], []
    for number, (matrix, length) in enumerate(zip(matrices, lengths, strict=True)):
        block = 1 if lacking else block_length([matrix.sum(axis=0)], len(length))
        weights.append(block_weights(len(length), block, (20_000, number)))
        spreads.append(Spread(inflation(len(length), block), freedom(len(length), block)))
    base_s = float(matrices[0].sum()) / max(1.0, float(lengths[0].sum())) * factors[0]
    metric = Metric(
        f"s_per_{normal}",
        "time",
        f"s/{normal}",
        "worse",
        is_ratio=False,
        widest=_WIDEST_SHARE * base_s,
    )
    divisors = [draws @ length for draws, length in zip(weights, lengths, strict=True)]
    for number in kept:
        measured = []
        for matrix, length, draws, divisor, factor in zip(
            matrices, lengths, weights, divisors, factors, strict=True
        ):
            whole = float(length.sum())
            value = float(matrix[number].sum()) / whole * factor if whole else 0.0
            rounds = np.divide(draws @ matrix[number], divisor, out=np.zeros(len(divisor)), where=divisor > 0)
            measured.append(Measured(value, rounds * factor, is_log=False))
        yield Comparison(of[number], metric, measured[0], measured[1], lacking, (spreads[0], spreads[1]))


def _times(
    frames: Sequence[Frame],
    blocks: list[BlockTimes],
    view: str,
    names: dict[tuple[str, str, bool], int],
) -> list[dict[int, int]]:
    """Microseconds of each function in each block."""
    known: dict[StackPath, int] = {}
    found = []
    for block in blocks:
        times: dict[int, int] = {}
        for path, us in block.plus.items():
            number = known.get(path)
            if number is None:
                frame = _function(frames, path, view)
                number = -1
                if frame is not None:
                    name = (frame.name, frame.file, frame.owner == APPLICATION)
                    number = names.setdefault(name, len(names))
                known[path] = number
            if number >= 0:
                times[number] = times.get(number, 0) + us
        found.append(times)
    return found


def _function(frames: Sequence[Frame], path: StackPath, view: str) -> Frame | None:
    if view == "cpu":
        return frames[path[-1]]
    return next((frames[number] for number in reversed(path) if frames[number].owner == APPLICATION), None)


def _matrix(times: list[dict[int, int]], functions: int) -> Floats:
    matrix = np.zeros((functions, len(times)))
    for block, its in enumerate(times):
        for number, us in its.items():
            matrix[number, block] = us
    return matrix


def _worth_judging(matrices: list[Floats]) -> list[int]:
    totals = [matrix.sum(axis=1) for matrix in matrices]
    shares = np.max([total / max(1.0, total.sum()) for total in totals], axis=0)
    order = np.argsort(-shares, kind="stable")[:_MOST]
    return [int(number) for number in order if shares[number] >= _SMALLEST_SHARE]
