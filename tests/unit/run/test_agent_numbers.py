"""Numbered lines: none lost, none taken twice."""

from __future__ import annotations

import pytest

from toolkit.run.agent_numbers import TELL_EVERY_BYTES, Numbers


def test_what_the_agent_has_heard_is_kept_no_longer() -> None:
    numbers = Numbers()
    for op in ("find", "record", "stop"):
        numbers.said({"op": op})
    numbers.heard_by_agent(2)
    assert numbers.unheard() == [{"op": "stop", "n": 3}]
    numbers.heard_by_agent("3")
    numbers.heard_by_agent(None)
    assert len(numbers.unheard()) == 1


def test_a_line_counts_once() -> None:
    numbers = Numbers()
    lines = [{"type": "chunk", "n": number} for number in (1, 2, 3, 2, 3, 4)]
    assert [numbers.is_new(line) for line in lines] == [True, True, True, False, False, True]
    assert numbers.heard == 4
    assert lines[0] == {"type": "chunk"}, "the number goes no further"


@pytest.mark.parametrize("number", [None, "1", 1.5, [1]])
def test_a_line_without_a_number_is_new(number: object) -> None:
    numbers = Numbers()
    assert numbers.is_new({"type": "pong", "n": number})
    assert numbers.heard == 0


def test_the_agent_is_told_as_often_as_much_comes() -> None:
    numbers = Numbers()
    assert not numbers.to_be_told(TELL_EVERY_BYTES - 1)
    assert numbers.to_be_told(1)
    assert not numbers.to_be_told(1)
