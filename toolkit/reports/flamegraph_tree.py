"""Stacks to frames: merge them into one tree, drop what is too narrow to see, lay the rest out. No pixels here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = "all"
"""The label of the frame that stands for everything sampled."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One rectangle. `start`, `total` and `own` are counts; `depth` is 0 for the root.

    Children of a frame lie side by side inside `[start, start + total)`, by label, so that the same function
    stands at the same place in two flamegraphs of one service. `own` is the count of stacks that end here.
    """

    label: str
    start: int
    total: int
    own: int
    depth: int


@dataclass(frozen=True, slots=True)
class Layout:
    """`frames` in depth-first order (a parent before its children, the root first), and what was left out.

    `pruned` is the count below frames that were too narrow to draw; `pruned_frames` is how many those were.
    """

    frames: list[Frame]
    total: int
    pruned: int
    pruned_frames: int

    @property
    def levels(self) -> int:
        """How many rows the frames take."""
        return 1 + max((frame.depth for frame in self.frames), default=-1)


class _Node:
    __slots__ = ("children", "own", "total")

    def __init__(self) -> None:
        self.total = 0
        self.own = 0
        self.children: dict[str, _Node] = {}


def lay_out(stacks: Iterable[tuple[Sequence[str], int]], min_share: float) -> Layout:
    """Merge `stacks` (labels from root to leaf, count) and place every frame of at least `min_share` of the total.

    Counts below 1 are passed over. Without any stack the layout has no frame.
    """
    root = _merge(stacks)
    if root.total == 0:
        return Layout([], 0, 0, 0)
    threshold = root.total * min_share
    frames: list[Frame] = []
    pruned = pruned_frames = 0
    # A list instead of recursion: recursive services have stacks deeper than Python's own limit.
    todo = [(ROOT, root, 0, 0)]
    while todo:
        label, node, start, depth = todo.pop()
        if node.total < threshold:
            pruned += node.total
            pruned_frames += 1
            continue
        frames.append(Frame(label, start, node.total, node.own, depth))
        at = start
        placed = []
        for name, child in sorted(node.children.items()):
            placed.append((name, child, at, depth + 1))
            at += child.total
        todo.extend(reversed(placed))
    return Layout(frames, root.total, pruned, pruned_frames)


def _merge(stacks: Iterable[tuple[Sequence[str], int]]) -> _Node:
    root = _Node()
    for labels, count in stacks:
        if count < 1:
            continue
        node = root
        node.total += count
        for label in labels:
            child = node.children.get(label)
            if child is None:
                child = node.children[label] = _Node()
            child.total += count
            node = child
        node.own += count
    return root
