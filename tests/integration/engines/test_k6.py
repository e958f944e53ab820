"""k6 with the plan's requests and with a script of somebody's own, against a service that keeps its own log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import LoadFolder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.logged_service import LoggedService

pytestmark = pytest.mark.needs_k6

# As k6's own documentation begins, with a threshold that cannot hold.
SCRIPT = """
import http from 'k6/http';
import { check, sleep } from 'k6';
export const options = { vus: 2, duration: '2s', thresholds: { http_req_duration: ['p(95)<0.001'], checks: ['rate>0.5'] } };
export default function () {
  const res = http.get(`${__ENV.BASE_URL}/items/1?token=hunter2`);
  check(res, { 'status was 200': (r) => r.status == 200 });
  http.get(`${__ENV.BASE_URL}/items/2`, { tags: { name: 'second' } });
  http.get('http://127.0.0.1:9/gone');
  sleep(0.2);
}
"""


class Done:
    def __init__(self, folder: Path, code: int, err: str) -> None:
        self.code, self.err = code, err
        self.run = (folder / "reports" / "latest").resolve()
        (self.load,) = [LoadFolder(path) for path in (self.run / "load").iterdir()]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for row in read_lines(self.load.requests) if "name" in row]

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads((self.run / "summary.json").read_text(encoding="utf-8")))


def started(folder: Path, load: dict[str, Any], target: str, **plan: Any) -> subprocess.Popen[str]:
    said = {"target": target, "load": {"canary": "off", **load}, **plan}
    (folder / "plan.yml").write_text(json.dumps(said), encoding="utf-8")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TOOLKIT_")}
    argv = [sys.executable, "-m", "toolkit", "load", "plan.yml", "--quiet"]
    return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environ, cwd=folder)


def played(folder: Path, load: dict[str, Any], target: str, **plan: Any) -> Done:
    process = started(folder, load, target, **plan)
    _, err = process.communicate(timeout=60)
    return Done(folder, process.returncode, err)


def requests(*sent: Any, **more: Any) -> dict[str, Any]:
    return {"scenarios": [{"name": "k", "k6": {"requests": list(sent), **more}}]}


def test_the_plans_requests_equal_the_services_log(service: LoggedService, tmp_path: Path) -> None:
    before = len(service.requests())
    login = {
        "request": "POST /login",
        "name": "log in",
        "headers": {"Authorization": "Bearer hunter2"},
        "body": {"user": "ann"},
        "expect": 200,
    }
    wrong = {"request": "GET /items/7", "weight": 0.2, "expect": [404]}
    load = {"rate": 40, "ramp": "1s", "duration": "2s", **requests("GET /items/1", login, wrong)}
    done = played(tmp_path, load, service.url, checks=["http.p95 < 2s"])

    rows, seen = done.rows, service.requests()[before:]
    assert Counter(row["request_id"] for row in rows) == Counter(row["id"] for row in seen)
    assert len({row["request_id"] for row in rows}) == len(rows) > 60
    assert {(row["name"], row["method"]) for row in rows} == {
        ("GET /items/1", "GET"),
        ("log in", "POST"),
        ("GET /items/7", "GET"),
    }
    assert {row["url"] for row in rows if row["name"] == "log in"} == {f"{service.url}/login"}
    assert {row["error"] for row in rows} == {None, "expected 404, got 200"}
    assert {row["phase"] for row in rows} == {"ramp-up", "steady"}
    at = {row["id"]: row["t_ns"] for row in seen}
    assert all(
        row["start_ns"] - 2e6 < at[row["request_id"]] < row["first_byte_ns"] + 2e6 <= row["end_ns"] + 2e6
        for row in rows
    )
    assert done.summary["totals"]["scenarios_launched"] == len(rows)
    assert not [path for path in done.run.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


def test_a_script_of_ones_own_with_its_thresholds(service: LoggedService, tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text(SCRIPT, encoding="utf-8")
    done = played(tmp_path, {"scenarios": ["script.js"]}, service.url)

    assert done.code == 99
    assert "http_req_duration: p(95)<0.001" in done.err
    names = Counter(row["name"] for row in done.rows)
    assert names.keys() == {"GET /items/1", "second", "GET /gone"}
    assert len(set(names.values())) == 1
    gone = [row for row in done.rows if row["name"] == "GET /gone"]
    assert {(row["status"], row["error"]) for row in gone} == {(None, "ECONNREFUSED")}
    assert all(row["request_id"] is None for row in done.rows)
    assert "hunter2" not in str(done.rows)
    checks = {check["name"]: check["verdict"] for check in done.summary["checks"]["rows"]}
    assert checks["script: http_req_duration: p(95)<0.001"] == "failed"
    assert checks["script: checks: rate>0.5"] == "held"


def test_a_rate_that_cannot_be_kept_is_said(service: LoggedService, tmp_path: Path) -> None:
    load = {"rate": 30, "ramp": 0, "duration": "2s", **requests("GET /slow?s=1", vus=3)}
    done = played(tmp_path, load, service.url)

    assert done.code == 99
    assert "arrival rate kept" in done.err
    assert "arrivals were dropped: all users were busy" in done.err
    assert done.summary["totals"]["scenarios_skipped"] > 20


def test_a_k6_that_is_killed_makes_the_run_invalid(service: LoggedService, tmp_path: Path) -> None:
    process = started(
        tmp_path, {"rate": 20, "ramp": 0, "duration": "30s", **requests("GET /items/1")}, service.url
    )
    _k6_of(process, tmp_path).kill()
    _, err = process.communicate(timeout=30)

    assert process.returncode == 97, err
    assert "k6 was ended before its end (SIGKILL)" in err
    assert Done(tmp_path, 97, err).rows


def test_no_k6_outlives_the_process_that_reads_its_samples(service: LoggedService, tmp_path: Path) -> None:
    process = started(
        tmp_path, {"rate": 20, "ramp": 0, "duration": "30s", **requests("GET /items/1")}, service.url
    )
    k6 = _k6_of(process, tmp_path)
    reader = k6.parent()
    assert reader is not None
    reader.kill()
    _, err = process.communicate(timeout=30)

    assert process.returncode == 97, err
    psutil.wait_procs([k6], timeout=5)
    assert not k6.is_running()


def test_ctrl_c_keeps_what_was_recorded(service: LoggedService, tmp_path: Path) -> None:
    before = len(service.requests())
    process = started(
        tmp_path, {"rate": 20, "ramp": 0, "duration": "30s", **requests("GET /items/1")}, service.url
    )
    k6 = _k6_of(process, tmp_path)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130, err
    assert not k6.is_running()
    rows = Done(tmp_path, 130, err).rows
    answered = {row["request_id"] for row in rows if row["status"]}
    assert len(answered) > 10
    assert answered <= {row["id"] for row in service.requests()[before:]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("export default function () {", "Unexpected end of input"),
        ('throw new Error("Straße \\"ü\\" → fehlt 🚧");', 'Straße "ü" → fehlt 🚧'),
        ("import 'k6/nothing';\nexport default () => {};", "k6/nothing"),
    ],
)
def test_a_script_that_is_wrong_is_said_before_any_load(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "script.js").write_text(text, encoding="utf-8")
    process = started(tmp_path, {"scenarios": ["script.js"]}, "http://127.0.0.1:9")
    _, err = process.communicate(timeout=30)

    assert process.returncode == 2
    assert words in err
    assert "Traceback" not in err


def _k6_of(process: subprocess.Popen[str], folder: Path) -> psutil.Process:
    """Once it has sent something."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        parts = list(folder.glob("reports/*/load/k/parts/k6.jsonl"))
        below = psutil.Process(process.pid).children(recursive=True)
        found = [one for one in below if one.name() == "k6"]
        if found and parts and parts[0].stat().st_size > 10_000:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("k6 did not start")
