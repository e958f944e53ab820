"""Numbers that mostly come in order."""

from __future__ import annotations

import random

from toolkit.run.numbers import Numbers


def test_it_holds_what_a_set_holds_in_whatever_order_they_come() -> None:
    numbers, held = Numbers(), set[int]()
    order = random.Random(7)
    for _ in range(2000):
        number = order.randrange(500)
        assert (number in numbers) == (number in held)
        numbers.add(number)
        held.add(number)
    assert {number for number in range(-5, 600) if number in numbers} == held
