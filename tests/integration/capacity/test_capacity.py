"""`kind: capacity`, as a user runs it: functions and pytest tests as clients, gunicorn scaled by TTIN, limits, failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
CLIENTS = HERE / "clients.py"


class Done:
    """A run that has ended."""

    def __init__(self, folder: Path, code: int, err: str) -> None:
        self.code, self.err = code, err
        self.run = (folder / "reports" / "latest").resolve()

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads((self.run / "summary.json").read_text(encoding="utf-8")))

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.summary["load_kind"]["figures"]["rows"])


def started(folder: Path, load: dict[str, Any], **plan: Any) -> subprocess.Popen[str]:
    said = {"kind": "capacity", "load": {"canary": "off", **load}, **plan}
    (folder / "plan.yml").write_text(json.dumps(said), encoding="utf-8")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TOOLKIT_")}
    argv = [sys.executable, "-m", "toolkit", "load", "plan.yml", "--quiet"]
    return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environ, cwd=folder)


def played(folder: Path, load: dict[str, Any], **plan: Any) -> Done:
    process = started(folder, load, **plan)
    _, err = process.communicate(timeout=90)
    return Done(folder, process.returncode, err)


def of(call: str, **more: Any) -> dict[str, Any]:
    return {"scenarios": [{"file": str(CLIENTS), "name": call, "call": call}], **more}


@pytest.fixture
def gunicorn(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Its address and its PID file; one sync worker."""
    pidfile, log = tmp_path / "gunicorn.pid", tmp_path / "gunicorn.log"
    argv = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:0", "-w", "1", "--pid", str(pidfile)]
    argv += ["--error-logfile", str(log), "--chdir", str(HERE), "sleeping_app:app"]
    with subprocess.Popen(argv) as process:
        try:
            yield f"http://{_listening(log)}", pidfile
        finally:
            process.terminate()


def _listening(log: Path) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        lines = log.read_text().splitlines() if log.exists() else []
        found = next((line.split("http://")[1].split()[0] for line in lines if "Listening at" in line), None)
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("gunicorn does not listen")


def test_throughput_follows_the_workers(gunicorn: tuple[str, Path], tmp_path: Path) -> None:
    url, pidfile = gunicorn
    scale = {
        "command": f"sh {HERE / 'scale.sh'} {pidfile} {{replicas}} {{before}}",
        "ready": f"test $(pgrep -c -P $(cat {pidfile})) -eq {{replicas}} && sleep 1",
    }
    load = of("ask", clients=[4, 8], repetitions=6, replicas=[1, 2], scale=scale)
    done = played(tmp_path, load, target=url)

    assert done.code == 0, done.err
    rows = done.rows
    assert [(row["replicas"], row["clients"], row["completed"], row["succeeded"]) for row in rows] == [
        (1, 4, 24, 24),
        (1, 8, 48, 48),
        (2, 4, 24, 24),
        (2, 8, 48, 48),
    ]
    assert all(8 < row["per_s"] < 10.2 for row in rows[:2]), rows
    assert all(1.6 < row["speed_up"] < 2.3 for row in rows[2:]), rows
    assert "Most with 4 clients and 2 replicas" in (done.run / "summary.txt").read_text(encoding="utf-8")
    assert "speed-up" in (done.run / "report.html").read_text(encoding="utf-8")
    events = [json.loads(line) for line in (done.run / "events.jsonl").read_text().splitlines()]
    assert [event["replicas"] for event in events if event["kind"] == "scaled"] == [1, 2]


def test_repetitions_that_fail_fail_the_run(tmp_path: Path) -> None:
    done = played(tmp_path, of("every_fourth_fails", clients=1, repetitions=12))

    assert done.code == 99
    assert "3 of 12 failed, the first with ValueError: the fourth" in done.err
    (row,) = done.rows
    assert (row["completed"], row["succeeded"]) == (12, 9)
    junit = (done.run / "junit.xml").read_text(encoding="utf-8")
    assert "every repetition succeeds" in junit
    assert "the fourth" in junit


def test_a_function_that_returns_false_has_failed(tmp_path: Path) -> None:
    assert "it returned False" in played(tmp_path, of("says_no", clients=2, repetitions=2)).err


def test_it_stops_at_the_limit_of_time(tmp_path: Path) -> None:
    began = time.monotonic()
    done = played(tmp_path, of("slow", clients=[2, 3], repetitions=50, limit="1s"))

    assert done.code == 99
    assert time.monotonic() - began < 20
    first, second = done.rows
    assert 2 <= first["completed"] <= 4
    assert not first["in_time"]
    assert second["completed"] == 0
    assert "of 100 repetitions were completed within 1 s" in done.err
    assert "Scenario slow@3 was not started: slow@2 reached its limit of time." in done.summary["missing"]
    assert done.summary["load_kind"]["totals"]["cut_off"] == 2
    assert not _clients_left()


def test_pytest_tests_are_clients(tmp_path: Path) -> None:
    load = {
        "clients": 2,
        "repetitions": 4,
        "scenarios": [{"file": str(CLIENTS), "name": "accept", "test": ""}],
    }
    done = played(tmp_path, load)

    assert done.code == 99
    (row,) = done.rows
    assert (row["completed"], row["succeeded"]) == (8, 6), "the third repetition of each client fails"
    assert "AssertionError: three times" in done.err


def test_a_client_that_is_killed_makes_the_run_invalid(tmp_path: Path) -> None:
    done = played(tmp_path, of("kills_itself", clients=1, repetitions=3))

    assert done.code == 97
    assert "ended early (SIGKILL)" in done.err
    assert "1 repetitions that were begun are not in the records" in done.err


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (
            "echo no such cluster; exit 3",
            "The command that scales to 2 replicas ended with 3: no such cluster.",
        ),
        (
            {"command": "sleep 30", "timeout": "1s"},
            "The command that scales to 2 replicas still ran after 1 s.",
        ),
        (
            {"command": "true", "ready": "echo only one; false", "timeout": "1s"},
            "The service was not ready 1 s after it was scaled to 2 replicas: echo only one; false said only one.",
        ),
    ],
)
def test_a_scale_command_that_fails_is_said(tmp_path: Path, scale: Any, words: str) -> None:
    done = played(tmp_path, of("slow", clients=1, repetitions=1, replicas=2, scale=scale))

    assert done.code == 1
    assert words in done.err


def test_ctrl_c_ends_the_clients(tmp_path: Path) -> None:
    process = started(tmp_path, of("slow", clients=3, repetitions=500))
    until = time.monotonic() + 30
    while time.monotonic() < until and not list(tmp_path.glob("reports/*/load/slow@3/parts/*.jsonl")):
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130, err
    assert Done(tmp_path, 130, err).rows[0]["completed"] >= 3
    assert not _clients_left()


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ({"call": "gone"}, "clients.py: it has no function gone; there are: ask, every_fourth_fails"),
        ({"test": "test_gone"}, "pytest"),
        ({"call": "ask", "python": "no-such-python"}, "python: no-such-python is no program that can be run"),
    ],
)
def test_what_cannot_be_a_client_is_said_before_any_load(
    tmp_path: Path, scenario: dict[str, Any], words: str
) -> None:
    done = played(tmp_path, {"scenarios": [{"file": str(CLIENTS), **scenario}]})

    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err


def _clients_left() -> list[str]:
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if "capacity_clients" in " ".join(process.info["cmdline"] or [])
    ]
