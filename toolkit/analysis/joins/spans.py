"""Pairing of two kinds of time spans, one to one."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Span = tuple[int, int]
"""Earliest and latest, in nanoseconds."""

_TRIES = 16


def pair(
    left: Sequence[Span | None], right: Sequence[Span | None], fits: Callable[[int, int], bool]
) -> list[tuple[int, int]]:
    """Indices of spans that meet, each in one pair at most, as many pairs as there can be; None takes no part.

    The span that ends first is given the one of the other kind that ends first of those that it meets: whatever else that
    one could have been given to, the later ones could as well, so that no pair is lost. n log n, however many meet.
    `fits` may refuse a pair; then the next few are tried.
    """
    sides = (left, right)
    opening = [sorted((span[0], index) for index, span in enumerate(side) if span) for side in sides]
    closing = sorted(
        (span[1], which, index) for which in (0, 1) for index, span in enumerate(sides[which]) if span
    )
    at = [0, 0]
    done = (bytearray(len(left)), bytearray(len(right)))
    waiting: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    refusals = (fits, lambda right_one, left_one: fits(left_one, right_one))
    found = []
    for high, which, index in closing:
        if done[which][index]:
            continue
        done[which][index] = 1
        other = 1 - which
        starts, heap = opening[other], waiting[other]
        while at[other] < len(starts) and starts[at[other]][0] <= high:
            one = starts[at[other]][1]
            at[other] += 1
            heapq.heappush(heap, ((sides[other][one] or (0, 0))[1], one))
        chosen = _first_fitting(heap, done[other], partial(refusals[which], index))
        if chosen is not None:
            done[other][chosen] = 1
            found.append((index, chosen) if which == 0 else (chosen, index))
    return found


def _first_fitting(heap: list[tuple[int, int]], done: bytearray, fits: Callable[[int], bool]) -> int | None:
    refused: list[tuple[int, int]] = []
    chosen = None
    while heap and len(refused) < _TRIES:
        item = heapq.heappop(heap)
        if done[item[1]]:
            continue
        if fits(item[1]):
            chosen = item[1]
            break
        refused.append(item)
    for item in refused:
        heapq.heappush(heap, item)
    return chosen


def pair_in_turn(
    stages: Sequence[Sequence[Span | None]], right: Sequence[Span | None], fits: Callable[[int, int], bool]
) -> Iterator[tuple[int, int, int]]:
    """Stage, left and right of each pair: `pair` with the left spans of the first stage, then what is left with the second, …"""
    left_used, right_used = bytearray(len(stages[0])), bytearray(len(right))
    for stage, spans in enumerate(stages):
        free = [None if left_used[at] else span for at, span in enumerate(spans)]
        open_ = [None if right_used[at] else span for at, span in enumerate(right)]
        for one, other in pair(free, open_, fits):
            left_used[one] = right_used[other] = 1
            yield stage, one, other


class Crowd:
    """Tells how many of many spans meet one, and which where they are few."""

    def __init__(self, spans: Sequence[Span | None]) -> None:
        self._spans = spans
        self._order = sorted((span[0], index) for index, span in enumerate(spans) if span)
        self._lows = [low for low, _ in self._order]
        self._highs = sorted(span[1] for span in spans if span)

    def meeting(self, span: Span | None) -> int:
        """How many have a moment in common with `span`."""
        if span is None:
            return 0
        return bisect_right(self._lows, span[1]) - bisect_left(self._highs, span[0])

    def fitting(self, span: Span | None, fits: Callable[[int], bool]) -> int:
        """How many of those that meet `span` also fit; where they are many, they are only counted."""
        meeting = self.meeting(span)
        if span is None or not 1 < meeting <= _TRIES:
            return meeting
        last = bisect_right(self._lows, span[1])
        found = refused = 0
        for _, index in reversed(self._order[max(0, last - 4 * _TRIES) : last]):
            one = self._spans[index]
            if one is not None and one[1] >= span[0]:
                found += 1
                refused += not fits(index)
                if found == meeting:
                    break
        return meeting - refused
