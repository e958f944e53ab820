"""The budget holds on machines that cost more or less than the law says, and the rate comes to rest."""

from __future__ import annotations

import random
from collections import Counter
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

rates = import_module("rates")


VIEWS = ["wall", "cpu", "gil"]


class Machine:
    """What recording truly costs here, per view."""

    def __init__(self, start_s: float, scan_share: float, sample_s: float, noise: float = 0.0) -> None:
        self.start_s, self.scan_share, self.sample_s, self.noise = start_s, scan_share, sample_s, noise
        self._random = random.Random(4)

    def chunk(self, rate: float, duration_s: float, view: str) -> Any:
        start = self.start_s * self._random.uniform(1 - self.noise, 1 + self.noise)
        running = (
            (self.scan_share + self.sample_s * rate)
            * duration_s
            * self._random.uniform(1 - self.noise, 1 + self.noise)
        )
        return rates.Measured(rate, duration_s, start + running, start, view)

    def percent(self, rate: int, chunk_s: float, views: int, lowest: int = 1) -> float:
        """When the views that are not wall run at `rate`, and none below `lowest`."""
        samples = sum(
            max(lowest, int(rate * (rates.WEIGHTS.get(view, 1) if views > 1 else 1)))
            for view in VIEWS[:views]
        )
        return 100 * (views * (self.start_s / chunk_s + self.scan_share) + self.sample_s * samples)


def recorded(budget: Any, machine: Machine, rounds: int = 30, views: int = 2) -> list[int]:
    """The rate after each round."""
    names = VIEWS[:views]
    budget.round([machine.chunk(budget.calibration_hz, 0.8, name) for name in names])
    seen = [budget.rate_hz]
    for _ in range(rounds):
        budget.round([machine.chunk(budget.rate_of(name), budget.chunk_s, name) for name in names])
        seen.append(budget.rate_hz)
    return seen


@given(
    start_s=st.floats(0.005, 0.2),
    scan_share=st.floats(0.001, 0.05),
    sample_s=st.floats(0.0001, 0.03),
    percent=st.floats(1, 60),
    views=st.integers(1, 3),
)
@settings(deadline=None, database=None, max_examples=60)
def test_the_budget_holds_and_the_rate_rests(
    start_s: float, scan_share: float, sample_s: float, percent: float, views: int
) -> None:
    machine = Machine(start_s, scan_share, sample_s)
    budget = rates.Budget(percent, 5.0, VIEWS[:views], rates.Size(5, 10, 100))
    seen = recorded(budget, machine, rounds=120, views=views)

    rests = Counter(seen[-60:]).most_common(1)[0][0]
    assert 1 <= rests <= 100
    lowest = budget.lowest_hz
    assert machine.percent(rests, budget.chunk_s, views, lowest) <= 1.16 * percent or rests <= lowest
    assert machine.percent(rests + 2, budget.chunk_s, views, lowest) > 0.8 * percent or rests >= 99, (
        "much of the budget was left unused"
    )
    assert sum(after != before for before, after in pairwise(seen[-60:])) <= 6, f"it oscillates: {seen}"


def test_noise_does_not_make_it_swing() -> None:
    budget = rates.Budget(10.0, 5.0, ["wall", "cpu"], rates.Size(5, 10, 100))
    seen = recorded(budget, Machine(0.05, 0.01, 0.001, noise=0.15), rounds=60)

    assert sum(after != before for before, after in pairwise(seen[10:])) <= 6
    assert max(seen[10:]) <= 2 * min(seen[10:])


def test_load_that_makes_samples_dearer_lowers_the_rate() -> None:
    budget = rates.Budget(10.0, 5.0, ["wall", "cpu"], rates.Size(5, 10, 100))
    idle = recorded(budget, Machine(0.05, 0.005, 0.0005))[-1]
    loaded = [budget.rate_hz]
    for _ in range(5):
        machine = Machine(0.05, 0.005, 0.004)
        budget.round([machine.chunk(budget.rate_of(name), 5.0, name) for name in VIEWS[:2]])
        loaded.append(budget.rate_hz)

    assert idle > loaded[-1]
    assert Machine(0.05, 0.005, 0.004).percent(loaded[-1], 5.0, 2) < 11.6


def test_threads_that_come_with_the_load_lower_the_rate_before_they_are_measured() -> None:
    budget = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(4, 12, 0))
    idle = recorded(budget, Machine(0.04, 0.0, rates.sample_s(rates.Size(4, 12, 0)) * 0.8))[-1]

    assert budget.resized(rates.Size(4, 13, 0)) is None, "one thread more changes nothing"
    assert budget.resized(rates.Size(4, 120, 0)) == budget.rate_hz < idle / 2
    assert budget.predicted_percent <= 5.8 or budget.rate_hz == budget.lowest_hz
    assert budget.resized(rates.Size(4, 12, 0)) is None, "raising waits for the accounts"


