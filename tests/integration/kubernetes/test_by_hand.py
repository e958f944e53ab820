"""`toolkit kubernetes` writes what the real `kubectl apply -k` takes, and what a cluster then runs by itself."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import until
from tests.integration.kubernetes.conftest import CONTEXT
from tests.integration.kubernetes.running import Ran

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.server import StandInCluster
    from tests.logged_service import LoggedService

pytestmark = [pytest.mark.needs_locust, pytest.mark.needs_root, pytest.mark.needs_kubectl]


def kubectl(*words: str) -> str:
    done = subprocess.run(
        ["kubectl", "--context", CONTEXT, *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_applied_by_hand_the_load_runs_and_ends(
    plan: Path, cluster: StandInCluster, service: LoggedService
) -> None:
    # No context is needed to write, and no cluster is asked.
    ran = Ran(
        "kubernetes",
        str(plan),
        "--out",
        "manifests",
        "--set",
        "load.scenarios.0.locust.kubernetes.context=''",
    )
    assert ran.exit_code == 0, ran.said
    assert cluster.asked == []
    assert Ran("kubernetes", str(plan), "--out", "manifests").exit_code == 2, "nothing is written over"
    kubectl("apply", "-k", "manifests")
    until(lambda: len(cluster.containers) == 3, "three pods", 20)
    until(
        lambda: all(one.exit_code() is not None for one in cluster.containers.values()), "the load to end", 60
    )
    assert {one.exit_code() for one in cluster.containers.values()} == {0}
    assert len(service.requests()) > 50
    (master,) = cluster.pods("master")
    assert "Response time percentiles" in cluster.containers[master].log.read_text(), (
        "Locust's own figures are in its log"
    )
    kubectl("delete", "-k", "manifests", "--wait=false")
    until(lambda: cluster.objects == {}, "all to be deleted", 20)


def test_the_operators_test_runs(plan: Path, cluster: StandInCluster, service: LoggedService) -> None:
    for name in ("pages/__init__.py", "data/name.txt"):
        (plan.parent / "own" / name).unlink()
    (plan.parent / "own" / "pages" / "shop.py").unlink()
    (plan.parent / "own" / "shop.py").write_text("PATH = '/items/'\n")
    file = plan.parent / "own" / "locustfile.py"
    text = file.read_text().replace("from pages.shop", "from shop")
    file.write_text(text.replace('Path("data/name.txt").read_text()', '"operated"'))
    stages = '[{users: 2, duration: 3s, name: \'two"""\'}, {users: 4, duration: 300s}]'
    changes = [
        f"locust.stages={stages}",
        *(f"locust.{name}=null" for name in ("users", "spawn_rate", "run_time")),
    ]
    more = [word for one in changes for word in ("--set", f"load.scenarios.0.{one}")]
    ran = Ran("kubernetes", str(plan), "--out", "manifests", *more)
    assert ran.exit_code == 0, ran.said
    assert "by Locust's operator" in ran.said
    kubectl("apply", "-k", "manifests/operator")
    until(lambda: len(cluster.containers) == 3, "three pods", 20)

    def shown() -> dict[str, object]:
        asks = [*cluster.network.enter, "curl", "-s", "http://127.0.0.1:8089/stats/requests"]
        return dict(json.loads(subprocess.run(asks, capture_output=True, check=False).stdout or "{}"))

    until(lambda: shown().get("user_count") == 4, "the second stage", 40)
    workers = shown()["workers"]
    assert isinstance(workers, list)
    assert [one["user_count"] for one in workers] == [2, 2]
    assert "/items/operated-tail-as-1000-read-only" in {row["path"] for row in service.requests()}
