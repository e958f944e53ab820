"""What a plan's kind means for its scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from toolkit.errors import UsageError
from toolkit.plan.judging import checks_of, wanted_shape
from toolkit.plan.kinds import laid_over, phases_of
from toolkit.plan.loading import load_plan
from toolkit.run.jobs import in_turn, planned_loads

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.plan.model import Plan


@pytest.fixture
def plan_with(tmp_path: Path) -> Any:
    def made(text: str, scenario: str = "own.yml") -> Plan:
        (tmp_path / scenario.partition(",")[0]).touch()
        path = tmp_path / "plan.yml"
        path.write_text(text + f"\n  scenarios: [{{file: {scenario}}}]\n", encoding="utf-8")
        return load_plan(path, {})

    return made


def _phases(plan: Plan) -> list[tuple[str, int, float]]:
    assert plan.load is not None
    return [(one.name, one.level, one.duration_s) for one in phases_of(plan, plan.load.scenarios[0])]


def test_without_a_word_a_file_keeps_its_own_phases(plan_with: Any) -> None:
    plan = plan_with("load:")
    assert plan.load is not None
    assert _phases(plan) == []
    assert laid_over(plan, plan.load.scenarios[0]) == ({}, None)
    assert wanted_shape(plan) == {"kind": "load", "levels": []}


def test_a_rate_stands_in_the_place_of_the_phases(plan_with: Any) -> None:
    plan = plan_with("load:\n  rate: 20\n  duration: 1m")
    assert plan.load is not None
    overrides, _ = laid_over(plan, plan.load.scenarios[0])
    assert overrides["config"]["phases"] == [
        {"name": "ramp-up", "duration": "10000ms", "arrivalRate": 1, "rampTo": 20},
        {"name": "steady", "duration": "60000ms", "arrivalRate": 20, "rampTo": 20},
    ]


def test_users_are_stages_of_a_locustfile(plan_with: Any) -> None:
    plan = plan_with("kind: spike\nload:\n  users: 4\n  peak: 5\n  duration: 10s\n  recovery: 8s", "own.py")
    assert plan.load is not None
    _, options = laid_over(plan, plan.load.scenarios[0])
    assert [(one.name, one.users, one.duration_s) for one in options.stages] == [
        ("before", 4, 20.0),
        ("spike", 20, 10.0),
        *((f"after {at}", 4, 2.0) for at in (1, 2, 3, 4)),
    ]


def test_each_kind_has_defaults(plan_with: Any) -> None:
    assert _phases(plan_with("kind: smoke\nload:")) == [("smoke", 1, 10.0)]
    assert _phases(plan_with("kind: soak\nload:")) == [("ramp-up", 5, 30.0), ("steady", 5, 3600.0)]
    stress = _phases(plan_with("kind: stress\nload:"))
    assert (stress[0], stress[-1], len(stress)) == (("5/s", 5, 10.0), ("100/s", 100, 10.0), 20)


def test_phases_that_are_laid_over_a_file_win(plan_with: Any) -> None:
    own = "own.yml, overrides: {config: {phases: [{duration: 3, arrivalRate: 1}]}}"
    assert _phases(plan_with("kind: smoke\nload:", own)) == []


def test_a_stress_takes_its_checks_for_limits(plan_with: Any) -> None:
    plan = plan_with("kind: stress\nchecks: [http.p95 < 300ms, records.invalid == 0]\nload:")
    assert [entry["check"] for entry in checks_of(plan)] == ["records.invalid == 0", "generator.limited == 0"]
    shape = wanted_shape(plan)
    assert [(one["family"], one["check"]) for one in shape["limits"]] == [
        ("latency", "http.p95 < 300ms over 5s"),
        ("errors", "requests.errors rate < 5% over 5s"),
        ("queue", "server.accept_queue.min < 10 over 5s"),
    ]
    assert {one["load"] for one in shape["levels"]} == {"own", "own-recovery"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: strss\nload:", "'strss' is not one of"),
        ("load:\n  steps: 3", "plan.yml:2: load.steps: kind: load has no steps; only stress"),
        ("load:\n  duration: 5s", "say how much, too: rate:"),
        ("kind: smoke\nload:\n  users: 3", "only a locustfile takes this, and there is none"),
        ("kind: stress\nload:\n  order: sequential", "a stress raises all its files together"),
        ("kind: spike\nload:\n  peak: 1", "too little: it must be more than 1"),
        ("kind: smoke\nload:\n  rate: 0", "too little: it must be more than 0"),
    ],
)
def test_a_mistake_is_said_with_its_place(plan_with: Any, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        plan_with(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "own", "said"),
    [
        ("kind: stress\nload:", "run_time: 5", "locust.run_time: kind: stress says this"),
        ("load:\n  users: 3", "users: 5", "locust.users: load.users, duration and ramp say this"),
    ],
)
def test_what_would_be_passed_over_is_a_mistake(plan_with: Any, text: str, own: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        plan_with(text, f"own.py, locust: {{{own}}}")
    assert said in str(error.value)


def test_a_locustfiles_own_users_are_the_first_step(plan_with: Any) -> None:
    plan = plan_with("kind: stress\nload:\n  steps: 2", "own.py, locust: {users: 3}")
    assert _phases(plan) == [("3 users", 3, 10.0), ("6 users", 6, 10.0)]


def test_the_sender_has_no_kind(plan_with: Any) -> None:
    with pytest.raises(UsageError, match="the engine sender has a rate: of its own, and no kind: stress"):
        plan_with("kind: stress\nload:", "own.csv, engine: sender, send: {request: POST /x}")


def _capacity(text: str, scenario: str = "own.py, call: play") -> str:
    return f"kind: capacity\nload:\n  {text}\n  scenarios: [{{file: {scenario}}}]\n"


def test_a_capacity_is_a_cell_for_each_number_of_clients_and_replicas(tmp_path: Path) -> None:
    (tmp_path / "own.py").touch()
    path = tmp_path / "plan.yml"
    path.write_text(
        _capacity(
            "clients: [1, 4]\n  repetitions: 3\n  limit: 2m\n  replicas: [1, 3]\n  scale: kubectl {replicas}"
        ),
        encoding="utf-8",
    )
    plan = load_plan(path, {})
    shape = wanted_shape(plan)
    assert [(cell["load"], cell["clients"], cell["replicas"]) for cell in shape["cells"]] == [
        ("own@1x1", 1, 1),
        ("own@1x4", 4, 1),
        ("own@3x1", 1, 3),
        ("own@3x4", 4, 3),
    ]
    assert {(cell["repetitions"], cell["limit_s"]) for cell in shape["cells"]} == {(3, 120.0)}
    loads = planned_loads(plan)
    assert [(one.name, one.replicas) for one in loads] == [
        (cell["load"], cell["replicas"]) for cell in shape["cells"]
    ]
    assert in_turn(plan)
    assert loads[1].job.clients is not None
    assert (loads[1].job.clients.count, loads[1].job.clients.repetitions) == (4, 3)


def test_a_capacity_has_defaults(tmp_path: Path) -> None:
    (tmp_path / "own.py").touch()
    path = tmp_path / "plan.yml"
    path.write_text(_capacity("clients: 2", 'own.py, test: ""'), encoding="utf-8")
    (cell,) = wanted_shape(load_plan(path, {}))["cells"]
    assert (cell["load"], cell["repetitions"], cell["limit_s"], cell["replicas"]) == ("own@2", 10, 60.0, None)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (_capacity("clients: 1", "own.yml"), "kind: capacity needs call:"),
        (_capacity("clients: 1", "own.py, call: a, test: b"), "name call or test, not both"),
        (_capacity("duration: 1m"), "kind: capacity has no duration"),
        (_capacity("replicas: 2"), "replicas and scale belong together"),
        (_capacity("scale: run me"), "replicas and scale belong together"),
        (_capacity("clients: [1, 0]"), "it must be more than 0"),
        ("load:\n  clients: 2\n  scenarios: [own.yml]\n", "kind: load has no clients; only capacity"),
        (
            "load:\n  scenarios: [{file: own.py, call: play}]\n",
            "only kind: capacity repeats a function or tests",
        ),
    ],
)
def test_what_a_capacity_cannot_have_is_said(tmp_path: Path, text: str, mistake: str) -> None:
    for name in ("own.py", "own.yml"):
        (tmp_path / name).touch()
    path = tmp_path / "plan.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=mistake):
        load_plan(path, {})


def _k6(text: str) -> str:
    return f"target: http://h\nload:\n  scenarios: [{text}]\n"


def test_requests_for_k6_take_the_kinds_stages(tmp_path: Path) -> None:
    path = tmp_path / "plan.yml"
    path.write_text(
        "kind: spike\ntarget: http://h\nload:\n  rate: 4\n  peak: 5\n  duration: 3s\n  recovery: 4s\n  scenarios:\n"
        "    - k6: {requests: [GET /a, {request: POST /b, body: {c: 1}, weight: 3}]}\n",
        encoding="utf-8",
    )
    (one,) = planned_loads(load_plan(path, {}))
    assert one.name == "k6"
    assert one.job.k6 is not None
    assert [(stage.name, stage.rate, stage.duration_s) for stage in one.job.k6.stages] == [
        ("before", 4, 6.0),
        ("spike", 20, 3.0),
        *((f"after {at}", 4, 1.0) for at in range(1, 5)),
    ]
    second = one.job.k6.requests[1]
    assert (second.method, second.name, second.body, second.headers, second.weight) == (
        "POST",
        "POST /b",
        '{"c": 1}',
        {"Content-Type": "application/json"},
        3,
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{k6: {requests: [GET /a]}, file: own.js}", "k6 sends the requests of the plan, or plays a file"),
        ("{k6: {requests: [GET]}}", "is no request; write POST /path"),
        ("{k6: {requests: [{request: GET /a, expect: 42}]}}", "too little"),
        ("{k6: {vus: 3}}", "is missing"),
        ("{k6: {requests: [GET /a]}, engine: artillery}", "only the engine k6 takes this"),
    ],
)
def test_what_k6_cannot_have_is_said(tmp_path: Path, text: str, mistake: str) -> None:
    (tmp_path / "own.js").touch()
    path = tmp_path / "plan.yml"
    path.write_text(_k6(text), encoding="utf-8")
    with pytest.raises(UsageError, match=mistake):
        load_plan(path, {})
