"""The page's time axis and what stands on it: steps, lanes, marks, and sizes that stay within bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.reports import sample_results
from toolkit.analysis.joins.findings import ServerErrors
from toolkit.analysis.load_shape import LoadShape
from toolkit.reports import page, page_lanes, page_requests
from toolkit.reports.page_errors import error_words
from toolkit.reports.page_grid import MOST_POINTS, Grid, short
from toolkit.reports.page_lines import lines_of
from toolkit.reports.page_numbers import clock
from toolkit.reports.page_time import timeline, zero_s
from toolkit.reports.page_trust import trust_words

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

START = sample_results.START


def lanes(first: int, seconds: int, **columns: list[Any]) -> dict[str, list[Any]]:
    return {"t": list(range(first, first + seconds)), "by_worker": [], **columns}


def test_a_step_begins_at_time_zero_also_where_the_server_was_watched_before() -> None:
    grid = Grid.over([START - 7, START + 21], START, 5)
    assert (grid.first - START, grid.step, grid.count) == (-10, 5, 7)
    values: list[float | None] = [float(second) for second in range(-7, 22)]
    assert grid.mean(values, START - 7) == [-6.5, -3, 2, 7, 12, 17, 20.5]
    assert grid.largest(values, START - 7) == [-6, -1, 4, 9, 14, 19, 21]
    assert grid.counted({START: 10, START + 4: 5, START - 8: 1, START + 500: 9}) == [0.2, 0, 3, 0, 0, 0, 0]


def test_a_week_has_no_more_points_than_a_page_can_draw() -> None:
    grid = Grid.over([START, START + 7 * 86_400], START, 1)
    assert grid.count <= MOST_POINTS
    assert grid.place(START + 7 * 86_400) == grid.count - 1


def test_holes_stay_holes() -> None:
    grid = Grid.over([START, START + 9], START, 5)
    assert grid.mean([None, None, None, None, None, 4, None, 6, None, None], START) == [None, 5]


def test_numbers_are_as_short_as_they_tell_something() -> None:
    assert short([None, 3, 3.0, 12.3456, 0.000123456, 12_345.6]) == [None, 3, 3, 12.3, 0.000123, 12346]


@pytest.mark.parametrize("step", [1, 5])
def test_a_longer_step_keeps_every_request(step: int) -> None:
    run = sample_results.whole()
    bins = {START + second: {40: 2, 60: 1} for second in range(sample_results.SECONDS)}
    found = timeline(replace(run, shape=LoadShape(bins=bins)), step)
    assert found is not None
    assert found["step"] == step
    total = sum(value * step for value in found["columns"]["requests"] if value is not None)
    assert total == pytest.approx(sum(run.series["requests"]), rel=1e-3)  # values have three digits
    counts = [sum(row[1::2]) for row in found["heat"]["rows"]]
    assert sum(counts) == 3 * sample_results.SECONDS
    assert (found["requests"] is None) == (step == 1)


def test_percentiles_of_longer_steps_follow_from_the_bins() -> None:
    run = sample_results.whole()
    # 99 requests in the bin from 10 ms on and one in the bin from 100 ms on, in each second.
    bins = {START + second: {40: 99, 60: 1} for second in range(sample_results.SECONDS)}
    found = timeline(replace(run, shape=LoadShape(bins=bins)), 5)
    assert found is not None
    assert 10 <= found["columns"]["p50_ms"][0] <= 11.3
    assert 10 <= found["columns"]["p95_ms"][0] <= 11.3


def test_arrivals_are_as_the_generators_counted_them() -> None:
    run = sample_results.whole()
    shape = LoadShape(offered={START: 7}, arrived={START: 6})
    by_requests = timeline(replace(run, shape=shape))
    assert by_requests is not None
    assert (by_requests["columns"]["offered"][0], by_requests["columns"]["achieved"][0]) == (7, 6)
    series = {"t": run.series["t"], "offered": [9] * 75, "achieved": [8] * 75, "canary_p50_ms": [1.5] * 75}
    counted = timeline(replace(run, shape=shape, summary={**run.summary, "trust": {"series": series}}))
    assert counted is not None
    assert (counted["columns"]["offered"][0], counted["columns"]["achieved"][0]) == (9, 8)
    assert list(counted["generator"]) == ["canary_p50_ms"]


def watched(**columns: list[Any]) -> Results:
    run = sample_results.profile_alone()
    return replace(run, server_series={"web-1": lanes(START, 10, **columns)})


def test_a_watched_server_has_lanes_without_any_load() -> None:
    run = watched(accept_queue=[0, 0, 4, *[0] * 7], accept_queue_limit=[64] * 10, connections=[None] * 10)
    found = timeline(run)
    assert found is not None
    assert found["columns"] == {}
    assert found["start"] == zero_s(run) == run.manifest.started_ns // 10**9
    [server] = found["servers"]
    assert max(server["columns"]["accept_queue"]) == 4
    assert "connections" not in server["columns"]


def test_of_many_workers_the_others_are_one() -> None:
    workers = [
        {"pid": 100 + number, "at": 0, "cpu": [number / 100] * 10, "rss": [2**20] * 10, "busy": []}
        for number in range(page_lanes.MOST_WORKERS + 3)
    ]
    run = replace(
        sample_results.profile_alone(), server_series={"web-1": {**lanes(START, 10), "by_worker": workers}}
    )
    found = timeline(run)
    assert found is not None
    [server] = found["servers"]
    assert [one["pid"] for one in server["workers"]] == list(range(103, 119))
    assert server["others"]["count"] == 3
    assert server["others"]["cpu"][0] == pytest.approx(0.03)
    assert server["others"]["rss"][0] == 3


def group(**fields: Any) -> dict[str, Any]:
    return {
        "fingerprint": "f",
        "known_by": "TimeoutError at shop/broker.py:61 publish",
        "message": "one\ntwo",
        "count": 5,
        "quoted": 0,
        "first_ns": (START + 3) * 10**9,
        "last_ns": (START + 4) * 10**9,
        "servers": ["web-1"],
        "example": {"file": "/var/log/error.log"},
        "chain": [],
        "requests": [{"name": "pay", "status": 504, "error": None, "requests": 4}],
        "requests_count": 4,
        **fields,
    }


def with_tracebacks(run: Results) -> Results:
    summary = {**run.summary, "server_errors": {"tracebacks": [group()]}}
    return replace(
        run, summary=summary, server_errors=ServerErrors({}, [], {"f": [(START + 3, 4), (START + 4, 1)]})
    )


def test_tracebacks_are_marks_of_their_server_and_bars_of_their_group() -> None:
    run = with_tracebacks(replace(sample_results.whole(), server_series={"web-1": lanes(START, 75)}))
    found = timeline(run)
    assert found is not None
    marks = found["servers"][0]["marks"]
    assert [(mark["t"], mark["kind"], mark["count"]) for mark in marks] == [
        (3.5, "traceback", 4),
        (4.5, "traceback", 1),
    ]
    [said] = error_words(run, START)["groups"]
    assert said["when"] == "0:03 to 0:04"
    assert said["beside"] == "beside 4 failed or slow requests: pay (504) 4"
    assert [bar["height"] for bar in said["bars"]] == [1, 0.25]


def slow_request(text: str) -> dict[str, Any]:
    line = {"role": "access", "server": "web-1", "file": "/var/log/access.log", "text": text}
    names = ("error", "method", "url", "request_id", "scenario", "phase", "user", "load", "server")
    return {
        **dict.fromkeys(names),
        "shown_as": "slow",
        "name": "pay",
        "status": 200,
        "failed": False,
        "start_ns": START * 10**9,
        "end_ns": (START + 2) * 10**9,
        "latency_ms": 2000.0,
        "server_ms": 1800.0,
        "outside_ms": 200.0,
        "joined_by": "id",
        "certainty": "certain",
        "words": "",
        "lines": [line],
    }


def test_log_lines_beyond_the_page_are_pointed_to() -> None:
    rows = [slow_request("x" * 1000) for _ in range(page_requests.MOST_TEXT // 1000 + 2)]
    run = sample_results.whole()
    run = replace(run, summary={**run.summary, "server_errors": {"slowest": rows}})
    [found] = page_requests.worth_showing(run, START)
    assert found["rows"][0]["words"] == "mostly in the server"
    assert found["rows"][0]["lines"][0]["text"] == "x" * 1000
    assert "summary.json" in found["rows"][-1]["lines"][0]["text"]


def test_lines_stay_lines_and_nothing_else_passes() -> None:
    assert lines_of("a\r\n\tb <i>\u202e\x1b[1m\n") == "a\n    b &lt;i&gt;\\u202e\\x1b[1m\n"


def test_a_verdict_that_nobody_knows_is_no_praise() -> None:
    assert trust_words({}) is None
    found = trust_words(
        {"trust": {"verdict": "splendid", "rows": [{"name": "x", "value": 0, "tone": "gold"}]}}
    )
    assert found is not None
    assert (found["tone"], found["rows"][0]["tone"], found["rows"][0]["value"]) == ("warn", "", "0")


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0:00"), (65.9, "1:05"), (3725, "1:02:05"), (-4, "-0:04"), (-0.5, "-0:01")],
)
def test_clock(seconds: float, written: str) -> None:
    assert clock(seconds) == written


def test_a_long_run_is_coarsened_until_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    run = sample_results.whole()
    whole = len(page._packed_timeline(run))
    monkeypatch.setattr(page, "_MOST_TIMELINE", whole - 1)
    assert len(page._packed_timeline(run)) < whole
