"""A stress finds the step at which a service with a known limit breaks; TOOLKIT_STRESSES: how often (`make stresses`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LIMIT, STEP = 20, 8
"""Requests a second that the service can answer; users a second that each step adds."""
TIMES = int(os.environ.get("TOOLKIT_STRESSES", "1"))
FILES = {
    "artillery": (
        "one.yml",
        "config: {target: 'http://127.0.0.1', phases: [{duration: 1, arrivalRate: 1}]}\n"
        "scenarios: [{name: one, flow: [{get: {url: /, name: one}}]}]\n",
        f"rate: {STEP}",
    ),
    "locust": (
        "one.py",
        "from locust import HttpUser, constant, task\n\nclass One(HttpUser):\n    wait_time = constant(0)\n\n"
        "    @task\n    def one(self):\n        self.client.get('/')\n",
        "users: 6",
    ),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    argv = [sys.executable, str(HERE / "limited_service.py"), str(1 / LIMIT)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def _stressed(folder: Path, url: str, engine: str) -> tuple[dict[str, Any], Path]:
    name, text, level = FILES[engine]
    (folder / name).write_text(text, encoding="utf-8")
    plan = folder / "plan.yml"
    plan.write_text(
        f"kind: stress\ntarget: {url}\nload:\n  {level}\n  steps: 6\n  duration: 6s\n  recovery: 8s\n  canary: off\n"
        f"  scenarios: [{name}]\nchecks: [requests.p95 < 700ms over 3s]\n",
        encoding="utf-8",
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TOOLKIT_")}
    argv = [sys.executable, "-m", "toolkit", "load", str(plan), "--reports", str(folder / "reports")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180, env=environ, cwd=folder)
    assert done.returncode == 0, done.stderr
    run = (folder / "reports" / "latest").resolve()
    return json.loads((run / "summary.json").read_text(encoding="utf-8")), run


@pytest.mark.needs_artillery
@pytest.mark.parametrize("time", range(TIMES))
def test_it_finds_the_step_and_the_recovery(time: int, url: str, tmp_path: Path) -> None:
    summary, run = _stressed(tmp_path, url, "artillery")
    figures = summary["load_kind"]["figures"]
    first_over = LIMIT // STEP + 1
    assert abs(figures["broke"]["step"] - first_over) <= 1, figures["steps"]
    assert figures["first"].keys() == {"latency"}
    assert figures["recovered"] is True
    assert [load["name"] for load in json.loads((run / "run.json").read_text())["loads"]] == [
        "one",
        "one-recovery",
    ]
    assert not [sentence for sentence in summary["missing"] if "stopped" in sentence]
    assert "Broke at step" in (run / "summary.txt").read_text(encoding="utf-8")
    assert "Broke at step" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.needs_locust
@pytest.mark.long
def test_users_of_a_locustfile_are_raised_likewise(url: str, tmp_path: Path) -> None:
    summary, _ = _stressed(tmp_path, url, "locust")
    # So many users wait for each other: 6 of them for 6 * 50 ms, 12 for 600 ms, 18 for 900 ms. The limit is 700 ms: step 3, ± 1.
    figures = summary["load_kind"]["figures"]
    assert figures["broke"]["level"] in (12, 18, 24), figures["steps"]
    assert (figures["broke"]["unit"], figures["first"].keys()) == ("users", {"latency"})
    assert figures["recovered"] is True
