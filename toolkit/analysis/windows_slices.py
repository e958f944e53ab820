"""The chunks of a view as slices of time, and those that a window holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Window:
    """[start_s, end_s), seconds since time 0; None: without bound. Both None is the whole run."""

    start_s: float | None = None
    end_s: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole run, to which also slices belong that nobody knows the time of."""
        return self.start_s is None and self.end_s is None

    def holds(self, start_ms: int, length_ms: int) -> bool:
        """Whether a slice belongs to it: its middle does."""
        if self.is_whole:
            return True
        middle = start_ms + length_ms / 2
        after = self.start_s is None or middle >= self.start_s * 1000
        return length_ms > 0 and after and (self.end_s is None or middle < self.end_s * 1000)


WHOLE = Window()


def held(window: Window, slices: Sequence[ChunkSlice]) -> list[ChunkSlice]:
    """The slices of one view that belong to a window: those whose middle lies in it, else the one that it overlaps most."""
    found = [one for one in slices if window.holds(one.start, one.length)]
    if found:
        return found
    nearest = max(slices, key=lambda one: _overlap_ms(window, one), default=None)
    return [nearest] if nearest is not None and _overlap_ms(window, nearest) > 0 else []


def _overlap_ms(window: Window, one: ChunkSlice) -> float:
    start = one.start if window.start_s is None else max(one.start, window.start_s * 1000)
    end = one.start + one.length if window.end_s is None else min(one.start + one.length, window.end_s * 1000)
    return end - start


@dataclass(frozen=True, slots=True)
class ChunkSlice:
    """One chunk whose samples count."""

    seq: int
    start: int
    """Milliseconds since time 0."""
    length: int
    """Milliseconds; 0 where its times are not known."""
    unit: int
    """Microseconds a sample."""


def bounds_ms(slices: Iterable[ChunkSlice]) -> tuple[int, int] | None:
    """From where to where slices were recorded, milliseconds since time 0; None where the times of none are known."""
    known = [one for one in slices if one.length]
    if not known:
        return None
    return min(one.start for one in known), max(one.start + one.length for one in known)


def chunk_slices(chunks: Iterable[dict[str, Any]], zero_ms: int) -> list[ChunkSlice]:
    """The slices of one view, in order of time; without those that hold nothing or whose rate is not known.

    Args:
        chunks: rows of `queries/chunk_list.sql`.
        zero_ms: milliseconds since 1970 of time 0.
    """
    found = []
    for chunk in chunks:
        if chunk["counted"] is None or not chunk["rate_hz"]:
            continue
        start_ns, end_ns = chunk["start_ns"], chunk["end_ns"]
        known = start_ns is not None and end_ns is not None and end_ns > start_ns
        start = _ms(start_ns) - zero_ms if known else 0
        length = max(1, _ms(end_ns) - _ms(start_ns)) if known else 0
        found.append(ChunkSlice(chunk["seq"], start, length, max(1, round(1e6 / chunk["rate_hz"]))))
    return sorted(found, key=lambda one: (one.start, one.seq))


def _ms(nanoseconds: int) -> int:
    return (nanoseconds + 500_000) // 1_000_000
