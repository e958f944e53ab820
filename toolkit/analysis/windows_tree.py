"""The stacks of two windows as one tree of frames, counted for each side, and block by block where a frame is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from toolkit.analysis.windows import BlockTimes
    from toolkit.analysis.windows_profile import StackPath

ROOT = 0
"""The place of the frame of all time."""


@dataclass(eq=False, slots=True)
class ComparedFrame:
    """One frame of either side; microseconds."""

    label: str
    place: int = ROOT
    a_total: int = 0
    a_own: int = 0
    b_total: int = 0
    b_own: int = 0
    within_noise: bool | None = None
    """None: too small, or its window too short, to be judged."""
    children: dict[str, ComparedFrame] = field(default_factory=dict)


class StackTree:
    """Every frame has a place: a number larger than its parent's, so that totals are sums from the last place to the first.

    Args:
        labels_of: the labels of a recorded path, from root to leaf.
    """

    def __init__(self, labels_of: Callable[[StackPath], Sequence[str]]) -> None:
        self.root = ComparedFrame("all")
        self.frames = [self.root]
        self.parents = [ROOT]
        self._labels_of = labels_of
        self._leaves: dict[StackPath, int] = {}

    def count(self, times_a: Mapping[StackPath, int], times_b: Mapping[StackPath, int]) -> None:
        """Take in the microseconds of both sides' stacks."""
        self._grow(times_a.keys() | times_b.keys())
        frames, leaves = self.frames, self._leaves
        for path, us in times_a.items():
            frames[leaves[path]].a_own += us
        for path, us in times_b.items():
            frames[leaves[path]].b_own += us
        for frame in frames:
            frame.a_total, frame.b_total = frame.a_own, frame.b_own
        for place in range(len(frames) - 1, ROOT, -1):
            frame, parent = frames[place], frames[self.parents[place]]
            parent.a_total += frame.a_total
            parent.b_total += frame.b_total

    def leaf(self, path: StackPath) -> int:
        """The place of a stack's last frame, as far as there are any: off-CPU, a stack of wall may be in neither window."""
        found = self._leaves.get(path)
        if found is None:
            frame = self.root
            for label in self._labels_of(path):
                below = frame.children.get(label)
                if below is None:
                    break
                frame = below
            found = self._leaves[path] = frame.place
        return found

    def _grow(self, paths: set[StackPath]) -> None:
        """In their order: what a stack shares with the one before need not be looked for again."""
        before: Sequence[str] = ()
        trail = [self.root]
        for path in sorted(paths):
            labels = self._labels_of(path)
            shared = 0
            for one, other in zip(labels, before, strict=False):
                if one != other:
                    break
                shared += 1
            del trail[shared + 1 :]
            frame = trail[-1]
            for label in labels[shared:]:
                frame = self._below(frame, label)
                trail.append(frame)
            self._leaves[path] = frame.place
            before = labels

    def _below(self, frame: ComparedFrame, label: str) -> ComparedFrame:
        found = frame.children.get(label)
        if found is None:
            found = frame.children[label] = ComparedFrame(label, len(self.frames))
            self.frames.append(found)
            self.parents.append(frame.place)
        return found


class BlockTotals:
    """Totals, block by block, of the frames that are judged.

    Args:
        tree: counted.
        judges: whether a frame is; who judges a frame must judge its parent, which has no less time.
    """

    def __init__(self, tree: StackTree, judges: Callable[[ComparedFrame], bool]) -> None:
        self._tree = tree
        self.places = [ROOT]
        self._nearest = [ROOT] * len(tree.frames)
        for place in range(1, len(tree.frames)):
            above = tree.parents[place]
            if self._nearest[above] == above and judges(tree.frames[place]):
                self.places.append(place)
                self._nearest[place] = place
            else:
                self._nearest[place] = self._nearest[above]

    def of(self, blocks: list[BlockTimes]) -> dict[int, list[int]]:
        """Place of a judged frame → its microseconds in each block."""
        times = {place: [0] * len(blocks) for place in self.places}
        leaf, nearest = self._tree.leaf, self._nearest
        for number, block in enumerate(blocks):
            for sign, part in ((1, block.plus), (-1, block.minus)):
                for path, us in part.items():
                    times[nearest[leaf(path)]][number] += sign * us
        for place in reversed(self.places[1:]):
            parent = times[self._tree.parents[place]]
            for number, us in enumerate(times[place]):
                parent[number] += us
        return times
