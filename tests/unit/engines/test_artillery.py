"""How Artillery is started, and what its exit codes mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit.engines import artillery as module
from toolkit.engines.base import LoadJob
from toolkit.engines.node import Node
from toolkit.engines.registry import engine
from toolkit.errors import UsageError
from toolkit.recording.layout import LoadFolder

SCRIPT = """\
config: { target: http://x, phases: [{ duration: 1m, arrivalRate: 1 }] }
scenarios: [{ flow: [{ get: { url: / } }] }]
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadJob:
    monkeypatch.setattr(module, "find_node", lambda: Node(Path("/n/node"), "22.18.0", ()))
    monkeypatch.setattr(module, "artillery_folder", lambda: Path("/a"))
    file = tmp_path / "s.yml"
    file.write_text(SCRIPT)
    return LoadJob("s", file, "http://y", {"config": {"timeout": 3}}, {"color": "red"}, "staging", 4.0)


def test_the_command(job: LoadJob, tmp_path: Path) -> None:
    launch = engine("artillery").launch(job, LoadFolder(tmp_path / "gone" / "s"))
    assert launch.argv[:3] == ("/n/node", "/a/bin/run", "run")
    options = dict(zip(launch.argv[3:-1:2], launch.argv[4:-1:2], strict=True))
    assert options == {
        "--output": str(tmp_path / "gone" / "s" / "artillery.json"),
        "--target": "http://y",
        "--environment": "staging",
        "--overrides": '{"config": {"timeout": 3}}',
        "--variables": '{"color": "red"}',
    }
    assert launch.argv[-1] == str(job.file)
    assert launch.planned_s == 60
    assert launch.deadline_s > 60 + 30
    assert not (tmp_path / "gone").exists(), "a dry run writes nothing"


def test_the_operators_own_plugins_stay(
    job: LoadJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTILLERY_PLUGINS", '{"mine": {}}')
    monkeypatch.setenv("ARTILLERY_PLUGIN_PATH", "/mine")
    monkeypatch.setenv("CUSTOM_REPORTERS", "/mine.js")
    env = engine("artillery").launch(job, LoadFolder(tmp_path)).env
    assert set(json.loads(env["ARTILLERY_PLUGINS"])) == {"mine", "toolkit-recorder"}
    assert env["ARTILLERY_PLUGIN_PATH"].startswith("/mine:")
    assert env["CUSTOM_REPORTERS"].startswith("/mine.js,")
    assert env["ARTILLERY_DISABLE_TELEMETRY"] == "true"
    assert json.loads(env["TOOLKIT_RECORDER"])["ackTimeoutS"] == 4.0


def test_what_may_still_be_sent_after_the_last_user(job: LoadJob, tmp_path: Path) -> None:
    folder = LoadFolder(tmp_path)
    artillery = engine("artillery")
    assert not artillery.launch(job, folder).sends_after
    job.file.write_text(SCRIPT + "after: { flow: [{ get: { url: /clean } }] }\n")
    assert artillery.launch(job, folder).sends_after
    assert not artillery.users_left(folder)
    assert not artillery.users_arrive(folder)
    folder.events.write_text('{"t_ns":1,"kind":"schedule","worker":1}\n')
    assert artillery.users_arrive(folder)
    folder.events.write_text('{"t_ns":1,"kind":"users","created":{"users_left":1}}\n')
    assert not artillery.users_left(folder)
    with folder.events.open("a") as events:
        events.write('{"t_ns":2,"kind":"users_left"}\n{"t_ns":3,"kind":"users","created":{}}\n')
    assert artillery.users_left(folder)


@pytest.mark.parametrize(
    ("code", "events", "console", "outcome", "words"),
    [
        (0, ["done"], "", "passed", ""),
        (1, ["done"], "fail: p95 < 10\nok: x\n", "check-failed", "p95 < 10"),
        (21, ["done"], "", "check-failed", "expect"),
        (1, [], "Scenario validation error: no\nbye\n", "failed", "Scenario validation error: no"),
        (1, [], "", "failed", "it said nothing"),
        (11, [], "worker error, id: 1 Error: boom\n", "invalid", "boom"),
        (0, ["done", "worker_error"], "", "invalid", "lost"),
        (-9, [], "", "invalid", "killed"),
        (137, [], "", "invalid", "killed"),
        (-11, [], "", "invalid", "signal 11"),
        (143, [], "", "interrupted", "SIGTERM"),
        (130, [], "", "interrupted", "SIGINT"),
    ],
)
def test_endings(
    tmp_path: Path, code: int, events: list[str], console: str, outcome: str, words: str
) -> None:
    folder = LoadFolder(tmp_path)
    folder.console.write_text(console)
    folder.events.write_text("".join(json.dumps({"kind": kind, "message": "lost"}) + "\n" for kind in events))
    ending = engine("artillery").ending(code, folder, stopped_by_us=False)
    assert ending.outcome == outcome
    assert words in ending.problem
    assert engine("artillery").ending(code, folder, stopped_by_us=True).outcome == "interrupted"


def test_an_unknown_engine() -> None:
    with pytest.raises(UsageError, match="artillery"):
        engine("artilery")
