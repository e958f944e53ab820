"""Checks with a window while the load runs: they see what the tables say afterwards, and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder, failed, request
from toolkit.analysis.checks.judge import checks_summary
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables
from toolkit.recording.layout import LoadFolder
from toolkit.run.live_checks import LATE_NS, LiveChecks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.run.live_checks import Failure


def entry(check: str, *, abort: bool = True) -> dict[str, Any]:
    return {"check": check, "name": check, "abort": abort, "default": False}


def block(rows: Iterable[dict[str, Any]]) -> bytes:
    header = {"schema": 1, "kind": "requests"}
    return b"".join(json.dumps(row).encode() + b"\n" for row in [header, *rows])


def played(live: LiveChecks, rows: list[dict[str, Any]], seconds: int) -> list[tuple[int, Failure]]:
    """What is seen second by second, as the rows would come."""
    taker = live.taker(LoadFolder(Path("/nowhere/http")))
    found = []
    for second in range(seconds):
        now_ns = START_NS + second * SECOND_NS
        fresh = [row for row in rows if now_ns - SECOND_NS <= row["end_ns"] < now_ns]
        if taker is not None:
            taker(block(fresh))
        found += [(second, failure) for failure in live.look(now_ns)]
    return found


def _slow_from(second: int) -> list[dict[str, Any]]:
    return [
        request(at / 10, 500 if at >= second * 10 else 20, phase="peak" if at >= 50 else "warm")
        for at in range(300)
    ]


def test_the_first_window_that_fails_is_seen_soon_after_its_end() -> None:
    live = LiveChecks([entry("http.p95 < 400ms over 5s")])
    seen = played(live, _slow_from(12), 30)
    second, failure = seen[0]
    assert failure.window.value == pytest.approx(500)
    assert failure.window.to_ns - failure.window.from_ns == 5 * SECOND_NS
    assert 12 < (failure.window.to_ns - START_NS) / SECOND_NS <= 14
    assert second * SECOND_NS + START_NS - failure.window.to_ns <= LATE_NS + SECOND_NS
    assert "in the last 5 s" in failure.words


def test_what_holds_is_never_seen() -> None:
    assert played(LiveChecks([entry("http.p95 < 600ms over 5s")]), _slow_from(12), 60) == []


def test_one_that_does_not_stop_the_load_is_told_once() -> None:
    live = LiveChecks([entry("http.p95 < 400ms over 5s", abort=False)])
    assert len(played(live, _slow_from(3), 30)) == 1


@pytest.mark.parametrize(
    ("check", "fails"),
    [
        ("http.p95{phase: peak} < 400ms over 3s", True),
        ("http.p95{phase: warm} < 400ms over 3s", False),
        ("http.p95{name: load*, code: 2xx} < 400ms over 3s", True),
        ("ws.p95 < 400ms over 3s", False),
        ("http.ended{phase: warm} per_s > 5/s over 3s", False),
        ("http.ended per_s > 50/s over 3s", True),
        ("http.errors rate < 1% over 3s", True),
        ("http.errors{code: 5xx} rate < 1% over 3s", False),
        ("http.unanswered < 1 over 3s", True),
        ("http.max{scenario: http} < 400ms over 3s", True),
    ],
)
def test_it_sees_what_the_tables_say(tmp_path: Path, check: str, fails: bool) -> None:
    rows = [*_slow_from(12), *(failed(20 + at / 10, "ECONNRESET", phase="peak") for at in range(10))]
    seen = played(LiveChecks([entry(check)]), sorted(rows, key=lambda row: row["end_ns"]), 40)
    assert bool(seen) is fails
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", rows)
    run = builder.build()
    results = read_results(run)
    with open_tables(run) as connection:
        manifest = replace(results.manifest, checks=[entry(check)])
        (row,) = checks_summary(connection, manifest, results.summary)["rows"]
    if fails:
        assert row["verdict"] == "failed"
        worst = max(seen, key=lambda one: one[1].check.badness(one[1].window.value))[1].window.value
        assert worst == pytest.approx(row["value"], rel=0.01)
    elif "ws" not in check:
        assert row["verdict"] == "held", row["reason"]


def test_what_was_interrupted_is_nobody_s_error() -> None:
    rows = [failed(at / 10, "interrupted") for at in range(100)]
    assert played(LiveChecks([entry("http.unanswered < 1 over 2s")]), rows, 20) == []


def _line(second: float, *, queue: int = 0, cpu: float = 0.0, rss: float = 1e6) -> dict[str, Any]:
    worker = {"role": "worker", "create_time": 1.0, "cpu_user": cpu * second, "cpu_system": 0.0}
    return {
        "t_ns": START_NS + round(second * SECOND_NS),
        "host": {},
        "service": {"accept_queue": queue},
        "processes": [
            {**worker, "pid": 1, "rss": rss},
            {**worker, "pid": 2, "rss": rss * 2},
            {"role": "arbiter", "pid": 9},
        ],
    }


@pytest.mark.parametrize(
    ("check", "value", "where"),
    [
        ("server.accept_queue.min < 5 over 3s", 7, "web"),
        ("server.cpu.mean < 1 over 3s", 1.5, "web"),
        ("server.worker.rss.max < 1.5MB over 3s", 2e6, "web worker 2"),
        ("server.rss.max < 1MB over 3s", 3e6, "web"),
        ("server.accept_queue.max{phase: peak} < 5 over 3s", 7, "web"),
    ],
)
def test_servers_are_looked_at_too(tmp_path: Path, check: str, value: float, where: str) -> None:
    live = LiveChecks([entry(check)])
    heard: dict[str, Any] = {}

    class Session:
        offset_ns = 10 * SECOND_NS

        def listen(self, listener: Any) -> None:
            heard["listener"] = listener

    live.follow({"web": Session()})  # type: ignore[dict-item]
    folder = LoadFolder(tmp_path)
    folder.events.write_text(
        json.dumps({"t_ns": START_NS, "kind": "phase_started", "phase": "peak", "index": 0}) + "\n",
        encoding="utf-8",
    )
    assert live.taker(folder) is None
    live.begin(START_NS)
    seen: list[Failure] = []
    for second in range(12):
        line = _line(second, queue=7, cpu=0.75)
        heard["listener"]({**line, "t_ns": line["t_ns"] - Session.offset_ns})
        seen += live.look(START_NS + second * SECOND_NS)
    assert seen
    assert seen[0].window.value == pytest.approx(value)
    assert seen[0].where == where


def test_without_windows_nothing_is_listened_to() -> None:
    live = LiveChecks([entry("http.p95 < 1ms", abort=False), entry("server.deaths < 1 over 3s", abort=False)])
    assert live.taker(LoadFolder(Path("/nowhere"))) is None
    assert live.look(START_NS) == []
