"""Manifests of a load in a cluster: what stands in them, by the published schemas; what a plan may say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.cluster.schemas import VERSIONS, problem
from tests.known_locust import know_locust
from toolkit.engines.kubernetes import writing
from toolkit.engines.kubernetes.objects import doubled, literal
from toolkit.engines.kubernetes.pod_files import keys_of
from toolkit.engines.kubernetes.writing import to_apply
from toolkit.engines.registry import engine
from toolkit.errors import UsageError
from toolkit.plan.loading import load_plan
from toolkit.recording.layout import LoadFolder
from toolkit.recording.places import carried
from toolkit.run.jobs import canary_of, job_of

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.base import LoadJob, Pods
    from toolkit.plan.model import Plan

PLAN = """\
name: Shop_1
target: http://shop.test.svc:8000
load:
  scenarios:
    - file: own/locustfile.py
      variables: {TOKEN: secret, LIMITS: {a: 1}}
      locust:
        users: 50
        tags: ["$(A)"]
        files: [own/data]
        kubernetes:
          context: here
          namespace: load
          workers: 3
          cpu: 1.5
          memory: 1Gi
          pull_secrets: [registry]
          node_selector: {pool: load}
"""


@pytest.fixture(autouse=True)
def _locust(monkeypatch: pytest.MonkeyPatch) -> None:
    know_locust(monkeypatch, writing)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, PLAN)


def planned(tmp_path: Path, text: str) -> Plan:
    for name in ("locustfile.py", "data/a b.csv", "data/a_b.csv"):
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_text("")
    (tmp_path / "plan.yml").write_text(text)
    return load_plan(tmp_path / "plan.yml", {})


def job(plan: Plan) -> LoadJob:
    assert plan.load
    return job_of(plan, plan.load.scenarios[0])


def pods(plan: Plan, run: str = "20261201T143102Z-shop") -> Pods:
    launch = engine("locust").launch(job(plan), LoadFolder(plan.reports / run / "load" / "shop"))
    assert launch.pods
    return launch.pods


def documents(files: Any) -> dict[str, Any]:
    yaml = YAML(typ="safe")
    return {
        name.removesuffix(".yaml"): yaml.load(content)
        for name, content in files
        if name.endswith(".yaml") and "/" not in name
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_right_by_the_published_schemas(plan: Plan, version: str) -> None:
    made = documents(pods(plan).files)
    assert set(made) == {"kustomization", "master", "workers", "service", "network-policy"}
    assert {name: problem(made[name], version) for name in made if name != "kustomization"} == dict.fromkeys(
        ["master", "workers", "service", "network-policy"], ""
    )
    made["workers"]["spec"]["backOffLimit"] = 0
    assert "backOffLimit" in problem(made["workers"], version), "what is not known is refused"


def test_pods_have_limits_and_no_rights(plan: Plan) -> None:
    made = documents(pods(plan).files)
    for name in ("master", "workers"):
        pod = made[name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["restartPolicy"] == "Never"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 1000
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert made[name]["spec"]["activeDeadlineSeconds"] > 60
        assert pod["nodeSelector"] == {"pool": "load"}
    workers = made["workers"]["spec"]
    assert (workers["completions"], workers["parallelism"], workers["backoffLimitPerIndex"]) == (3, 3, 0)
    resources = workers["template"]["spec"]["containers"][0]["resources"]
    assert (resources["requests"]["cpu"], resources["limits"]["cpu"]) == ("1.5", "3")


def test_what_may_be_secret_stands_in_the_secret_alone(plan: Plan) -> None:
    place = pods(plan)
    holding = {
        name
        for name, content in place.files
        if isinstance(content, bytes) and (content == b"secret" or b"shop.test" in content)
    }
    assert holding == {"variables/TOKEN", "variables/LOCUST_HOST"}
    made = documents(place.files)
    assert made["kustomization"]["secretGenerator"][0]["files"] == [
        f"variables/{name}" for name in ("TOKEN", "LIMITS", "LOCUST_HOST")
    ]


def test_every_load_has_a_name_of_its_own(plan: Plan) -> None:
    one, other = pods(plan), pods(plan, "20261201T143103Z-shop")
    assert one.name.startswith("locust-20261201t143102z-")
    assert one.name != other.name
    names = {
        item["metadata"]["name"] for name, item in documents(one.files).items() if name != "kustomization"
    }
    assert names == {f"{one.name}-master", f"{one.name}-worker"}


def test_what_kubernetes_would_take_for_a_variable_is_literal(plan: Plan) -> None:
    args = documents(pods(plan).files)["workers"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "$$(A)" in args
    assert literal("a $(B) $C") == "a $$(B) $C"


def test_written_by_hand_they_wait_for_nobody(plan: Plan, tmp_path: Path) -> None:
    def held(files: Any) -> bool:
        env = documents(files)["master"]["spec"]["template"]["spec"]["containers"][0]["env"]
        return bool(json.loads(next(one["value"] for one in env if one["name"] == "TOOLKIT_POD"))["held"])

    by_hand = to_apply(job(plan), plan.name, LoadFolder(tmp_path / "out"))
    assert (held(by_hand), held(pods(plan).files)) == (False, True)
    assert documents(by_hand)["master"]["metadata"]["name"] == "locust-shop-1-locustfile-master"
    assert not any(name.startswith("operator/") for name, _ in by_hand), "its ConfigMap knows no folders"


def test_a_locust_test_is_right_by_its_definition(tmp_path: Path) -> None:
    plan = planned(tmp_path, PLAN.replace("        files: [own/data]\n", ""))
    files = dict(to_apply(job(plan), plan.name, LoadFolder(tmp_path / "out")))
    content = files["operator/locusttest.yaml"]
    assert isinstance(content, bytes)
    test = YAML(typ="safe").load(content)
    assert problem(test, "v1.37") == ""
    assert (test["spec"]["workers"], test["spec"]["image"]) == (3, "locustio/locust:2.47.0")
    assert "--users 50" in test["spec"]["args"]
    assert "workers" in problem({**test, "spec": {**test["spec"], "workers": 0}}, "v1.37")
    assert "sidecar" in problem({**test, "spec": {**test["spec"], "sidecar": 1}}, "v1.37")


def test_keys_of_config_maps_are_few_letters_and_each_its_own(tmp_path: Path) -> None:
    keys = keys_of((("data/a b.csv", tmp_path), ("data/a_b.csv", tmp_path), ("ä.py", tmp_path)))
    assert keys == {"data/a b.csv": "data__a_b.csv", "data/a_b.csv": "data__a_b.csv_", "ä.py": "_.py"}


def test_twice_a_quantity() -> None:
    assert [doubled(one) for one in ("1", "0.5", "500m", "1.5")] == ["2", "1", "1000m", "3"]


def test_mistakes_are_told_with_their_places(tmp_path: Path) -> None:
    wrong = PLAN.replace("memory: 1Gi", "memory: 1 GB").replace("namespace: load", "namespace: Load")
    with pytest.raises(UsageError) as raised:
        planned(tmp_path, wrong.replace("users: 50", "users: 50\n        workers: 2"))
    for words in (
        "'1 GB' is no quantity of Kubernetes",
        "namespace",
        "cannot stand beside kubernetes: it has workers of its own",
    ):
        assert words in raised.value.message


def test_what_is_too_large_for_a_config_map_is_said(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "own" / "data" / "a_b.csv").write_bytes(b"x" * 1_000_001)
    (mistake,) = engine("locust").check(job(plan))
    assert "1,000,001 bytes, and a ConfigMap holds 1,000,000" in mistake


def test_no_canary_asks_what_only_pods_reach(plan: Plan, tmp_path: Path) -> None:
    assert canary_of(plan) is None
    asked = planned(tmp_path, PLAN.replace("load:\n", "load:\n  canary: {url: http://127.0.0.1:9/}\n", 1))
    assert canary_of(asked) == "http://127.0.0.1:9/"


def test_the_plan_that_comes_along_is_right() -> None:
    plan = load_plan(carried("plans") / "kubernetes.yml", {}, {})
    place = pods(plan)
    assert (place.context, place.namespace) == ("kind-load-tests", "load-tests")
    assert all(
        problem(item, "v1.37") == ""
        for name, item in documents(place.files).items()
        if name != "kustomization"
    )


def test_what_an_older_yaml_takes_for_something_else_is_quoted(tmp_path: Path) -> None:
    text = PLAN.replace("namespace: load", "namespace: 'n'").replace(
        "{pool: load}", "{pool: 'on', zone: '1:30'}"
    )
    older = YAML(typ="safe")
    older.version = (1, 1)
    files = dict(pods(planned(tmp_path, text)).files)
    made = [older.load(files[name]) for name in ("kustomization.yaml", "workers.yaml")]
    assert made[0]["namespace"] == "n"
    assert made[1]["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "on", "zone": "1:30"}
