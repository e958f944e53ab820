"""The difference of two profiles of 100,000 stacks each, as `toolkit compare` makes and draws it."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING

from toolkit.analysis.windows import Selection
from toolkit.analysis.windows_difference import Side, compare
from toolkit.analysis.windows_frames import Naming
from toolkit.analysis.windows_profile import Frame
from toolkit.analysis.windows_slices import ChunkSlice
from toolkit.reports.flamegraph_difference import difference_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.windows_profile import StackPath

_STACKS, _DEPTH, _FRAMES, _CHUNKS = 100_000, 30, 3000, 24


class _Source:
    """Two runs' stacks: a growing tree, of which each side counts every stack in one chunk or a few."""

    def __init__(self) -> None:
        chance = random.Random(1)
        self.frames = [
            Frame(f"function_{n}", f"/srv/shop/module_{n % 160}.py", n % 500 + 1, 0, "shop")
            for n in range(_FRAMES)
        ]
        paths: list[StackPath] = [tuple(range(8))]
        while len(paths) < _STACKS:
            below = paths[chance.randrange(len(paths))]
            kept = below[: chance.randint(8, _DEPTH - 1)]
            paths.append((*kept, *(chance.randrange(_FRAMES) for _ in range(min(3, _DEPTH - len(kept))))))
        self._counted = {
            side: [(path, chance.randrange(_CHUNKS), 50_000 * chance.randint(1, 4)) for path in paths]
            for side in ("base/web", "new/web")
        }

    def slices(self, server: str, view: str) -> list[ChunkSlice]:  # noqa: ARG002 - windows.Source
        return [ChunkSlice(number, number * 5000, 5000, 50_000) for number in range(_CHUNKS)]

    def times(
        self,
        server: str,
        view: str,  # noqa: ARG002 - windows.Source
        worker: int | None,  # noqa: ARG002 - windows.Source
        slices: Sequence[ChunkSlice],  # noqa: ARG002 - windows.Source
        blocks: Sequence[int],
    ) -> dict[int, dict[StackPath, int]]:
        found: dict[int, dict[StackPath, int]] = {}
        for path, chunk, us in self._counted[server]:
            block = found.setdefault(blocks[chunk], {})
            block[path] = block.get(path, 0) + us
        return found


def difference_of_many_stacks(rounds: int) -> str:
    """A line with the medians."""
    source = _Source()
    sides = (Side(Selection("base/web", "cpu"), 1000), Side(Selection("new/web", "cpu"), 1000))
    compared, drawn = [], []
    for _ in range(rounds):
        began = time.process_time()
        difference = compare(source, *sides, Naming(), "request")
        made = time.process_time()
        difference_svg(difference, "speed", "", normal="request", palette="red-blue")
        compared.append(made - began)
        drawn.append(time.process_time() - made)
    return (
        f"difference of 2 x {_STACKS:,} stacks of up to {_DEPTH} frames: {statistics.median(compared):.2f} s of CPU, "
        f"drawn in {statistics.median(drawn):.2f} s  n={rounds}  goal ≤ 2 s"
    )
