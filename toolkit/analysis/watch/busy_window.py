"""Which chunks of the stacks say how busy workers were while requests were sent.

A chunk is a mean over some seconds: one that lies half before the load has the idle time before it in it. So the chunks that
lie within the window are taken where there are enough, each with the part of it that does, and what was taken is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_WITHIN = (0.9, 0.5, 0.0)
"""How much of a chunk must lie within the window; the first that leaves enough of it."""
_ENOUGH = 0.5

Chunk = dict[str, Any]
Window = dict[str, Any]


@dataclass(frozen=True)
class BusyChunks:
    """The chunks that count for a window."""

    chunks: list[Chunk]
    window: Window
    blurred: bool
    """Some of them lie to more than a tenth outside of the window."""

    @property
    def chunk_s(self) -> float | None:
        """How long they are: the resolution in time."""
        return (
            median((chunk["end_ns"] - chunk["start_ns"]) / 1e9 for chunk in self.chunks)
            if self.chunks
            else None
        )

    @property
    def seconds(self) -> float:
        """How much of the window they cover."""
        return sum(self.inside_ns(chunk) for chunk in self.chunks) / 1e9

    def inside_ns(self, chunk: Chunk) -> int:
        """How much of a chunk lies in the window."""
        return _common_ns(chunk["start_ns"], chunk["end_ns"], self.window)

    def weights(self, lane: Sequence[int]) -> dict[int, float]:
        """Places in a grid of seconds whose middle lies in one of the chunks → how much of the second lies in the window."""
        found = {}
        for at, second in enumerate(lane):
            middle_ns = second * 10**9 + 5 * 10**8
            if any(chunk["start_ns"] <= middle_ns < chunk["end_ns"] for chunk in self.chunks):
                share = _common_ns(second * 10**9, (second + 1) * 10**9, self.window) / 1e9
                if share > 0:
                    found[at] = share
        return found


def busy_chunks(chunks: list[Chunk], window: Window) -> BusyChunks:
    """Choose.

    Args:
        chunks: of `Busy`.
        window: `{"from_ns", "to_ns"}`, both None for all of the time.
    """
    if window["from_ns"] is None:
        return BusyChunks(chunks, window, blurred=False)
    lasted_ns = window["to_ns"] - window["from_ns"]
    touching = [chunk for chunk in chunks if _inside(chunk, window) > 0]
    found = touching
    for least in _WITHIN:
        found = [chunk for chunk in touching if _inside(chunk, window) >= least]
        if (
            sum(_common_ns(chunk["start_ns"], chunk["end_ns"], window) for chunk in found)
            >= _ENOUGH * lasted_ns
        ):
            break
    return BusyChunks(found, window, blurred=any(_inside(chunk, window) < _WITHIN[0] for chunk in found))


def _inside(chunk: Chunk, window: Window) -> float:
    lasted_ns = chunk["end_ns"] - chunk["start_ns"]
    return _common_ns(chunk["start_ns"], chunk["end_ns"], window) / lasted_ns if lasted_ns > 0 else 0.0


def _common_ns(from_ns: int, to_ns: int, window: Window) -> int:
    if window["from_ns"] is None:
        return max(0, to_ns - from_ns)
    first_ns: int = max(from_ns, window["from_ns"])
    last_ns: int = min(to_ns, window["to_ns"])
    return max(0, last_ns - first_ns)
