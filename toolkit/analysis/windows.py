"""Any window of a profile, added up. The page does the same in TypeScript: these sentences are the one definition of both.

Window [from, to), seconds since time 0 (milliseconds are kept): the slices whose middle lies in it, start + length / 2; where
there is none, of those that it overlaps the one with which it shares most (of several the first).
A slice of length 0 (when it was recorded is not known) belongs to the whole run alone.

Time of a node = sum of count * unit, in whole microseconds, over the slices of one server and view, of all processes or one.
A stack counts on its leaf; the total of a frame is that of its subtree, its own time that of stacks that end in it.

off = wall - cpu, node by node (before frames are removed or merged), of the same server and processes; where less than 0, 0.
It is there where both are shown. Of a window: wall's slices as above, and the slices of cpu of the window that reaches from
the start of the first of these to the end of the last, for the chunks of two views do not begin together.

Scope: `all`; `application`: frames of others are removed, a stack without any of the application becomes the one frame
`(no application function)`; `package`: a frame becomes its package, neighbours of the same name merge.
Labels: `func (file:line)` with lines, `func (file)` without, `func` where there is no file; the package's name.
Nodes of one path of labels are one frame.

Difference of A (the base) and B, frame by frame (path of labels), on totals and on own times, B - A, each side normalised:
    second    time / length, with length: the seconds of all slices that were added up (for off: of wall's)
    share     time / all time of that side
    request   (time / length) * (seconds / requests that ended in them), with the whole seconds of the timeline whose start
              lies between the first slice's start and the last one's end: of what was recorded, not of what was asked for.
              Of the whole run: time / all requests. 0 requests: no such difference.
So a window that is no multiple of the chunk is not biased by the chunks it happens to get.

Noise: would the difference of totals be other than 0 had the chunks fallen otherwise? Judged for frames whose total is at
least 0.2 % of the time of either side. Each side's slices (for off: wall's), in order of time, become at most 64 blocks
of neighbours: slice i of n is in block floor(i * blocks / n), blocks = min(64, n). For off, a slice of cpu is in the
block of the last slice of wall that starts at or before its middle (else in the first). 200 rounds: each gives every
block a weight, Poisson with mean 1, first A's blocks, then B's. A side's value of a frame in a round is
sum(weight * time of the block) / sum(weight * length of the block) (share: / sum(weight * all time of the block)), times the
constant factor of `request`; 0 where the divisor is 0. (off: wall - cpu without the floor at 0.) A frame is within the
noise when 0 lies in the middle 95 % of its 200 differences: sorted, from number 5 to number 194, counted from 0. A side
of fewer than 4 slices cannot be judged: then no frame is, and the reader is told.
Weights: u = mulberry32(1), one stream for all; k = 0, p = u(); while p > 0.36787944117144233: k += 1, p *= u(); weight k.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

from toolkit.analysis.windows_slices import WHOLE, ChunkSlice, Window, bounds_ms, held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.windows_frames import Naming
    from toolkit.analysis.windows_profile import Frame, StackPath

OFF = "off"
MOST_BLOCKS = 64

Stacks = list[tuple[tuple[str, ...], int]]
"""Labels from root to leaf, microseconds; most first."""


class Source(Protocol):
    """Where slices and times come from: the tables, or a packed profile."""

    @property
    def frames(self) -> Sequence[Frame]:
        """By number."""

    def slices(self, server: str, view: str) -> list[ChunkSlice]:
        """All slices of a view in order of time."""

    def times(
        self,
        server: str,
        view: str,
        worker: int | None,
        slices: Sequence[ChunkSlice],
        blocks: Sequence[int],
    ) -> dict[int, dict[StackPath, int]]:
        """Microseconds of each stack in each block; `blocks` names the block of each of `slices`."""


@dataclass(frozen=True)
class Selection:
    """What to look at."""

    server: str
    view: str
    """wall, cpu, gil, or off."""
    worker: int | None = None
    """A PID (0: samples that name no process); None for all processes."""
    window: Window = WHOLE


@dataclass
class WindowTimes:
    """What one window holds."""

    slices: list[ChunkSlice]
    """Those that were added up; for off, wall's."""
    times: dict[StackPath, int]
    """Microseconds of each stack; none is 0."""

    @property
    def length_ms(self) -> int:
        """How long was recorded."""
        return sum(one.length for one in self.slices)

    @property
    def total_us(self) -> int:
        """All of its time."""
        return sum(self.times.values())


