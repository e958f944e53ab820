"""The slope that `make endurance` prints."""

from __future__ import annotations

import random

import pytest

from benchmarks.endurance import Part, slope


def test_a_line_is_found_with_its_error() -> None:
    seconds = [float(one * 2) for one in range(900)]
    noise = random.Random(4)
    values = [50 + 7.0 * at / 3600 + noise.gauss(0, 1) for at in seconds]
    found = slope(seconds, values)
    assert found.per_hour == pytest.approx(7.0, abs=4 * found.error)
    assert 0.05 < found.error < 0.6
    assert found.mean == pytest.approx(51.75, abs=0.3)


def test_what_is_flat_is_flat() -> None:
    found = slope([float(one) for one in range(60)], [12.0] * 60)
    assert (found.mean, found.per_hour, found.error) == (12.0, 0.0, 0.0)


def test_too_few_looks_are_said() -> None:
    assert "too few looks" in Part("agent").row()
