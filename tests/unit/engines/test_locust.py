"""How Locust is started, what a plan may ask of it, and what its ends mean."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from toolkit.engines import locust as module
from toolkit.engines import locust_file
from toolkit.engines.base import LoadJob
from toolkit.engines.locust_options import LocustOptions, Stage
from toolkit.engines.parts import unaccounted
from toolkit.engines.registry import engine
from toolkit.errors import UsageError
from toolkit.plan.loading import load_plan
from toolkit.recording.layout import LoadFolder

FILE = '''\
"""See http://docs.example/."""
from locust import HttpUser, task
BACK = "https://other.example/back"
class Clerk(HttpUser):
    """Asks http://nobody.example."""
    @task
    def look(self):
        self.client.get("/hours")
        self.client.get("/hours", name="again")
        self.client.get("/mine", headers={"a": "b"})
        self.client.get(f"/day/{1}")
'''
CLERK = {"name": "Clerk", "host": None, "tasks": 1}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Locust says is in the file."""
    found: dict[str, Any] = {"users": [CLERK], "shape": None, "problem": "", "line": None}
    for place in (module, locust_file):
        monkeypatch.setattr(place, "find_locust", lambda: ("/l/python", "2.47.0"))
    monkeypatch.setattr(locust_file, "_asked", lambda *_: found)
    return found


@pytest.fixture
def file(tmp_path: Path, said: dict[str, Any]) -> Path:
    path = tmp_path / "locustfile.py"
    path.write_text(FILE)
    return path


def job_of(file: Path, options: LocustOptions | None = None, target: str = "http://y") -> LoadJob:
    return LoadJob("l", file, target, variables={"COLOUR": "red", "MANY": [1]}, locust=options)


def flags(argv: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in zip(argv, [*argv[1:], ""], strict=True) if name.startswith("-")}


def test_alone(file: Path, tmp_path: Path) -> None:
    options = LocustOptions(
        users=30, run_time_s=90, tags=("a", "b"), classes=("Clerk",), arguments=("--own", "1")
    )
    launch = engine("locust").launch(job_of(file, options), LoadFolder(tmp_path / "gone"))
    assert launch.argv[:2] == ("/l/python", str(Path(launch.argv[1])))
    assert launch.argv[1].endswith("loadtesting/lib/locust_start.py")
    given = flags(launch.argv)
    assert (given["-f"], given["--host"], given["--users"], given["--spawn-rate"], given["--run-time"]) == (
        *(str(file), "http://y", "30", "6"),
        "90s",
    )
    assert (given["--own"], given["--stop-timeout"], given["--exit-code-on-error"]) == ("1", "10", "0")
    assert "--headless" in given
    assert "--master" not in given
    assert launch.argv[-1] == "Clerk"
    assert launch.argv[launch.argv.index("--tags") + 1 :][:2] == ("a", "b")
    assert launch.helpers == ()
    assert launch.planned_s == 90
    assert 100 < launch.deadline_s < 200
    assert (launch.env["COLOUR"], launch.env["MANY"]) == ("red", "[1]")
    assert not (tmp_path / "gone").exists(), "a dry run writes nothing"


def test_a_master_and_its_workers_on_loopback(file: Path, tmp_path: Path) -> None:
    launch = engine("locust").launch(job_of(file, LocustOptions(workers=2)), LoadFolder(tmp_path))
    master = flags(launch.argv)
    assert (master["--master-bind-host"], master["--expect-workers"]) == ("127.0.0.1", "2")
    assert [helper.name for helper in launch.helpers] == ["worker 1 of 2", "worker 2 of 2"]
    for number, helper in enumerate(launch.helpers, 1):
        worker = flags(helper.argv)
        assert (worker["--master-host"], worker["--master-port"]) == (
            "127.0.0.1",
            master["--master-bind-port"],
        )
        assert json.loads(helper.env["TOOLKIT_RECORDER"])["worker"] == number
        assert helper.console == tmp_path / f"worker-{number}.log"


def test_its_page_is_on_loopback_alone(file: Path, tmp_path: Path) -> None:
    launch = engine("locust").launch(job_of(file, LocustOptions(web_port=27099)), LoadFolder(tmp_path))
    given = flags(launch.argv)
    assert (given["--web-host"], given["--web-port"], given["--autoquit"]) == ("127.0.0.1", "27099", "0")
    assert "--headless" not in given
    assert launch.page == "http://127.0.0.1:27099"


def test_a_files_own_shape_decides_and_the_plans_stages_come_before_it(
    file: Path, tmp_path: Path, said: dict[str, Any]
) -> None:
    said["shape"] = "Steps"
    locust = engine("locust")
    shaped = locust.launch(job_of(file), LoadFolder(tmp_path))
    assert "--users" not in flags(shaped.argv)
    assert (shaped.planned_s, shaped.deadline_s > 3600) == (0, True)
    assert "its Steps decides" in locust.remarks(job_of(file))[0]
    staged = job_of(file, LocustOptions(stages=(Stage("a", 3, 3, 20), Stage("b", 9, 3, 10))))
    assert locust.remarks(staged) == []
    launch = locust.launch(staged, LoadFolder(tmp_path))
    assert launch.planned_s == 30
    stages = json.loads(launch.env["TOOLKIT_RECORDER"])["stages"]
    assert stages[1] == {"name": "b", "users": 9, "spawn_rate": 3, "duration_s": 10}


def test_where_it_goes_and_what_it_reads(file: Path, said: dict[str, Any]) -> None:
    locust = engine("locust")
    assert locust.targets(job_of(file)) == ["http://y", "https://other.example/back"], (
        "documentation is no address"
    )
    assert locust.reads(job_of(file)) == ["http://y/hours"]
    file.write_text(FILE + 'OWN, TRAFFIC, GONE = "urls.json", "traffic.json", "gone.json"\n')
    addresses = {"ORDER_URL": "http://order", "more": ["https://stock", 7], "note": "see http://y"}
    (file.parent / "urls.json").write_text(json.dumps(addresses))
    (file.parent / "traffic.json").write_text("no JSON: http://z")
    job = replace(job_of(file), variables={"PAYMENT_URL": "http://payment", "COLOUR": "red"})
    assert locust.targets(job)[2:] == ["http://order", "https://stock", "http://payment"], (
        "nothing goes where nobody was asked"
    )
    said["users"] = [{**CLERK, "host": "http://own"}]
    assert locust.targets(job_of(file, target=""))[0] == "http://own"


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        ({"users": []}, None, "there is no User class in it"),
        ({"users": [{**CLERK, "tasks": 0}]}, None, "the User class `Clerk` has no tasks"),
        (
            {"problem": "ImportError: x", "line": 3},
            None,
            "locustfile.py:3: it cannot be imported: ImportError: x.",
        ),
        ({}, LocustOptions(classes=("Clark",)), "there is no User class `Clark` in it; there are: Clerk."),
    ],
)
def test_mistakes_have_a_place(
    file: Path, said: dict[str, Any], change: dict[str, Any], options: LocustOptions | None, sentence: str
) -> None:
    said.update(change)
    (mistake,) = engine("locust").check(job_of(file, options))
    assert sentence in mistake


def test_a_file_that_is_no_python(file: Path) -> None:
    file.write_text("import locust\nclass A(:\n")
    (mistake,) = engine("locust").check(job_of(file))
    assert mistake == f"{file}:2: it is no Python: invalid syntax."
    with pytest.raises(UsageError, match="it is no Python"):
        engine("locust").launch(job_of(file), LoadFolder(file.parent / "x"))
    assert engine("locust").targets(job_of(file)) == ["http://y"]


def test_no_target_at_all(file: Path) -> None:
    (mistake,) = engine("locust").check(job_of(file, target=""))
    assert "no `target` is given" in mistake


@pytest.mark.parametrize(
    ("code", "events", "stopped", "outcome", "problem"),
    [
        (0, [], False, "passed", ""),
        (0, [], True, "interrupted", "it was stopped before its end"),
        (-9, [], False, "invalid", "Locust was killed (SIGKILL: out of memory, or by hand)"),
        (
            0,
            [{"kind": "worker_error", "message": "worker 1 of 2 went"}],
            False,
            "invalid",
            "worker 1 of 2 went",
        ),
        (3, [{"kind": "done", "exit_code": 3, "asked": 3}], False, "check-failed", "set the exit code 3"),
        (
            2,
            [{"kind": "done", "exit_code": 2, "asked": None}],
            False,
            "failed",
            "exit code 2: it said nothing",
        ),
    ],
)
def test_what_its_end_means(
    tmp_path: Path, code: int, events: list[dict[str, Any]], stopped: bool, outcome: str, problem: str
) -> None:
    folder = LoadFolder(tmp_path)
    folder.events.write_text("".join(json.dumps(event) + "\n" for event in events))
    ending = engine("locust").ending(code, folder, stopped)
    assert ending.outcome == outcome
    assert problem in ending.problem


def test_requests_without_a_record_are_counted(tmp_path: Path) -> None:
    folder = LoadFolder(tmp_path)
    folder.request_parts.mkdir()
    for name, began, rows in (("worker-1", 5, 3), ("worker-2", 4, 4)):
        (folder.request_parts / f"{name}.jsonl").write_text("{}\n" * (rows + 1) + '{"cut":')
        (folder.request_parts / f"{name}.began").write_bytes(began.to_bytes(8, "little"))
    assert unaccounted(folder) == 2
    ending = engine("locust").ending(0, folder, stopped_by_us=False)
    assert (ending.outcome, ending.problem) == (
        "invalid",
        "2 requests that were begun are not in the records",
    )


def test_the_plans_words(tmp_path: Path) -> None:
    plan = tmp_path / "p.yml"
    plan.write_text(
        "load: {scenarios: [{file: users.py, locust: {stages: [{users: 5, duration: 1m}, {users: 0, duration: 2s}],"
        " web: true}}, other.py]}"
    )
    load = load_plan(plan, {}).load
    assert load is not None
    first, second = load.scenarios
    assert (first.engine, second.engine, second.locust) == ("locust", "locust", None)
    assert first.locust is not None
    options = first.locust.options()
    assert options.stages == (Stage("5 users", 5, 5, 60), Stage("0 users", 0, 5, 2))
    assert (options.web_port, options.planned_s) == (8089, 62)


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ("{file: a.yml, locust: {users: 3}}", "only a locustfile"),
        ("{file: a.py, locust: {users: 3, stages: [{users: 1, duration: 1}]}}", "the stages say this"),
        ("{file: a.py, locust: {users: 0}}", "0 is too little"),
        ("{file: a.py, locust: {user: 1}}", "did you mean"),
    ],
)
def test_what_a_plan_may_not_say(tmp_path: Path, scenario: str, sentence: str) -> None:
    plan = tmp_path / "p.yml"
    plan.write_text(f"load: {{scenarios: [{scenario}]}}")
    with pytest.raises(UsageError, match=sentence):
        load_plan(plan, {})