@dataclass
class BlockTimes:
    """The time of one block of neighbouring slices; for off, `minus` is cpu's."""

    length_ms: int
    plus: dict[StackPath, int]
    minus: dict[StackPath, int]


def slices_in(source: Source, selection: Selection) -> list[ChunkSlice]:
    """The slices of the window; for off, wall's."""
    view = "wall" if selection.view == OFF else selection.view
    return held(selection.window, source.slices(selection.server, view))


def recorded_seconds(source: Source, selection: Selection) -> tuple[int, int] | None:
    """[first, end) of the whole seconds in which the slices of a window were recorded; None of the whole run, or of none."""
    bounds = None if selection.window.is_whole else bounds_ms(slices_in(source, selection))
    return bounds and (ceil(bounds[0] / 1000), ceil(bounds[1] / 1000))


def window_times(source: Source, selection: Selection) -> WindowTimes:
    """Add up one window."""
    slices = slices_in(source, selection)
    if selection.view != OFF:
        return WindowTimes(slices, _all(source, selection, selection.view, slices))
    wall = _all(source, selection, "wall", slices)
    cpu = _all(source, selection, "cpu", _cpu_slices(source, selection))
    return WindowTimes(
        slices, {path: us - cpu.get(path, 0) for path, us in wall.items() if us > cpu.get(path, 0)}
    )


def window_blocks(source: Source, selection: Selection) -> list[BlockTimes]:
    """The same window in at most `MOST_BLOCKS` parts, for the noise."""
    slices = slices_in(source, selection)
    count = min(MOST_BLOCKS, len(slices))
    numbers = [number * count // len(slices) for number in range(len(slices))]
    view = "wall" if selection.view == OFF else selection.view
    plus = source.times(selection.server, view, selection.worker, slices, numbers)
    minus: dict[int, dict[StackPath, int]] = {}
    if selection.view == OFF and slices:
        starts = [one.start for one in slices]
        others = _cpu_slices(source, selection)
        places = [max(0, bisect_right(starts, one.start + one.length / 2) - 1) for one in others]
        minus = source.times(
            selection.server, "cpu", selection.worker, others, [numbers[place] for place in places]
        )
    lengths = [0] * count
    for one, number in zip(slices, numbers, strict=True):
        lengths[number] += one.length
    return [
        BlockTimes(length, plus.get(number, {}), minus.get(number, {}))
        for number, length in enumerate(lengths)
    ]


def stacks_of_window(times: dict[StackPath, int], frames: Sequence[Frame], naming: Naming) -> Stacks:
    """The stacks as labels, merged where their labels are the same."""
    merged: dict[tuple[str, ...], int] = {}
    labels_of = naming.by_number(frames)
    for path, us in times.items():
        labels = labels_of(path)
        merged[labels] = merged.get(labels, 0) + us
    return sorted(merged.items(), key=lambda item: (-item[1], item[0]))


def _cpu_slices(source: Source, selection: Selection) -> list[ChunkSlice]:
    """Those that were recorded while wall's were: the two views' chunks do not begin and end together."""
    bounds = None if selection.window.is_whole else bounds_ms(slices_in(source, selection))
    window = WHOLE if bounds is None else Window(bounds[0] / 1000, bounds[1] / 1000)
    if bounds is None and not selection.window.is_whole:
        return []
    return held(window, source.slices(selection.server, "cpu"))


def _all(source: Source, selection: Selection, view: str, slices: list[ChunkSlice]) -> dict[StackPath, int]:
    found = source.times(selection.server, view, selection.worker, slices, [0] * len(slices))
    return found.get(0, {})
