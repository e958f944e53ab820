"""Pairing of time spans, against every possible pairing."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from toolkit.analysis.joins.spans import Crowd, pair, pair_in_turn

if TYPE_CHECKING:
    from toolkit.analysis.joins.spans import Span

SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=7,
)


def anything(_left: int, _right: int) -> bool:
    return True


def meet(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def most_pairs(left: list[Span], right: list[Span]) -> int:
    @cache
    def best(at: int, used: int) -> int:
        if at == len(left):
            return 0
        found = best(at + 1, used)
        for index, span in enumerate(right):
            if not used >> index & 1 and meet(left[at], span):
                found = max(found, 1 + best(at + 1, used | 1 << index))
        return found

    return best(0, 0)


@given(SPANS, SPANS)
def test_there_are_as_many_pairs_as_there_can_be_and_each_meets(left: list[Span], right: list[Span]) -> None:
    found = pair(left, right, anything)

    assert len(found) == most_pairs(left, right)
    assert all(meet(left[one], right[other]) for one, other in found)
    assert len({one for one, _ in found}) == len({other for _, other in found}) == len(found)


@given(SPANS, SPANS)
def test_what_does_not_fit_is_never_paired(left: list[Span], right: list[Span]) -> None:
    found = pair(left, right, lambda one, other: (one + other) % 2 == 0)

    assert all((one + other) % 2 == 0 and meet(left[one], right[other]) for one, other in found)


@given(SPANS, st.tuples(st.integers(0, 30), st.integers(0, 8)))
def test_a_crowd_counts_those_that_meet(spans: list[Span], asked: tuple[int, int]) -> None:
    span = (asked[0], asked[0] + asked[1])
    meeting = [index for index, one in enumerate(spans) if meet(one, span)]

    assert Crowd(spans).meeting(span) == len(meeting)
    fitting = Crowd(spans).fitting(span, lambda index: index % 2 == 0)
    assert fitting == (len(meeting) if len(meeting) < 2 else sum(index % 2 == 0 for index in meeting))


def test_a_later_stage_gets_what_the_first_left() -> None:
    first: list[Span | None] = [(5, 5), None]
    then: list[Span | None] = [(0, 9), (0, 9)]

    assert list(pair_in_turn((first, then), [(5, 5), (7, 7)], anything)) == [(0, 0, 0), (1, 1, 1)]


def test_fifty_thousand_at_one_time_are_paired_in_seconds() -> None:
    spans: list[Span | None] = [(0, 10)] * 50_000
    started = time.process_time()

    found = list(pair_in_turn((spans,), spans, anything))
    crowd = Crowd(spans)
    meeting = {crowd.fitting(span, lambda _: True) for span in spans}

    assert len(found) == 50_000
    assert meeting == {50_000}
    assert time.process_time() - started < 5
