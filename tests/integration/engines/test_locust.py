"""Locustfiles as people have them, played by the real Locust against a service that keeps its own log."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from toolkit.engines.base import Ending, LoadJob
from toolkit.engines.live import LiveTail
from toolkit.engines.locust_options import LocustOptions, Stage
from toolkit.engines.registry import engine
from toolkit.recording.layout import LoadFolder
from toolkit.recording.records import ANSWERED_FIELDS, LOAD_EVENT_KINDS, REQUEST_FIELDS
from toolkit.run.engine_processes import EngineProcesses, start_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.logged_service import LoggedService

pytestmark = pytest.mark.needs_locust

FILES = Path(__file__).parent / "locustfiles"
DEADLINE_S = 60


@dataclass
class Swarmed:
    folder: LoadFolder
    exit_code: int
    ending: Ending
    rows: list[dict[str, Any]]
    events: list[dict[str, Any]]
    console: str
    live: int
    pids: list[int] = field(default_factory=list)

    def named(self, name: str, scenario: str = "") -> list[dict[str, Any]]:
        return [row for row in self.rows if row["name"] == name and scenario in ("", row["scenario"])]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory, service: LoggedService) -> Callable[..., Swarmed]:
    """Drive a file to its end; `meanwhile` is asked ten times a second."""

    def drive(
        file: str,
        options: LocustOptions,
        *,
        meanwhile: Callable[[EngineProcesses, LoadFolder], bool] | None = None,
        variables: dict[str, Any] | None = None,
    ) -> Swarmed:
        folder = LoadFolder(tmp_path_factory.mktemp("load") / "own")
        folder.path.mkdir()
        locust = engine("locust")
        job = LoadJob("own", FILES / file, service.url, variables=variables or {}, locust=options)
        assert locust.check(job) == [], "it is right"
        launch = locust.launch(job, folder)
        tail = LiveTail(folder.request_parts)
        processes, stopped, until = (
            start_engine(launch, folder, dict(os.environ)),
            False,
            time.monotonic() + DEADLINE_S,
        )
        try:
            while processes.poll():
                assert time.monotonic() < until, folder.console.read_text()
                if meanwhile is not None and not stopped:
                    stopped = meanwhile(processes, folder)
                time.sleep(0.05)
        finally:
            processes.end()
        ending = locust.ending(processes.exit_code or 0, folder, stopped)
        live = tail.poll().requests
        locust.collect(folder)
        return Swarmed(
            folder,
            processes.exit_code or 0,
            ending,
            _rows(folder),
            [json.loads(line) for line in folder.events.read_text().splitlines()],
            folder.console.read_text(),
            live,
            processes.pids,
        )

    return drive


@pytest.fixture(scope="module")
def distributed(
    swarm: Callable[..., Swarmed], service: LoggedService
) -> tuple[Swarmed, list[dict[str, Any]]]:
    """Locust's own quickstart by a master and two workers; and what the service saw of it."""
    before = len(service.requests())
    options = LocustOptions(users=12, spawn_rate=4, run_time_s=4, workers=2, stop_timeout_s=12)
    return swarm("quickstart.py", options), service.requests()[before:]


def test_the_records_of_all_workers_equal_the_services_log(
    distributed: tuple[Swarmed, list[dict[str, Any]]],
) -> None:
    played, seen = distributed
    assert played.ending == Ending("passed")
    assert played.exit_code == 0, "failed requests alone do not fail it: the plan judges them"
    sent = Counter((row["method"], urlsplit(row["url"]).path, row["request_id"]) for row in played.rows)
    assert sent == Counter((row["method"], row["path"], row["id"]) for row in seen)
    assert max(sent.values()) == 1
    assert sum(row["bytes_out"] for row in played.rows) == sum(row["bytes"] for row in seen)
    at = {row["id"]: row["t_ns"] for row in seen}
    for row in played.rows:
        assert row["start_ns"] - 2e6 < at[row["request_id"]] < row["end_ns"] + 2e6
    assert {row["user"].split("-")[0] for row in played.rows} == {"1", "2"}
    assert len({row["user"] for row in played.rows}) == 12
    assert played.live == len(played.rows)


