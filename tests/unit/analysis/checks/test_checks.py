"""Checks against a whole small run: 101 HTTP requests of 1…100 ms over ten seconds, a 504, a reset, ten sockets, one server."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder, request, small_run
from toolkit.analysis.checks.judge import checks_summary
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables
from toolkit.checks.defaults import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest


@dataclass
class Checked:
    """A run that is read once and judged by many checks."""

    connection: duckdb.DuckDBPyConnection
    manifest: Manifest
    known: dict[str, Any]

    def summary(self, *texts: str, kind: str = "profile-and-load", aborted: Any = None) -> dict[str, Any]:
        checks = [{"check": text, "name": text, "abort": False, "default": False} for text in texts]
        if aborted:
            checks[0]["aborted"] = aborted
        return checks_summary(self.connection, replace(self.manifest, kind=kind, checks=checks), self.known)

    def rows(self, *texts: str, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.summary(*texts, **more)["rows"]
        return found


def checked(run: RunFolder) -> Iterator[Checked]:
    results = read_results(run)
    with open_tables(run) as connection:
        yield Checked(connection, results.manifest, results.summary)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checked]:
    made = small_run(tmp_path_factory.mktemp("checked"))
    lines = [
        {
            "t_ns": START_NS - 2 * SECOND_NS + second * SECOND_NS,  # the server's clock is two seconds behind
            "host": {"memory_available": 1e9},
            "service": {"accept_queue": 70 if second == 7 else second},
            "processes": [
                {"pid": pid, "create_time": 1.0, "role": "worker", "state": "S", "rss": 1e6 * (pid + second)}
                for pid in (1, 2)
            ],
        }
        for second in range(13)
    ]
    made.server("app").metrics.write_bytes(
        gzip.compress("".join(json.dumps(one) + "\n" for one in lines).encode())
    )
    yield from checked(made)


@pytest.mark.parametrize(
    ("text", "value", "verdict"),
    [
        ("http.p50 < 60ms", 50.5, "held"),
        ("http.p95{phase: peak} < 90ms", 97.55, "failed"),
        ("http.max{name: load*} < 96ms", 95, "held"),
        ("http.mean{code: 201} > 97ms", 98, "held"),
        ("http.errors == 2", 2, "held"),
        ("http.errors{code: 5xx} == 0", 1, "failed"),
        ("http.errors{code: 5xx} rate < 1%", 0.990099, "held"),
        ("http.errors{code: 404} == 0", 0, "held"),
        ("http.unanswered < 1", 1, "failed"),
        ("requests.ended == 111", 111, "held"),
        ("ws.connect.p99 < 1s", 2, "held"),
        ("http.p50{scenario: browse} < 1s", 50.5, "held"),
        ("server.accept_queue.max < 64", 70, "failed"),
        ("server.accept_queue.max{phase: warm} < 64", 5, "held"),
        ("server.rss.slope < 10GB/h", 7.2e9, "held"),
        ("server.worker.rss.max < 12MB", 12e6, "failed"),
        ("records.invalid == 0", 0, "held"),
        ("server.deaths == 0", 0, "held"),
    ],
)
def test_what_is_measured(run: Checked, text: str, value: float, verdict: str) -> None:
    (row,) = run.rows(text)
    assert row["value"] == pytest.approx(value), row
    assert row["verdict"] == verdict


def test_the_worst_window_decides_and_is_named(run: Checked) -> None:
    (row,) = run.rows("http.mean < 50ms over 3s")
    # 1 to 100 ms, ten a second: the last three whole seconds hold the slowest.
    assert row["verdict"] == "failed"
    assert row["reason"].startswith("http.mean was ")
    assert "from 00:00:08 to 00:00:11, wanted < 50ms" in row["reason"]
    (low,) = run.rows("http.p50 > 40ms over 3s")
    assert low["window"] == {"from_ns": START_NS + SECOND_NS // 10, "to_ns": START_NS + 31 * SECOND_NS // 10}
    assert low["value"] == pytest.approx(15.5)


def test_a_quantile_of_windows_is_exact(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    slow = {40 + number for number in range(10)}
    rows = [
        request(number / 10, 400 + number if number // 10 in slow else 50 + number % 7)
        for number in range(1000)
    ]
    builder.load("http", rows)
    ((row,),) = (one.rows("http.p95 < 1s over 10s") for one in checked(builder.build()))
    inside = sorted(
        (one["end_ns"] - one["start_ns"]) / 1e6
        for one in rows
        if row["window"]["from_ns"] <= one["end_ns"] < row["window"]["to_ns"]
    )
    place = 0.95 * (len(inside) - 1)
    exact = inside[int(place)] + (inside[int(place) + 1] - inside[int(place)]) * (place % 1)
    assert row["value"] == pytest.approx(exact)
    assert row["value"] > 890


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http.p50{phase: pek} < 1s", "no http request has phase 'pek'; did you mean 'peak'?"),
        ("http.p50{scenario: sockets} < 1s", "requests of ws do"),
        ("ws.p50{phase: peak} < 1s", "no ws request has phase 'peak': requests of http do"),
        ("ws.ack.p99 < 1s", "no request was recorded that has this value"),
        ("http.p95 < 1s over 60s", "a window of 1m is longer than what was measured (10.0 s)"),
        ("http.p99 < 1s over 1s", "no window of 1s holds 20 requests"),
        ("server.cgroup_memory.max < 1GB", "not measured on any server"),
        ("server.accept_queue.max{server: ap} < 5", "did you mean 'app'?"),
        ("server.accept_queue.max{phase: warn} < 5", "no phase is called 'warn'; did you mean 'warm'?"),
        ("server.accept_queue.max < 500 over 1m", "longer than what was measured"),
        ("server.rss.slope{phase: warm} < 1MB/h", "too few for a slope"),
    ],
)
def test_what_cannot_be_measured_fails_and_says_why(run: Checked, text: str, said: str) -> None:
    (row,) = run.rows(text)
    assert row["verdict"] == "failed"
    assert said in row["reason"]


def test_a_run_is_not_judged_by_what_its_command_does_not_do(run: Checked) -> None:
    load, server = "http.p50 < 1ms", "server.accept_queue.max < 1"
    assert [row["verdict"] for row in run.rows(load, server, kind="profile")] == ["skipped", "failed"]
    assert [row["verdict"] for row in run.rows(load, server, kind="load")] == ["failed", "skipped"]


def test_one_line_says_what_did_not_hold(run: Checked) -> None:
    found = run.summary("http.p50 < 1ms", "http.errors == 0", "http.max < 1ms", "http.p50 < 1s")
    assert (found["verdict"], found["failed"], found["held"]) == ("failed", 3, 1)
    assert found["reason"].startswith(
        "3 of 4 checks did not hold: http.p50 was 50.5 ms, wanted < 1ms; http.errors was 2"
    )
    assert found["reason"].endswith("; and 1 more.")
    assert "\n" not in found["reason"]


def test_what_stopped_the_load_stands(run: Checked) -> None:
    seen = {"value": 512.0, "samples": 30, "from_ns": START_NS + SECOND_NS, "to_ns": START_NS + 4 * SECOND_NS}
    found = run.summary("http.p95 < 400ms over 3s", aborted=seen)
    assert found["reason"] == (
        "The one check did not hold: http.p95 was 512 ms from 00:00:01 to 00:00:04, wanted < 400ms, and stopped the load."
    )


def test_defaults_that_have_nothing_to_look_at_are_left_out(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.kind = "profile"
    builder.manifest.checks = [
        {"check": one.text, "name": one.name, "abort": False, "default": True} for one in DEFAULTS
    ]
    assert read_results(builder.build()).summary["checks"]["rows"] == []


def test_a_load_of_which_nothing_was_recorded_does_not_pass(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [])
    builder.manifest.checks = [{"check": DEFAULTS[0].text, "name": "no 5xx", "abort": False, "default": True}]
    (row,) = read_results(builder.build()).summary["checks"]["rows"]
    assert row["verdict"] == "failed"
    assert "no request was recorded" in row["reason"]


def test_an_engine_s_own_checks_stand_beside_ours(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request()])
    builder.manifest.loads[0].checks = [
        {"check": "p95 < 1", "held": False, "words": ""},
        {"check": "max < 9", "held": True, "words": ""},
    ]
    found = read_results(builder.build()).summary["checks"]
    assert [(row["of"], row["suite"], row["verdict"]) for row in found["rows"]] == [
        ("artillery", "http", "failed"),
        ("artillery", "http", "held"),
    ]


def test_a_run_of_a_toolkit_without_checks_has_none(tmp_path: Path) -> None:
    assert read_results(small_run(tmp_path)).summary["checks"]["verdict"] == "none"


def test_a_check_of_a_later_toolkit_fails_and_breaks_nothing(run: Checked) -> None:
    (row,) = run.rows("quantum.p95 < 1s")
    assert "does not know the check" in row["reason"]


def test_records_of_a_file_are_checked_where_one_was_sent(run: Checked) -> None:
    texts = ("records.unsent == 0", "records.unknown == 0", "records.unsendable == 0")
    assert [row["reason"] for row in run.rows(*texts) if "no records of a file were sent" in row["reason"]], (
        "nothing to check"
    )
    assert {row["verdict"] for row in run.rows(*texts)} == {"failed"}

    sent = [
        {"records": 9, "unsent": 2, "unknown": 0, "invalid": 1},
        {"records": 5, "unsent": 1, "unknown": 0, "invalid": 0},
    ]
    rows = replace(run, known={**run.known, "traffic": sent}).rows(*texts)

    assert [(row["value"], row["verdict"]) for row in rows] == [(3, "failed"), (0, "held"), (1, "failed")]
