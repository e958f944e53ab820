"""The offset of a server's clock, from scripted round trips."""

from __future__ import annotations

import pytest

from toolkit.run.agent_clock import ClockOffset

MS = 1_000_000


class Clocks:
    """Ours, and a server's that is `ahead_ns` of ours."""

    def __init__(self) -> None:
        self.now, self.wall, self.ahead_ns = 5 * MS, 1_700_000_000 * 1000 * MS, 0

    def offset(self) -> ClockOffset:
        return ClockOffset(lambda: self.wall, lambda: self.now)

    def pass_(self, ns: int) -> None:
        self.now += ns
        self.wall += ns

    def exchange(self, clock: ClockOffset, there_ns: int, back_ns: int) -> bool:
        stamp = clock.ping()
        self.pass_(there_ns)
        server = self.wall + self.ahead_ns
        self.pass_(back_ns)
        return clock.pong(stamp, server)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.mark.parametrize("ahead_s", [0, 3, -7200, 86400 * 400])
def test_the_shortest_round_trip_wins_and_bounds_the_error(clocks: Clocks, ahead_s: int) -> None:
    clocks.ahead_ns = ahead_s * 1000 * MS
    clock = clocks.offset()
    for there, back in ((40, 10), (3, 1), (20, 90)):
        assert clocks.exchange(clock, there * MS, back * MS)
    assert clock.error_ns == 2 * MS
    assert abs(clock.offset_ns + clocks.ahead_ns) <= clock.error_ns


def test_a_later_and_shorter_one_improves(clocks: Clocks) -> None:
    clock = clocks.offset()
    clocks.exchange(clock, 50 * MS, 50 * MS)
    clocks.exchange(clock, MS, MS)
    assert clock.error_ns == MS


def test_a_clock_that_is_set_widens_the_bound(clocks: Clocks) -> None:
    clock = clocks.offset()
    clocks.exchange(clock, MS, MS)
    clocks.ahead_ns = 500 * MS
    clocks.exchange(clock, 2 * MS, 2 * MS)
    assert clock.error_ns >= 495 * MS
    assert abs(clock.offset_ns) <= 2 * MS


def test_an_answer_to_nothing_is_not_believed(clocks: Clocks) -> None:
    clock = clocks.offset()
    stamp = clock.ping()
    assert not clock.pong(stamp + 1, 5)
    assert not clock.pong(stamp, "5")
    assert not clock.pong(stamp, 2**80)
    assert not clock.pong([stamp], 5)
    assert clock.pong(stamp, 5)
    assert not clock.pong(stamp, 5)
    assert clock.round_trips == 1


def test_two_pings_in_one_nanosecond_have_two_names() -> None:
    clock = ClockOffset()
    assert len({clock.ping() for _ in range(50)}) == 50