def test_a_record_has_every_field_and_its_phase(distributed: tuple[Swarmed, list[dict[str, Any]]]) -> None:
    played, _ = distributed
    for row in played.rows:
        assert list(row) == list(REQUEST_FIELDS)
        assert row["intended_ns"] <= row["start_ns"] <= row["first_byte_ns"] <= row["end_ns"], row
        assert row["scenario"] == "QuickstartUser"
    assert {row["phase"] for row in played.rows} == {"ramp-up", "steady"}
    starts = {event["phase"]: event["t_ns"] for event in played.of_kind("phase_started")}
    late = [
        row for row in played.rows if row["phase"] == "ramp-up" and row["start_ns"] > starts["steady"] + 5e8
    ]
    assert late == [], "the workers are told at once"
    assert {event["kind"] for event in played.events} <= set(LOAD_EVENT_KINDS)
    users = played.of_kind("users")[-1]
    assert (users["created"], users["completed"], users["failed"]) == ({"QuickstartUser": 12}, 12, 0)
    assert {event["worker"] for event in played.of_kind("pulse")} == {1, 2}


@pytest.fixture(scope="module")
def every_end(swarm: Callable[..., Swarmed]) -> Swarmed:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = LocustOptions(users=3, run_time_s=4, stop_timeout_s=0)
    return swarm("every_end.py", options, variables={"CLOSED_PORT_URL": f"http://127.0.0.1:{port}"})


@pytest.mark.parametrize("user", ["Slow", "Fast"], ids=["HttpUser", "FastHttpUser"])
def test_every_end_is_recorded_once_as_what_it_was(every_end: Swarmed, user: str) -> None:
    rows = [row for row in every_end.rows if row["scenario"] == user]
    ends = [(row["name"], row["status"], row["error"]) for row in rows]
    assert sorted(ends, key=str) == sorted(
        [
            ("GET /items/one?token=", 200, None),
            ("GET two", 200, None),
            ("POST /login", 200, None),
            ("GET /broken", 500, None),
            ("GET /missing", 404, None),
            ("HEAD /items/head", 200, None),
            ("GET /stream", 200, None),
            ("GET /moved", 200, None),
            ("GET mine", 200, None),
            ("GET /reset", None, "ECONNRESET"),
            ("GET closed", None, "ECONNREFUSED"),
            ("GET /items/bad", 200, "success: false"),
            ("GET must fail", 404, None),
            ("GET /", None, "ECONNREFUSED"),
            ("GET given up", None, "ETIMEDOUT"),
            ("GET /items/unsaid", 200, None),
            ("GET /items/raised", 200, None),
        ],
        key=str,
    )
    assert {row["name"] for row in rows if row.get("accepted")} == {"GET must fail"}, (
        "success() was said of a 404"
    )
    assert all("secret" not in json.dumps(row) for row in rows)
    assert {row["request_id"] for row in rows if row["name"] == "GET mine"} == {f"mine-{user}"}
    (broken,) = every_end.named("GET /broken", user)
    assert list(broken) == [*REQUEST_FIELDS, *ANSWERED_FIELDS]
    (login,) = every_end.named("POST /login", user)
    assert login["bytes_out"] == len(json.dumps({"user": "née"}))
    (streamed,) = every_end.named("GET /stream", user)
    assert streamed["bytes_in"] == 5
    (head,) = every_end.named("HEAD /items/head", user)
    assert head["bytes_in"] == 0


def test_other_protocols_and_requests_on_their_way(every_end: Swarmed) -> None:
    calls = every_end.named("grpc call")
    assert [(row["protocol"], row["status"], row["error"]) for row in calls] == [
        ("grpc", 0, None),
        ("grpc", None, "own failure"),
    ]
    assert all(row["end_ns"] - row["start_ns"] == pytest.approx(12.5e6, abs=2e3) for row in calls)
    (cut,) = [row for row in every_end.rows if row["error"] == "interrupted"]
    assert (cut["scenario"], cut["status"]) == ("Own", None)


