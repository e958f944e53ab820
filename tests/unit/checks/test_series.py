"""Statistics of values over time, and the worst window."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from toolkit.analysis.checks.sliding import quantile_bounds
from toolkit.checks.grammar import parse
from toolkit.checks.series import SECOND_NS, quantile_of_sorted, slope_per_h, statistic_of, worst_window

GAUGE = "server.accept_queue.max < 64 over 3s"


def _each_second(values: list[float]) -> list[tuple[int, float]]:
    return [(second * SECOND_NS, value) for second, value in enumerate(values)]


def test_the_worst_window_is_named() -> None:
    found = worst_window(
        _each_second([1, 1, 9, 1, 1, 1, 8, 8, 1]),
        parse("server.accept_queue.mean < 64 over 2s"),
        0,
        9 * SECOND_NS,
    )
    assert found is not None
    assert (found.value, found.from_ns, found.to_ns) == (8, 6 * SECOND_NS, 8 * SECOND_NS)


def test_of_what_must_be_high_the_lowest_window_is_the_worst() -> None:
    values = _each_second([9, 9, 2, 9, 9])
    found = worst_window(values, parse("server.connections.min > 5 over 2s"), 0, 5 * SECOND_NS)
    assert found is not None
    assert found.value == 2


def test_a_window_longer_than_what_was_measured_is_none() -> None:
    assert worst_window(_each_second([1, 2]), parse(GAUGE), 0, 2 * SECOND_NS) is None


def test_what_is_left_of_the_last_second_is_looked_at() -> None:
    samples = [*_each_second([1, 1, 1, 1]), (round(4.5 * SECOND_NS), 99.0)]
    found = worst_window(samples, parse(GAUGE), 0, round(4.5 * SECOND_NS))
    assert found is not None
    assert found.value == 99


def test_few_requests_say_nothing_of_a_quantile() -> None:
    samples = [(number * SECOND_NS // 10, 1000.0) for number in range(19)]
    assert worst_window(samples, parse("http.p95 < 1ms over 2s"), 0, 2 * SECOND_NS) is None
    assert worst_window(samples, parse("http.max < 1ms over 2s"), 0, 2 * SECOND_NS) is not None


def test_a_slope_is_growth_an_hour() -> None:
    assert slope_per_h(_each_second([100 + 10 * second for second in range(60)])) == pytest.approx(36_000)
    assert slope_per_h(_each_second([1, 2, 3])) is None
    assert slope_per_h([(0, 1.0)] * 20) is None


def test_statistics() -> None:
    values = [3.0, 1.0, 2.0, 10.0]
    samples = _each_second(values)
    assert statistic_of(samples, "p50", 4) == statistics.median(values)
    assert statistic_of(samples, "stdev", 4) == pytest.approx(statistics.stdev(values))
    assert statistic_of(samples, "last", 4) == 10
    assert statistic_of(samples, "per_s", 4) == 4
    assert statistic_of([], "mean", 4) is None
    assert statistic_of([], "count", 4) == 0
    assert statistic_of(_each_second([0, 1, 0, 0]), "rate", 4) == 25


def test_bins_hold_the_quantile_of_every_window() -> None:
    draw = random.Random(8)
    by_second = [[draw.lognormvariate(3, 1.5) for _ in range(draw.randrange(5, 60))] for _ in range(50)]
    counted: dict[int, dict[int, int]] = {}
    for second, values in enumerate(by_second):
        for value in values:
            number = _bin(value)
            counted.setdefault(second, {})[number] = counted.setdefault(second, {}).get(number, 0) + 1
    for quantile in (0.5, 0.95, 0.99):
        seen = 0
        for bounds in quantile_bounds(counted, 10, 50, quantile):
            values = sorted(
                value for second in by_second[bounds.first : bounds.first + 10] for value in second
            )
            exact = quantile_of_sorted(values, quantile)
            assert bounds.low <= exact * 1.000001
            assert exact <= bounds.high * 1.000001
            seen += 1
        assert seen == 41


def _bin(value: float) -> int:
    return math.floor(200 * math.log10(value * 1000 + 1))
