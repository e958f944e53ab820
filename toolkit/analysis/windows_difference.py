"""Two windows compared, frame by frame. Definitions: `toolkit.analysis.windows`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.analysis.windows import window_blocks, window_times
from toolkit.analysis.windows_noise import FEWEST_SLICES, SMALLEST_SHARE, Noise
from toolkit.analysis.windows_tree import ROOT, BlockTotals, ComparedFrame, StackTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.windows import Selection, Source, WindowTimes
    from toolkit.analysis.windows_frames import Naming

# A path that is written down only where it is asked for: of 300,000 frames few have vanished.
_Trail = tuple["_Trail | None", str]

NORMALS = ("second", "share", "request")


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
        gone: list[tuple[tuple[str, ...], ComparedFrame]] = []
        todo: list[tuple[_Trail | None, ComparedFrame]] = [(None, self.root)]
        while todo:
            trail, frame = todo.pop()
            for label, child in frame.children.items():
                below = (trail, label)
                if child.b_total:
                    todo.append((below, child))
                else:
                    gone.append((_path(below), child))
        return sorted(gone, key=lambda one: (-one[1].a_total, one[0]))


def _path(trail: _Trail | None) -> tuple[str, ...]:
    labels = []
    while trail is not None:
        trail, label = trail
        labels.append(label)
    return tuple(reversed(labels))


def compare(source: Source, a: Side, b: Side, naming: Naming, normal: str = "second") -> Difference:
    """B compared with A. With `normal` = request both must have requests."""
    times_a, times_b = window_times(source, a.selection), window_times(source, b.selection)
    tree = StackTree(naming.by_number(source.frames))
    tree.count(times_a.times, times_b.times)
    scale_a, scale_b = _scale(a, times_a, normal), _scale(b, times_b, normal)
    judged = min(len(times_a.slices), len(times_b.slices)) >= FEWEST_SLICES
    difference = Difference(tree.root, times_a, times_b, scale_a, scale_b, judged)
    if judged:
        _judge(difference, tree, source, (a.selection, b.selection), normal)
    return difference


def _scale(side: Side, times: WindowTimes, normal: str) -> Scale:
    if normal == "share":
        return Scale(times.total_us)
    if normal == "second":
        return Scale(times.length_ms)
    length_ms = times.length_ms if side.seconds is None else (side.seconds[1] - side.seconds[0]) * 1000
    return Scale(times.length_ms, length_ms / side.requests if side.requests else 0.0)


def _judge(
    difference: Difference,
    tree: StackTree,
    source: Source,
    selections: tuple[Selection, Selection],
    normal: str,
) -> None:
    least_a = max(1, difference.a.total_us * SMALLEST_SHARE)
    least_b = max(1, difference.b.total_us * SMALLEST_SHARE)
    totals = BlockTotals(tree, lambda frame: frame.a_total >= least_a or frame.b_total >= least_b)
    blocks_a, blocks_b = (window_blocks(source, selection) for selection in selections)
    times_a, times_b = totals.of(blocks_a), totals.of(blocks_b)
    if normal == "share":
        divisors_a, divisors_b = times_a[ROOT], times_b[ROOT]
    else:
        divisors_a = [block.length_ms for block in blocks_a]
        divisors_b = [block.length_ms for block in blocks_b]
    noise = Noise(divisors_a, divisors_b, difference.scale_a.factor, difference.scale_b.factor)
    for place in totals.places:
        tree.frames[place].within_noise = noise.holds(times_a[place], times_b[place])
