"""The load's numbers, against values worked out by hand."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder, failed, request, small_run
from tests.unit.reports.sample_results import failing_requests
from toolkit.analysis.results import read_results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def summary_of(
    tmp_path: Path, requests: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", requests, events)
    return read_results(builder.build()).summary


def test_percentiles_lie_linearly_between_the_two_closest_ranks(tmp_path: Path) -> None:
    # Sorted: 10 20 30 40 (n = 4). p50: rank 1.5 → 25; p75: rank 2.25 → 32.5; p90: rank 2.7 → 37; p99: 2.97 → 39.7.
    row = summary_of(tmp_path, [request(1, ms) for ms in (40, 10, 30, 20)])["requests"][0]

    assert [row[key] for key in ("min_ms", "p50_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms")] == [
        10.0, 25.0, 32.5, 37.0, 38.5, 39.7, 39.97, 40.0,
    ]  # fmt: skip
    assert row["mean_ms"] == 25.0
    assert row["stdev_ms"] == round(math.sqrt((15**2 + 5**2 + 5**2 + 15**2) / 3), 3)


def test_one_request_has_no_standard_deviation(tmp_path: Path) -> None:
    row = summary_of(tmp_path, [request(1, 7)])["requests"][0]

    assert (row["mean_ms"], row["p50_ms"], row["p999_ms"], row["stdev_ms"]) == (7.0, 7.0, 7.0, None)


def test_a_request_without_an_answer_is_an_error_and_has_no_response_time(tmp_path: Path) -> None:
    found = summary_of(tmp_path, [request(1, 10), failed(2, "ETIMEDOUT", 9000), request(3, 10, status=504)])

    row = found["requests"][0]
    assert (row["count"], row["answered"], row["errors"], row["status_5xx"]) == (3, 2, 1, 1)
    assert row["max_ms"] == 10.0
    assert found["errors"] == {"ETIMEDOUT": 1}
    assert found["codes"] == {"200": 1, "504": 1}
    # 2 answers from the first start (1 s) to the last end (11 s)
    assert found["totals"]["mean_responses_per_s"] == 0.2


def test_an_answer_that_broke_off_is_an_answer_and_a_failed_check_and_no_error(tmp_path: Path) -> None:
    found = summary_of(tmp_path, [request(1, 10, error="ECONNRESET")])

    row = found["requests"][0]
    assert (row["answered"], row["errors"], row["failed_checks"], row["failed"]) == (1, 0, 1, 1)
    assert found["errors"] == {"ECONNRESET": 1}, "its text is told all the same"


def test_no_request_fails_twice(tmp_path: Path) -> None:
    found = summary_of(tmp_path, failing_requests())

    for row in (found["totals"], found["requests"][0], found["phases"][0]):
        assert (row["count"], row["answered"]) == (70, 64)
        assert (row["errors"], row["failed_checks"], row["status_4xx"], row["status_5xx"]) == (6, 7, 5, 0)
        assert row["failed"] == 13
    assert found["errors"] == {"capture failed": 7, "ECONNREFUSED": 6}
    assert {"errors", "failed_checks", "failed"} <= found["method"].keys()
    assert "status" in found["method"]["failed"]


def test_no_second_counts_a_failed_request_twice(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", failing_requests())
    series = read_results(builder.build()).series

    sums = {name: sum(series[name]) for name in ("errors", "failed_checks", "status_4xx", "failed")}
    assert sums == {"errors": 6, "failed_checks": 7, "status_4xx": 5, "failed": 13}
    answers = ("status_2xx", "status_3xx", "status_4xx", "status_5xx", "status_0", "errors")
    assert sum(sum(series[name]) for name in answers) == sum(series["requests"])


def test_the_mode_is_the_middle_of_the_fullest_bin_and_the_bin_is_told(tmp_path: Path) -> None:
    # IQR 0: the smallest bin, 0.1 ms; 5.03 and 5.06 share the bin from 5.0 to 5.1.
    row = summary_of(tmp_path, [request(1, ms) for ms in (5.03, 5.06, 5.03, 5.06, 5.03, 99)])["requests"][0]

    assert (row["mode_ms"], row["mode_bin_ms"]) == (5.05, 0.1)


def test_the_bin_follows_the_spread(tmp_path: Path) -> None:
    # 1…1000 ms: IQR 499.5, 2 * IQR / 10 = 99.9 → 100 ms; all bins but the last hold 100, the first 99: lowest of the fullest.
    row = summary_of(tmp_path, [request(1, ms) for ms in range(1, 1001)])["requests"][0]

    assert (row["mode_ms"], row["mode_bin_ms"]) == (150.0, 100.0)


def test_sizes_have_mean_median_mode_and_total(tmp_path: Path) -> None:
    sizes = (10, 10, 10, 50, 220)
    found = summary_of(tmp_path, [request(1, 5, bytes_in=size, bytes_out=3) for size in sizes])

    row = found["requests"][0]
    names = ("bytes_in_mean", "bytes_in_median", "bytes_in_mode", "bytes_in_total", "bytes_out_total")
    assert [row[name] for name in names] == [60.0, 10.0, 10, 300, 15]


def test_waiting_for_the_first_byte_and_for_being_sent_are_told_apart(tmp_path: Path) -> None:
    late = request(2, 10) | {
        "intended_ns": START_NS + SECOND_NS,
        "first_byte_ns": START_NS + 2 * SECOND_NS + 4_000_000,
    }
    totals = summary_of(tmp_path, [late])["totals"]

    assert totals["send_lag_p50_ms"] == totals["send_lag_max_ms"] == 1000.0
    assert totals["first_byte_p50_ms"] == 4.0
    assert totals["p50_ms"] == 10.0  # the response time does not hold the lag: it is told beside it


def test_websocket_operations_are_code_0_with_connections_apart(tmp_path: Path) -> None:
    found = summary_of(
        tmp_path,
        [
            request(1, 5, protocol="ws", method="CONNECT", status=0, name="open"),
            request(2, 5, protocol="ws", method="SEND", status=0, name="say"),
            request(3, 5, protocol="ws", method="SEND", status=0, name="say"),
        ],
    )

    assert found["codes"] == {"0": 3}
    assert (found["websocket"]["connections"], found["websocket"]["messages"]) == (1, 2)


def test_users_are_counted_by_the_last_word_of_the_generator(tmp_path: Path) -> None:
    def users(at_s: int, created: dict[str, int], completed: int) -> dict[str, Any]:
        counts = {"created": created, "completed": completed, "failed": 1, "skipped": 2}
        said = {"errors": {"ECONNRESET": 1, "failed capture": 4}, "unanswered": {"ws": 9}}
        return {"t_ns": START_NS + at_s * SECOND_NS, "kind": "users", **counts, **said}

    found = summary_of(
        tmp_path,
        [request(1), failed(2, "ECONNRESET")],
        [users(2, {"a": 200, "b": 400}, 590), users(1, {"a": 1}, 0)],
    )

    assert found["scenario_counts"] == {"a": 200, "b": 400}
    assert [row["share_percent"] for row in found["scenarios"]] == [33.333, 66.667]
    totals = found["totals"]
    assert [totals[f"scenarios_{key}"] for key in ("launched", "completed", "failed", "skipped")] == [
        600,
        590,
        1,
        2,
    ]
    assert found["errors"] == {"ECONNRESET": 1}
    assert found["engine_errors"] == {"failed capture": 4}  # what no request record tells
    assert found["websocket"]["unanswered"] == {"ws": 9}


def test_without_the_generators_word_users_are_those_the_requests_name(tmp_path: Path) -> None:
    found = summary_of(
        tmp_path, [request(1, user="u1"), request(2, user="u1"), request(3, user="u2", scenario="buy")]
    )

    assert found["scenario_counts"] == {"browse": 1, "buy": 1}
    assert {row["counted_by"] for row in found["scenarios"]} == {"requests"}
    assert found["totals"]["scenarios_completed"] is None  # not known, and not made up


def test_phases_have_their_own_totals_and_requests_of_no_phase_are_not_lost(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    rows = {(row["load"], row["name"]): row for row in read_results(run).summary["phases"]}

    assert rows["http", "warm"]["count"] == 50
    assert rows["http", "peak"]["count"] == 51
    assert rows["http", "peak"]["errors"] == 1
    assert rows["http", "warm"]["p50_ms"] == 25.5
    assert rows["http", "warm"]["rate_per_s"] == 10.0
    assert rows["socket", "peak"]["count"] == 0


def test_equal_names_in_two_scenario_files_stay_apart(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("one", [request(1, 10)])
    builder.load("two", [request(1, 30)])
    rows = read_results(builder.build()).summary["requests"]

    assert [(row["load"], row["name"], row["mean_ms"]) for row in rows] == [
        ("one", "load data", 10.0),
        ("two", "load data", 30.0),
    ]


def test_the_series_has_a_row_for_every_second_and_none_where_nothing_was_answered(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    # Ends in second 0; starts in 0 and ends in 3; an error in second 3.
    builder.load("http", [request(0.1, 100), request(0.9, 2500, status=503), failed(3.0, "EPIPE", 10)])
    series = read_results(builder.build()).series

    first = START_NS // SECOND_NS
    assert series["t"] == [first, first + 1, first + 2, first + 3]
    assert series["requests"] == [1, 0, 0, 2]
    assert series["status_2xx"] == [1, 0, 0, 0]
    assert series["status_5xx"] == [0, 0, 0, 1]
    assert series["errors"] == [0, 0, 0, 1]
    assert series["started"] == [2, 0, 0, 1]
    assert series["p95_ms"] == [100.0, None, None, 2500.0]
    assert len({len(column) for column in series.values()}) == 1


@pytest.mark.parametrize(
    "missing",
    [["first_byte_ns"], ["bytes_in", "bytes_out"], ["name", "phase", "scenario", "user", "intended_ns"]],
)
def test_records_without_optional_fields_are_counted_all_the_same(tmp_path: Path, missing: list[str]) -> None:
    record = {key: value for key, value in request(1, 5).items() if key not in missing}
    found = summary_of(tmp_path, [record, record])

    assert found["totals"]["answered"] == 2
    assert found["requests"][0]["name"] == (
        "load data" if "name" not in missing else "GET http://127.0.0.1:8000/data"
    )
    assert found["records"] == {
        "read": 2,
        "unreadable": 0,
        "implausible": 0,
        "cut_files": 0,
        "changed_files": 0,
    }
    json.dumps(found, allow_nan=False)
