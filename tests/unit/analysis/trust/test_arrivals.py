"""Users meant and users arrived, by hand-computed numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.run_folders import START_NS
from tests.unit.analysis.trust.generators import pulse, pulses, schedule
from toolkit.analysis.trust.arrivals import Arrivals, Share
from toolkit.analysis.trust.reading import Load

ZERO_S = START_NS / 1e9


def meant(seconds: float, **fields: Any) -> float:
    return Share(schedule(**fields)).meant_by(ZERO_S + seconds)


def phase(events: list[dict[str, Any]]) -> Any:
    load = Load(
        "http",
        [row for row in events if row["kind"] == "schedule"],
        [row for row in events if row["kind"] == "pulse"],
    )
    (found,) = Arrivals(load).phases()
    return found


@pytest.mark.parametrize(
    ("seconds", "fields", "expected"),
    [
        (0, {}, 0),
        (4, {}, 400),
        (99, {}, 1000),
        (-5, {}, 0),
        (5, {"mode": "count", "rate": None, "count": 30}, 15),
        (5, {"mode": "pause", "rate": None}, 0),
        # 3 to 12 in 10 s: 3, 4, … 12 in its seconds
        (1, {"mode": "ramp", "rate": 3, "ramp_to": 12}, 3),
        (10, {"mode": "ramp", "rate": 3, "ramp_to": 12}, 75),
        (2.5, {"mode": "ramp", "rate": 3, "ramp_to": 12}, 3 + 4 + 2.5),
        (2, {"mode": "ramp", "rate": 20, "ramp_to": 20, "duration_s": 4}, 40),
        (1, {"mode": "ramp", "rate": 10, "ramp_to": 20, "duration_s": 1}, 15),
    ],
)
def test_users_are_meant_as_artillery_plans_them(
    seconds: float, fields: dict[str, Any], expected: float
) -> None:
    assert meant(seconds, **fields) == pytest.approx(expected)


def test_threads_share_the_fractions_of_a_ramp() -> None:
    shares = [
        {"mode": "ramp", "rate": 2.5, "ramp_to": 2.5, "workers": 4, "worker": nth} for nth in (1, 2, 3, 4)
    ]
    assert [meant(1, **share) for share in shares] == [3, 3, 2, 2]  # ten together


def test_a_phase_that_kept_up() -> None:
    found = phase([schedule(), *pulses(100, 10)])
    assert (found.meant, found.arrived, found.ratio) == (1000, 1000, 1)
    assert found.stretched_s == 0


def test_a_phase_that_fell_behind_and_made_up_for_it_later() -> None:
    found = phase([schedule(), *pulses(40, 25)])
    # 40 a second for the planned 10 s and 0.25 s of grace, and two ticks on the edge
    assert found.arrived == pytest.approx(412)
    assert found.ratio == pytest.approx(0.412)
    assert found.stretched_s == pytest.approx(15)


def test_the_next_phase_is_not_counted_with_this_one() -> None:
    events = [
        schedule(rate=10),
        *pulses(5, 10),
        schedule(10, rate=1000, index=1, phase="next"),
        pulse(11, 1050),
        pulse(20, 10_050, ended=1),
    ]
    first, second = Arrivals(
        Load(
            "http", [events[0], schedule(10, rate=1000, index=1)], [row for row in events if "arrived" in row]
        )
    ).phases()
    assert first.arrived == pytest.approx(52)
    assert second.ratio == 1


def test_of_a_phase_that_was_stopped_only_what_came_before_is_asked_for() -> None:
    found = phase([schedule(duration_s=3600), *(pulse(second, 100 * second) for second in (1, 2, 3))])
    assert not found.whole
    assert (found.meant, found.ratio) == (pytest.approx(300), 1)
    assert found.stretched_s == 0


def test_random_arrivals_may_be_few_by_chance() -> None:
    random = schedule(mode="poisson", rate=10)
    assert phase([random, *pulses(7.7, 10)]).ratio == 1  # 77 of 100: seen, and chance
    assert phase([random, *pulses(4, 10)]).ratio < 0.75


def test_too_few_users_say_nothing() -> None:
    assert phase([schedule(rate=3), *pulses(1, 10)]).ratio is None


def test_pulses_of_all_threads_are_added() -> None:
    events = [
        *(schedule(rate=50, worker=worker, workers=2) for worker in (1, 2)),
        *(pulse(second, 50 * second, worker=worker) for second in (1, 5, 10) for worker in (1, 2)),
        *(pulse(10, 500, worker=worker, ended=0) for worker in (1, 2)),
    ]
    found = phase(events)
    assert (found.meant, found.arrived, found.whole) == (1000, 1000, True)
