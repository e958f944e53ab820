"""Two windows compared, frame by frame. Definitions: `toolkit.analysis.windows`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.analysis.windows import stacks_of_window, window_blocks, window_times
from toolkit.analysis.windows_noise import FEWEST_SLICES, SMALLEST_SHARE, Noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.analysis.windows import BlockTimes, Selection, Source, WindowTimes
    from toolkit.analysis.windows_frames import Naming
    from toolkit.analysis.windows_profile import StackPath

NORMALS = ("second", "share", "request")


@dataclass(eq=False)
class ComparedFrame:
    """One frame of either side; microseconds."""

    label: str
    a_total: int = 0
    a_own: int = 0
    b_total: int = 0
    b_own: int = 0
    within_noise: bool | None = None
    """None: too small, or its window too short, to be judged."""
    children: dict[str, ComparedFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """One window and what it is normalised by."""

    selection: Selection
    requests: int = 0
    """That ended in `seconds`; of the whole run all."""
    seconds: tuple[int, int] | None = None
    """As `recorded_seconds`."""


@dataclass(frozen=True)
class Scale:
    """Microseconds → what is compared: microseconds a millisecond (second), a request, or a fraction (share)."""

    divisor: float
    factor: float = 1.0

    def of(self, microseconds: float) -> float:
        """0 where there is nothing to divide by."""
        return microseconds / self.divisor * self.factor if self.divisor else 0.0


@dataclass
class Difference:
    """Everything about A (the base) and B. `root` is the frame of all time."""

    root: ComparedFrame
    a: WindowTimes
    b: WindowTimes
    scale_a: Scale
    scale_b: Scale
    judged: bool
    """Whether the noise could be told."""

    def change(self, frame: ComparedFrame) -> float:
        """B - A of the totals, normalised."""
        return self.scale_b.of(frame.b_total) - self.scale_a.of(frame.a_total)

    def own_change(self, frame: ComparedFrame) -> float:
        """B - A of the own times, normalised."""
        return self.scale_b.of(frame.b_own) - self.scale_a.of(frame.a_own)

    def relative_change(self, frame: ComparedFrame) -> float:
        """From -1 (vanished) to 1 (new): the change of the total as a part of the larger side."""
        a, b = self.scale_a.of(frame.a_total), self.scale_b.of(frame.b_total)
        return (b - a) / max(a, b) if max(a, b) > 0 else 0.0

    def each(self) -> Iterator[tuple[tuple[str, ...], ComparedFrame]]:
        """Every frame below the root with its path of labels; a parent before its children, children by label."""
        todo: list[tuple[tuple[str, ...], ComparedFrame]] = [
            ((label,), child) for label, child in sorted(self.root.children.items(), reverse=True)
        ]
        while todo:
            path, frame = todo.pop()
            yield path, frame
            todo.extend(
                ((*path, label), child) for label, child in sorted(frame.children.items(), reverse=True)
            )

    def vanished(self) -> list[tuple[tuple[str, ...], ComparedFrame]]:
        """The outermost frames that A has and B has not, most time first."""
        gone = [(path, frame) for path, frame in self.each() if not frame.b_total]
        paths = {path for path, _ in gone}
        outermost = [(path, frame) for path, frame in gone if path[:-1] not in paths]
        return sorted(outermost, key=lambda one: (-one[1].a_total, one[0]))


def compare(source: Source, a: Side, b: Side, naming: Naming, normal: str = "second") -> Difference:
    """B compared with A. With `normal` = request both must have requests."""
    times_a, times_b = window_times(source, a.selection), window_times(source, b.selection)
    root = ComparedFrame("all")
    for times, is_b in ((times_a, False), (times_b, True)):
        for labels, us in stacks_of_window(times.times, source.frames, naming):
            _count(root, labels, us, is_b=is_b)
    scale_a, scale_b = _scale(a, times_a, normal), _scale(b, times_b, normal)
    judged = min(len(times_a.slices), len(times_b.slices)) >= FEWEST_SLICES
    difference = Difference(root, times_a, times_b, scale_a, scale_b, judged)
    if judged:
        _judge(difference, source, (a.selection, b.selection), naming, normal)
    return difference


def _count(root: ComparedFrame, labels: Sequence[str], us: int, *, is_b: bool) -> None:
    frame = root
    path = [root]
    for label in labels:
        child = frame.children.get(label)
        if child is None:
            child = frame.children[label] = ComparedFrame(label)
        frame = child
        path.append(frame)
    for one in path:
        if is_b:
            one.b_total += us
        else:
            one.a_total += us
    if is_b:
        frame.b_own += us
    else:
        frame.a_own += us


def _scale(side: Side, times: WindowTimes, normal: str) -> Scale:
    if normal == "share":
        return Scale(times.total_us)
    if normal == "second":
        return Scale(times.length_ms)
    length_ms = times.length_ms if side.seconds is None else (side.seconds[1] - side.seconds[0]) * 1000
    return Scale(times.length_ms, length_ms / side.requests if side.requests else 0.0)


class _BlockTotals:
    """Totals of the frames that are judged, block by block."""

    def __init__(self, difference: Difference, source: Source, naming: Naming) -> None:
        least_a = max(1, difference.a.total_us * SMALLEST_SHARE)
        least_b = max(1, difference.b.total_us * SMALLEST_SHARE)
        self.judged = {difference.root} | {
            frame for _, frame in difference.each() if frame.a_total >= least_a or frame.b_total >= least_b
        }
        self._root = difference.root
        self._labels_of = naming.by_number(source.frames)
        self._places: dict[StackPath, list[ComparedFrame]] = {}

    def of(self, blocks: list[BlockTimes]) -> dict[ComparedFrame, list[int]]:
        """Microseconds of each frame in each block."""
        times = {frame: [0] * len(blocks) for frame in self.judged}
        for number, block in enumerate(blocks):
            for sign, part in ((1, block.plus), (-1, block.minus)):
                for path, us in part.items():
                    for frame in self._frames_on(path):
                        times[frame][number] += sign * us
        return times

    def _frames_on(self, path: StackPath) -> list[ComparedFrame]:
        found = self._places.get(path)
        if found is None:
            along = _along(self._root, self._labels_of(path))
            found = self._places[path] = [one for one in along if one in self.judged]
        return found


def _judge(
    difference: Difference,
    source: Source,
    selections: tuple[Selection, Selection],
    naming: Naming,
    normal: str,
) -> None:
    totals = _BlockTotals(difference, source, naming)
    blocks_a, blocks_b = (window_blocks(source, selection) for selection in selections)
    times_a, times_b = totals.of(blocks_a), totals.of(blocks_b)
    if normal == "share":
        divisors_a, divisors_b = times_a[difference.root], times_b[difference.root]
    else:
        divisors_a = [block.length_ms for block in blocks_a]
        divisors_b = [block.length_ms for block in blocks_b]
    noise = Noise(divisors_a, divisors_b, difference.scale_a.factor, difference.scale_b.factor)
    for frame in totals.judged:
        frame.within_noise = noise.holds(times_a[frame], times_b[frame])


def _along(root: ComparedFrame, labels: Sequence[str]) -> Iterator[ComparedFrame]:
    """The frames of a stack, as far as there are any: off-CPU, a stack of wall may be in neither window."""
    yield root
    frame = root
    for label in labels:
        if label not in frame.children:
            return
        frame = frame.children[label]
        yield frame
