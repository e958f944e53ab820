"""A run whose master and workers are pods: our manifests, the real kubectl, the real Locust, a cluster that carries them out."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.integration.kubernetes.conftest import CONTEXT, NAMESPACE
from tests.integration.kubernetes.running import Ran
from toolkit.transports.kubectl import Kubectl

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.server import StandInCluster
    from tests.logged_service import LoggedService

pytestmark = [pytest.mark.needs_locust, pytest.mark.needs_root, pytest.mark.needs_kubectl]

TOLD_NS = 1_000_000_000
"""By then a pod has told what it began."""
ENOUGH = 3000
"""Bytes of records by which a load is well under way."""


def missing_in(said: str) -> int:
    """How many requests it says are not in the records."""
    found = [
        part
        for part in said.replace("\n", "; ").split("; ")
        if "that were begun are not in the records" in part
    ]
    return int(found[-1].split(": ")[-1].split(" ")[0].replace(",", "")) if found else 0


def test_records_of_pods_equal_the_services_log(
    plan: Path, cluster: StandInCluster, service: LoggedService
) -> None:
    cluster.create(
        NAMESPACE,
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-somebody", "labels": {}}},
    )
    ran = Ran("load", str(plan), "--yes")
    assert ran.exit_code == 0, ran.said
    rows, seen = ran.rows(), service.requests()
    sent = Counter((row["method"], urlsplit(row["url"]).path, row["request_id"]) for row in rows)
    assert sent == Counter((row["method"], row["path"], row["id"]) for row in seen)
    assert {path for _, path, _ in sent} == {"/items/lent-tail-as-1000-read-only"}, (
        "files, modules, variables; no root"
    )
    assert {row["user"].split("-")[0] for row in rows} == {"1", "2"}
    at = {row["id"]: row["t_ns"] for row in seen}
    assert all(row["start_ns"] - 20e6 < at[row["request_id"]] < row["end_ns"] + 20e6 for row in rows)
    assert [name for _, _, name in cluster.objects] == ["of-somebody"], (
        "what was made is gone, and nothing else"
    )
    load = ran.there.load("locustfile")
    assert load.locust_json.exists()
    kept = {
        path.relative_to(load.path).as_posix()
        for path in (load.path / "kubernetes").rglob("*")
        if path.is_file()
    }
    assert {
        "kubernetes/kustomization.yaml",
        "kubernetes/workers.yaml",
        "kubernetes/files/pages__shop.py",
    } <= kept
    texts = [path.read_bytes() for path in ran.there.path.rglob("*") if path.is_file()]
    assert not any(b"of-nobody-else" in text for text in texts), "a variable's value is applied and not kept"
    assert f"{len(rows):,}".replace(",", "") in ran.there.summary_text.read_text().replace(",", "")


@pytest.mark.parametrize("how", ["killed", "deleted"])
def test_a_pod_of_a_worker_that_is_lost_makes_the_run_invalid(
    plan: Path, cluster: StandInCluster, service: LoggedService, how: str
) -> None:
    lost: list[str] = []
    at: list[int] = []

    def lose(ran: Ran) -> None:
        if lost or ran.records_of(2) < 25 * ENOUGH:
            return
        lost.append(cluster.pods("worker")[1])
        at.append(time.time_ns())
        if how == "killed":
            cluster.containers[lost[0]].signal(signal.SIGKILL)
        else:
            cluster.delete("Pod", NAMESPACE, lost[0])

    ran = Ran("load", str(plan), "--yes", meanwhile=lose)
    assert lost
    assert ran.exit_code == 97, ran.said
    last = "(what it began in its last moments is not counted)"
    words = (
        f"was lost: the pod {lost[0]} was ended by SIGKILL {last}"
        if how == "killed"
        else "ended with exit code 0"
    )
    assert f"worker 2 of 2 in the cluster {words} before the end of the load" in ran.said
    recorded = {row["request_id"] for row in ran.rows()}
    told = [row for row in service.requests() if row["t_ns"] < at[0] - TOLD_NS]
    unseen = [row for row in told if row["id"] not in recorded]
    assert told
    assert len(unseen) <= missing_in(ran.said), (
        "what the service saw and no record holds is said to be missing"
    )
    assert how == "deleted" or missing_in(ran.said) > 0
    assert cluster.objects == {}


def test_a_master_that_is_lost_makes_the_run_invalid(plan: Path, cluster: StandInCluster) -> None:
    lost: list[str] = []

    def lose(ran: Ran) -> None:
        if not lost and ran.records_of(2) > ENOUGH:
            lost.extend(cluster.pods("master"))
            cluster.containers[lost[0]].signal(signal.SIGKILL)

    ran = Ran("load", str(plan), "--yes", meanwhile=lose)
    assert ran.exit_code == 97, ran.said
    assert f"the master was lost: the pod {lost[0]} was ended by SIGKILL" in ran.said
    assert cluster.objects == {}


def test_a_line_that_breaks_loses_nothing(
    plan: Path, cluster: StandInCluster, service: LoggedService
) -> None:
    broken: list[int] = []

    def cut(ran: Ran) -> None:
        if len(broken) < 2 and ran.records_of(2) > ENOUGH * (1 + 3 * len(broken)):
            for line in [one for one in cluster.lines if one.poll() is None]:
                line.kill()
            broken.append(1)

    ran = Ran("load", str(plan), "--yes", meanwhile=cut)
    assert ran.exit_code == 0, ran.said
    assert len(broken) == 2
    assert {row["request_id"] for row in ran.rows()} == {row["id"] for row in service.requests()}
    assert len(ran.rows()) == len(service.requests())
    assert len({one["pod"] for one in ran.events() if one["kind"] == "pod_line_broke"}) == 3, "it is said"


def test_ctrl_c_leaves_nothing_in_the_cluster(plan: Path, cluster: StandInCluster) -> None:
    sent: list[int] = []

    def interrupt(ran: Ran) -> None:
        if not sent and ran.records_of(1) > ENOUGH:
            sent.append(1)
            ran.process.send_signal(signal.SIGINT)

    ran = Ran("load", str(plan), "--yes", meanwhile=interrupt)
    assert ran.exit_code == 130, ran.said
    assert cluster.objects == {}
    assert all(one.exit_code() is not None for one in cluster.containers.values())
    assert ran.rows(), "what was recorded until then is there"


def test_ctrl_c_while_pods_are_waited_for(
    plan: Path, cluster: StandInCluster, service: LoggedService
) -> None:
    image = "registry.example/locust:slow"
    cluster.refused_images[image] = "ContainerCreating"
    sent: list[int] = []

    def interrupt(ran: Ran) -> None:
        if not sent and "waiting: 0 of 3 pods run; " in ran.so_far():
            sent.append(1)
            ran.process.send_signal(signal.SIGINT)

    change = f"load.scenarios.0.locust.kubernetes.image={image}"
    ran = Ran("load", str(plan), "--yes", "--set", change, meanwhile=interrupt)
    assert ran.exit_code == 130, ran.said
    assert cluster.objects == {}
    assert service.requests() == []


def test_what_cannot_run_is_said_and_taken_away(
    plan: Path, cluster: StandInCluster, service: LoggedService
) -> None:
    image = "registry.example/locust:none"
    cluster.refused_images[image] = "ImagePullBackOff"
    ran = Ran("load", str(plan), "--yes", "--set", f"load.scenarios.0.locust.kubernetes.image={image}")
    assert ran.exit_code == 1
    assert f'ImagePullBackOff: Back-off pulling image "{image}"' in ran.said
    assert cluster.objects == {}
    assert service.requests() == []


def test_a_target_that_pods_do_not_reach_is_told_before_the_load(plan: Path, cluster: StandInCluster) -> None:
    ran = Ran("load", str(plan), "--yes", "--target", "http://shop:9")
    assert ran.exit_code == 69
    assert "The pods cannot reach the target shop:9: Connection refused" in ran.said
    assert cluster.objects == {}


def test_what_one_may_not_is_told_before_anything_is_made(plan: Path, cluster: StandInCluster) -> None:
    cluster.forbidden = {("create", "pods/exec"), ("delete", "jobs")}
    for command in ("load", "doctor"):
        ran = Ran(command, str(plan), "--yes")
        assert ran.exit_code == 77, ran.said
        assert "you may not: create pods/exec, delete jobs.batch" in ran.said
    assert not any(asked.startswith("POST /api/v1/namespaces") for asked in cluster.asked)


def test_the_place_is_shown_and_never_taken_by_surprise(plan: Path, cluster: StandInCluster) -> None:
    ran = Ran("load", str(plan))
    assert ran.exit_code == 2
    assert f"pods in the namespace {NAMESPACE} of the context {CONTEXT} (http://127.0.0.1:" in ran.said
    for context, words in (("", "names no context"), ("typo", "kubectl knows no context 'typo'")):
        ran = Ran(
            "load", str(plan), "--yes", "--set", f"load.scenarios.0.locust.kubernetes.context='{context}'"
        )
        assert ran.exit_code == 2, ran.said
        assert words in ran.said
    assert set(cluster.asked) <= {"GET /version"}, (
        "some kubectls ask that whatever they do; nothing else was asked"
    )


def test_what_is_there_already_is_left_alone(plan: Path, cluster: StandInCluster) -> None:
    ran = Ran("kubernetes", str(plan), "--out", "manifests")
    assert ran.exit_code == 0, ran.said
    kubectl = Kubectl(CONTEXT, NAMESPACE)
    theirs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "locust-pods-locustfile-master", "labels": {}},
    }
    cluster.create(NAMESPACE, theirs)
    made, done = kubectl.create(plan.parent / "manifests")
    assert done.exit_code != 0
    assert len(made) == 6
    assert "service/locust-pods-locustfile-master" not in made
    kubectl.delete(made)
    assert [kind for kind, _, _ in cluster.objects if kind != "Pod"] == ["Service"]
