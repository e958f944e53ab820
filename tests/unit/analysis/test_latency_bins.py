"""The worst window by p95, and how many requests ended in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.run_folders import START_NS, RunFolderBuilder, failed, request
from toolkit.analysis.latency_bins import BOUNDS_MS, quantile_ms, read_bins, requests_between, worst_window
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from pathlib import Path

START_S = START_NS // 10**9


def test_bins_are_twenty_a_power_of_ten() -> None:
    assert (BOUNDS_MS[0], BOUNDS_MS[20], BOUNDS_MS[120]) == (0.1, 1.0, 100_000.0)
    assert BOUNDS_MS[1] == pytest.approx(0.1122)


def test_a_quantile_is_linear_in_its_bin() -> None:
    counts = [0] * 120
    counts[20], counts[40] = 90, 10

    assert quantile_ms(counts, 0.95) == pytest.approx(10 + (BOUNDS_MS[41] - 10) / 2)
    assert quantile_ms(counts, 0.9) == pytest.approx(BOUNDS_MS[21])
    assert quantile_ms([0] * 120, 0.95) is None


def test_the_worst_window_is_where_the_slow_requests_ended(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    quick = [request(number / 10, 5.0) for number in range(600)]
    slow = [request(30 + number / 10, 900.0) for number in range(30)]
    few = [request(200 + number, 5000.0) for number in range(5)]
    builder.load("http", [*quick, *slow, failed(33, "ECONNRESET", 9000.0), *few])
    with open_tables(builder.build()) as connection:
        bins = read_bins(connection)
        found = worst_window(bins, 10)
        zero_ms = START_S * 1000
        assert requests_between(connection, zero_ms, 200, 210) == 5
        assert requests_between(connection, zero_ms, None, None) == 636
        assert requests_between(connection, zero_ms, 0, 0.5) == 10, "the second begins in the window"

    assert found is not None
    # The slow ones end from 30.9 on; the first window that holds enough of them to be its upper twentieth.
    assert 21 <= found[0] - START_S <= 33
    assert 800 < found[1] < 1100
    assert worst_window(bins, 10_000) is not None
    assert worst_window({}, 10) is None


def test_a_window_of_few_requests_is_no_worst_one(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(number, 5.0) for number in range(19)])
    with open_tables(builder.build()) as connection:
        assert worst_window(read_bins(connection), 30) is None