def test_a_rate_that_was_asked_for_stays_and_its_price_is_told() -> None:
    budget = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 10, 100), fixed_hz=400)
    seen = recorded(budget, Machine(0.05, 0.01, 0.001))

    assert set(seen) == {400}
    told = budget.as_message()
    assert told["exceeded"]
    assert told["measured_percent"] == pytest.approx(84, rel=0.05)
    assert "400 Hz" in told["message"]


def test_a_budget_too_small_for_any_rate_is_said_with_its_cure() -> None:
    budget = rates.Budget(0.6, 5.0, ["wall", "cpu"], rates.Size(9, 40, 100))
    assert set(recorded(budget, Machine(0.4, 0.002, 0.0005))) == {1}
    assert budget.chunk_s == 30, "made as long as they may be"

    told = budget.as_message()
    assert told["exceeded"]
    assert budget.active == rates.LEAST_ACTIVE
    assert "although they rest for 75 % of the time" in told["message"]


def test_where_one_sample_a_second_is_too_dear_recorders_rest_as_long_as_that_takes() -> None:
    budget = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 406, 0))
    machine = Machine(0.05, 0.0, 0.04)
    assert set(recorded(budget, machine)) == {1}

    told = budget.as_message()
    assert 3.9 < told["measured_percent"] < 5.5, "with the rests"
    assert machine.percent(1, budget.chunk_s, 2, 1) > 1.5 * 5, "without them"
    assert not told["exceeded"]
    assert (
        f"record for {budget.chunk_s:.0f} s and rest for {told['rest_s']:.0f} s, in turn" in told["message"]
    )

    recorded(budget, Machine(0.05, 0.0, 0.002), rounds=30)
    assert budget.rest_s == 0, "once it is cheap, there are no gaps"


def test_a_rate_that_was_asked_for_never_rests() -> None:
    budget = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 406, 0), fixed_hz=10)
    recorded(budget, Machine(0.05, 0.0, 0.04))
    assert budget.rest_s == 0


def test_chunks_are_longer_where_starting_recorders_would_eat_the_budget() -> None:
    budget = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 30, 0))
    dear = recorded(budget, Machine(0.1, 0.0, 0.003))[-1]
    assert budget.as_message()["chunk_s"] == 10, "2 views x 0.1 s in 10 s are two fifths of 5 %"
    assert Machine(0.1, 0.0, 0.003).percent(dear, 10.0, 2) <= 5.5
    assert Machine(0.1, 0.0, 0.003).percent(dear, 5.0, 2) > 6, "five seconds could not pay this rate"

    recorded(budget, Machine(0.08, 0.0, 0.003))
    assert budget.chunk_s == 10, "a little cheaper changes nothing"
    recorded(budget, Machine(0.03, 0.0, 0.003))
    assert budget.chunk_s == 5
    asked = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 30, 0), fixed_hz=50)
    recorded(asked, Machine(0.1, 0.0, 0.003))
    assert asked.chunk_s == 5, "a rate that was asked for pays what it costs"


def test_the_first_chunk_holds_samples_whatever_the_budget() -> None:
    assert rates.Budget(0.1, 5.0, VIEWS, rates.Size(9, 4000, 900)).calibration_hz == rates.CALIBRATION_MIN_HZ


def test_a_bigger_service_gets_a_lower_rate() -> None:
    small, big = (
        rates.Budget(30.0, 5.0, ["wall", "cpu"], rates.Size(5, threads, 100)).rate_hz for threads in (6, 400)
    )

    assert small > big


def test_the_wall_view_gets_fewer_samples_because_each_costs_more_and_says_less() -> None:
    budget = rates.Budget(20.0, 5.0, ["wall", "cpu"], rates.Size(5, 30, 0))
    recorded(budget, Machine(0.02, 0.0, 0.001))
    assert budget.rate_of("cpu") >= 2 * budget.rate_of("wall")
    alone = rates.Budget(20.0, 5.0, ["wall"], rates.Size(5, 30, 0))
    recorded(alone, Machine(0.02, 0.0, 0.001), views=1)
    assert alone.rate_of("wall") > budget.rate_of("wall")
    assert rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 30, 0), 40).rate_of("wall") == 40


@pytest.mark.parametrize(
    ("processes", "on_machine", "alone"), [(5, 90, True), (9, 300, True), (65, 90, False)]
)
def test_each_process_has_its_own_recorder_where_that_is_cheaper(
    processes: int, on_machine: int, alone: bool
) -> None:
    assert rates.one_by_one(processes, on_machine, 5.0) is alone


def test_a_load_that_comes_at_once_is_paid_from_the_budget_before_it_was_measured() -> None:
    budget = rates.Budget(5.0, 5.0, ["wall", "cpu"], rates.Size(5, 30, 0))
    idle = Machine(0.05, 0.0, 0.0036)
    budget.round([idle.chunk(budget.calibration_hz, 0.5, name) for name in VIEWS[:2]])
    twice_as_dear = Machine(0.05, 0.0, 0.0072)
    assert twice_as_dear.percent(budget.rate_hz, budget.chunk_s, 2, budget.lowest_hz) <= 5.6