def test_exceptions_of_the_locustfile_are_counted_and_told(every_end: Swarmed) -> None:
    assert every_end.of_kind("users")[-1]["errors"] == {"LookupError: of a task": 2}
    assert "raise LookupError" in every_end.console
    assert every_end.ending == Ending("passed")


def test_a_files_own_shape_makes_phases(swarm: Callable[..., Swarmed]) -> None:
    played = swarm("shaped.py", LocustOptions())
    assert [event["phase"] for event in played.of_kind("phase_started")] == ["2 users", "5 users"]
    users = Counter((row["phase"], row["user"]) for row in played.rows)
    assert Counter(phase for phase, _ in users) == {"2 users": 2, "5 users": 5}


def test_the_plans_stages_make_phases_and_a_file_can_fail_the_run(swarm: Callable[..., Swarmed]) -> None:
    stages = (Stage("calm", 1, 10, 1.5), Stage("busy", 4, 10, 2), Stage("calm", 1, 10, 1))
    played = swarm("gated.py", LocustOptions(stages=stages))
    assert [event["phase"] for event in played.of_kind("phase_started")] == ["calm", "busy", "calm 2"]
    assert {row["phase"] for row in played.rows} == {"calm", "busy", "calm 2"}
    counted = [row for row in played.rows if row["error"] != "interrupted"]  # of which Locust says nothing
    own = json.loads(played.folder.locust_json.read_text())
    assert [(row["num_requests"], row["num_failures"]) for row in own] == [(len(counted), len(counted))]
    assert (played.ending.outcome, played.ending.problem) == (
        "check-failed",
        "the locustfile set the exit code 3 (process_exit_code)",
    )
    assert [(row["check"], row["held"]) for row in played.ending.checks] == [("process_exit_code", False)]


def test_a_worker_that_is_killed_makes_the_run_invalid(
    swarm: Callable[..., Swarmed], service: LoggedService
) -> None:
    before = len(service.requests())
    killed: list[int] = []

    def kill(processes: EngineProcesses, folder: LoadFolder) -> bool:
        parts = list(folder.request_parts.glob("worker-*.jsonl"))
        if not killed and len(parts) == 2 and all(part.stat().st_size > 3000 for part in parts):
            killed.append(processes.pids[1])
            processes.helpers[0][1].send_signal(signal.SIGKILL)
        return False

    options = LocustOptions(users=40, spawn_rate=40, run_time_s=5, workers=2)
    played = swarm("steady.py", options, meanwhile=kill)
    assert killed
    assert played.ending.outcome == "invalid"
    said = played.ending.problem
    assert said.startswith("worker 1 of 2 was ended by SIGKILL before the end of the load; ")
    # What the service saw and no record holds is at most what we say is missing: the rest was never sent.
    missing = int(said.split("; ")[1].split(" ")[0].replace(",", ""))
    recorded = {row["request_id"] for row in played.rows}
    unseen = [row for row in service.requests()[before:] if row["id"] not in recorded]
    assert 0 < len(unseen) <= missing


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(swarm: Callable[..., Swarmed], number: signal.Signals) -> None:
    """SIGTERM comes when the controller is dead. A task of the file takes ten seconds, and is not waited for."""
    began: list[float] = []

    def stop(processes: EngineProcesses, folder: LoadFolder) -> bool:
        if not any(part.stat().st_size > 100 for part in folder.request_parts.glob("*.jsonl")):
            return False
        began.append(time.monotonic())
        processes.about_to_end()
        for pid in processes.pids:
            os.kill(pid, number)
        return True

    played = swarm("quickstart.py", LocustOptions(users=4, workers=1, run_time_s=50), meanwhile=stop)
    assert time.monotonic() - began[0] < 8
    assert played.ending.outcome == "interrupted"
    assert played.rows


def _rows(folder: LoadFolder) -> list[dict[str, Any]]:
    with gzip.open(folder.requests, "rt", encoding="utf-8") as file:
        header, *rows = [json.loads(line) for line in file]  # strict: every line must be JSON
    assert header == {"schema": 1, "kind": "requests"}
    return rows
