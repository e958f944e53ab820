"""Signals: the first ends the run in order, a second is counted; both at a safe place."""

from __future__ import annotations

import os
import signal

import pytest

from toolkit.errors import InterruptedRunError
from toolkit.run.interrupts import Interrupts


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_breaks_a_raising_block_with_its_exit_code(number: int, code: int) -> None:
    interrupts = Interrupts()
    with interrupts.listening(), pytest.raises(InterruptedRunError) as caught, interrupts.raising():
        os.kill(os.getpid(), number)
    assert caught.value.exit_code == code


def test_outside_such_a_block_it_only_counts() -> None:
    interrupts = Interrupts()
    with interrupts.listening():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert interrupts.count == 2


def test_one_that_came_between_two_stages_stops_the_next() -> None:
    interrupts = Interrupts()
    with interrupts.listening():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(InterruptedRunError), interrupts.raising():
            pytest.fail("the stage must not begin")


def test_the_handlers_of_before_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts().listening():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
