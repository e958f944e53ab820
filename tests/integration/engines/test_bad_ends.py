"""Loads that do not end well: a signal, a kill, a dead worker, a dead target, a refused file. Nothing hangs, nothing is lost."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.engines.base import LoadJob
from toolkit.engines.registry import engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.engines.conftest import Played
    from tests.logged_service import LoggedService
    from toolkit.engines.live import LiveTail

pytestmark = pytest.mark.needs_artillery

ENDLESS: dict[str, Any] = {
    "config": {
        "target": "http://127.0.0.1:1",
        "phases": [{"duration": 60, "arrivalRate": 5}],
        "http": {"timeout": 30},
    },
    "scenarios": [
        {
            "name": "loop",
            "flow": [
                {"loop": [{"get": {"url": "/items/1"}}, {"get": {"url": "/slow"}}], "count": 10},
                {"get": {"url": "/slow?s=20"}},
            ],
        }
    ],
}


def _written(folder: Path, script: dict[str, Any]) -> Path:
    file = folder / "script.json"
    file.write_text(json.dumps(script))
    return file


def _after(requests: int) -> Callable[[LiveTail], bool]:
    return lambda tail: tail.poll().requests >= requests


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_loses_no_record(
    play: Callable[..., Played], service: LoggedService, tmp_path: Path, number: int, code: int
) -> None:
    before = len(service.requests())
    played = play(_written(tmp_path, ENDLESS), service.url, stop=_after(60), stop_signal=number)
    assert played.exit_code == code
    assert played.took_s < 5
    assert played.ending.outcome == "interrupted"
    assert played.ending.problem
    seen = {row["id"] for row in service.requests()[before:]}
    recorded = {row["request_id"] for row in played.rows}
    assert seen <= recorded, f"{len(seen - recorded)} requests that the service saw are in no record"
    interrupted = [row for row in played.rows if row["error"] == "interrupted"]
    assert interrupted
    assert all(row["status"] is None and row["end_ns"] > row["start_ns"] for row in interrupted)
    users = [event for event in played.events if event["kind"] == "users"][-1]
    assert users["created"]["loop"] == len({row["user"] for row in played.rows})
    assert not any(event["kind"] == "done" for event in played.events)


def test_a_kill_leaves_what_was_written(
    play: Callable[..., Played], service: LoggedService, tmp_path: Path
) -> None:
    played = play(_written(tmp_path, ENDLESS), service.url, stop=_after(80), stop_signal=signal.SIGKILL)
    assert played.exit_code == -9
    assert played.ending.outcome == "invalid"
    assert "killed" in played.ending.problem
    assert len(played.rows) >= 80
    assert any(event["kind"] == "users" for event in played.events)


def test_a_worker_that_dies_is_told_and_its_records_stay(
    play: Callable[..., Played], service: LoggedService, tmp_path: Path
) -> None:
    (tmp_path / "dies.cjs").write_text(
        "let n = 0; const boom = () => { throw new Error('boom'); };\n"
        "module.exports = { die(r, c, e, next) { if (++n === 4) setTimeout(boom, 20); next(); } };"
    )
    script = {
        "config": {**ENDLESS["config"], "processor": "dies.cjs"},
        "scenarios": [{"flow": [{"get": {"url": "/items/1", "beforeRequest": "die"}}]}],
    }
    before = len(service.requests())
    played = play(_written(tmp_path, script), service.url)
    assert played.exit_code == 11
    assert played.ending.outcome == "invalid"
    assert "boom" in played.ending.problem
    assert [event["message"] for event in played.events if event["kind"] == "worker_error"] == [
        "a generator worker died: boom"
    ]
    assert {row["id"] for row in service.requests()[before:]} == {row["request_id"] for row in played.rows}
    assert len(played.rows) >= 4
    assert [event for event in played.events if event["kind"] == "users"][-1]["created"] == {"0": 4}


def test_a_worker_that_leaves_by_process_exit_ends_the_load(
    play: Callable[..., Played], service: LoggedService, tmp_path: Path
) -> None:
    (tmp_path / "leaves.cjs").write_text(
        "let n = 0; const leave = () => process.exit(3);\n"
        "module.exports = { leave(r, c, e, next) { if (++n === 4) setTimeout(leave, 20); next(); } };"
    )
    script = {
        "config": {**ENDLESS["config"], "processor": "leaves.cjs"},
        "scenarios": [{"flow": [{"get": {"url": "/items/1", "beforeRequest": "leave"}}]}],
    }
    before = len(service.requests())
    played = play(_written(tmp_path, script), service.url)
    assert played.took_s < 10, "Artillery alone waits for ever"
    assert played.ending.outcome == "invalid"
    assert "process.exit(3)" in played.ending.problem
    assert {row["id"] for row in service.requests()[before:]} == {row["request_id"] for row in played.rows}


def test_a_dead_target_and_a_threshold_that_fails(play: Callable[..., Played], tmp_path: Path) -> None:
    script = {
        "config": {
            "target": "http://127.0.0.1:9",
            "phases": [{"duration": 1, "arrivalCount": 3}],
            "plugins": {"ensure": {}},
            "ensure": {"maxErrorRate": 0},
        },
        "scenarios": [{"name": "a", "flow": [{"get": {"url": "/x"}}]}],
    }
    played = play(_written(tmp_path, script), "")
    assert [(row["status"], row["error"]) for row in played.rows] == [(None, "ECONNREFUSED")] * 3
    assert played.exit_code == 1
    assert played.ending.outcome == "check-failed"
    assert "maxErrorRate" in played.ending.problem
    assert played.folder.engine_json.exists()


def test_a_file_that_artillery_refuses(play: Callable[..., Played], tmp_path: Path) -> None:
    """By way of an override that `check` has not seen: what Artillery says is what the operator reads."""
    file = _written(tmp_path, {**ENDLESS, "scenarios": [{"flow": [{"get": {"url": "/x"}}]}]})
    played = play(file, "", overrides={"config": {"phases": [{"duration": 1, "arrivalRate": 0.5}]}})
    assert played.exit_code == 1
    assert played.ending.outcome == "failed"
    assert "AssertionError" in played.ending.problem
    assert played.rows == []
    assert engine("artillery").check(
        LoadJob("x", file, "", {"config": {"phases": [{"duration": 1, "arrivalRate": 0.5}]}})
    )
