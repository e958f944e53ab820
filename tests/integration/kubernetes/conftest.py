"""A stand-in cluster that carries out manifests, the real kubectl before it, and a service that only its pods reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.server import StandInCluster
from tests.logged_service import LoggedService

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = Path(__file__).parents[1] / "engines" / "service.py"
CONTEXT = "test-cluster"
NAMESPACE = "load-tests"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInCluster]:
    (tmp_path / "cluster").mkdir()
    made = StandInCluster(tmp_path / "cluster", hosts=("shop",))
    monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig(CONTEXT)))
    monkeypatch.setenv("HOME", str(tmp_path))  # where kubectl keeps what it learned of a cluster
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def service(cluster: StandInCluster, tmp_path: Path) -> Iterator[LoggedService]:
    """In the cluster's network, where it is called shop: from here nobody reaches it."""
    log = tmp_path / "requests.jsonl"
    process = subprocess.Popen(
        [*cluster.network.enter, sys.executable, str(SERVICE), str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield LoggedService(f"http://shop:{int(process.stdout.readline())}", log)
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


FILE = """\
import os
from pathlib import Path
from pages.shop import PATH
from locust import FastHttpUser, constant, task

try:
    Path("written").touch()
    KIND = "writable"
except OSError:
    KIND = "read-only"


class Clerk(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def look(self):
        name = Path("data/name.txt").read_text() + os.environ["TAIL"]
        self.client.get(f"{PATH}{name}-as-{os.getuid()}-{KIND}", headers={"Authorization": os.environ["TOKEN"]})
"""
PLAN = """\
name: pods
target: {target}
load:
  scenarios:
    - file: own/locustfile.py
      variables: {{TAIL: -tail, TOKEN: of-nobody-else}}
      locust:
        users: 8
        spawn_rate: 8
        run_time: 4s
        stop_timeout: 2s
        files: [own/data]
        kubernetes:
          context: {context}
          namespace: {namespace}
          workers: 2
          ready: 30s
"""


@pytest.fixture
def plan(tmp_path: Path, service: LoggedService, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "locustfile.py": FILE,
        "pages/__init__.py": "",
        "pages/shop.py": "PATH = '/items/'\n",
        "data/name.txt": "lent",
    }.items():
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_text(text)
    path = tmp_path / "plan.yml"
    path.write_text(PLAN.format(target=service.url, context=CONTEXT, namespace=NAMESPACE))
    return path
