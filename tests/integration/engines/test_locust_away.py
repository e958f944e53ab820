"""Workers on a host reached by SSH: a real sshd, the real Locust, a service that keeps its own log."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import psutil
import pytest

from tests.gunicorns import until
from tests.sshd_server import ALIAS, options_for
from toolkit.engines.base import LoadJob
from toolkit.engines.locust_options import AwayWorkers, LocustOptions
from toolkit.engines.registry import engine
from toolkit.errors import UnreachableError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import LoadFolder
from toolkit.run.engine_processes import start_engine
from toolkit.run.lending import Lending
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.logged_service import LoggedService
    from toolkit.demo.sshd import SshServer
    from toolkit.engines.base import Ending
    from toolkit.run.engine_processes import EngineProcesses
    from toolkit.transports.base import Away

pytestmark = [pytest.mark.needs_locust, pytest.mark.needs_sshd]

HOST = f"ssh://{ALIAS}"
FILE = """\
from pathlib import Path
from beside import PATH
from locust import FastHttpUser, constant, task

class Clerk(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def look(self):
        self.client.get(PATH + Path("data/name.txt").read_text())
"""
OPTIONS = LocustOptions(
    users=8,
    spawn_rate=8,
    run_time_s=4,
    workers=1,
    away=(AwayWorkers(HOST, 1, sys.executable),),
    stop_timeout_s=2,
)


@pytest.fixture
def job(tmp_path: Path, service: LoggedService) -> LoadJob:
    (tmp_path / "file" / "data").mkdir(parents=True)
    (tmp_path / "file" / "locustfile.py").write_text(FILE)
    (tmp_path / "file" / "beside.py").write_text("PATH = '/items/'\n")
    (tmp_path / "file" / "data" / "name.txt").write_text("lent")
    options = LocustOptions(**{**OPTIONS.__dict__, "files": (tmp_path / "file" / "data",)})
    return LoadJob("away", tmp_path / "file" / "locustfile.py", service.url, locust=options)


@pytest.fixture
def lending(openssh: SshServer) -> Iterator[tuple[Lending, list[dict[str, Any]]]]:
    said: list[dict[str, Any]] = []
    lent = lending_over(openssh, lambda kind, **more: said.append({"kind": kind, **more}))
    yield lent, said
    lent.hosts[HOST].close()


def lending_over(server: SshServer, on_event: Callable[..., None] = lambda *_, **__: None) -> Lending:
    host = cast("Away", open_transport(HOST, options_for(server)))
    return Lending({HOST: host}, {HOST: sys.executable}, on_event)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the account's mktemp makes folders; and what the worker here reads lies where it is started."""
    monkeypatch.chdir(tmp_path / "file")
    return Path("/tmp")


def lent_folders(scratch: Path) -> set[Path]:
    return set(scratch.glob("toolkit-worker.*"))


def drive(
    job: LoadJob, lending: Lending, meanwhile: Callable[[EngineProcesses, LoadFolder], None] | None = None
) -> tuple[Ending, LoadFolder, list[dict[str, Any]]]:
    folder = LoadFolder(job.file.parent.parent / "run" / "load" / "away")
    folder.path.mkdir(parents=True)
    locust = engine("locust")
    assert locust.check(job) == []
    processes = start_engine(locust.launch(job, folder), folder, dict(os.environ), lending)
    deadline = time.monotonic() + 60
    try:
        while processes.poll():
            assert time.monotonic() < deadline, folder.console.read_text()
            if meanwhile is not None:
                meanwhile(processes, folder)
            time.sleep(0.05)
    finally:
        processes.end()
    ending = locust.ending(processes.exit_code or 0, folder, stopped_by_us=False)
    locust.collect(folder)
    return ending, folder, list(read_lines(folder.requests))[1:]


def kept(folder: Path) -> list[psutil.Process]:
    """What runs in a folder that a worker was lent."""
    return [
        one
        for one in psutil.process_iter(["cwd", "cmdline"])
        if str(folder) in (one.info["cwd"] or "")
        or any(str(folder) in word for word in one.info["cmdline"] or [])
    ]


def test_records_of_a_worker_elsewhere_equal_the_services_log(
    job: LoadJob, lending: tuple[Lending, list[dict[str, Any]]], service: LoggedService, scratch: Path
) -> None:
    before, left = len(service.requests()), lent_folders(scratch)
    ending, folder, rows = drive(job, lending[0])
    assert ending.outcome == "passed", (ending, folder.console.read_text())
    seen = service.requests()[before:]
    sent = Counter((row["method"], urlsplit(row["url"]).path, row["request_id"]) for row in rows)
    assert sent == Counter((row["method"], row["path"], row["id"]) for row in seen)
    assert {path for _, path, _ in sent} == {"/items/lent"}, (
        "the module and the data beside the file were lent"
    )
    assert {row["user"].split("-")[0] for row in rows} == {"1", "2"}
    at = {row["id"]: row["t_ns"] for row in seen}
    assert all(row["start_ns"] - 20e6 < at[row["request_id"]] < row["end_ns"] + 20e6 for row in rows)
    assert [(one["kind"], one["worker"]) for one in lending[1]] == [("lent", f"worker 2 of 2 on {HOST}")]
    assert lent_folders(scratch) <= left, "nothing is left there"


def test_a_worker_elsewhere_that_is_killed_makes_the_run_invalid(
    job: LoadJob, lending: tuple[Lending, list[dict[str, Any]]], service: LoggedService, scratch: Path
) -> None:
    before, left = len(service.requests()), lent_folders(scratch)
    killed: list[int] = []

    def kill(_: EngineProcesses, folder: LoadFolder) -> None:
        part = folder.request_parts / "worker-2.jsonl"
        if killed or not part.exists() or part.stat().st_size < 3000:
            return
        (there,) = lent_folders(scratch) - left
        (worker,) = [one for one in kept(there) if "--worker" in one.cmdline()]
        killed.append(worker.pid)
        worker.send_signal(signal.SIGKILL)

    ending, _, rows = drive(job, lending[0], kill)
    assert killed
    assert ending.outcome == "invalid"
    assert f"worker 2 of 2 on {HOST} was ended by SIGKILL before the end of the load" in ending.problem
    recorded = {row["request_id"] for row in rows}
    unseen = [row for row in service.requests()[before:] if row["id"] not in recorded]
    said = [part for part in ending.problem.split("; ") if "not in the records" in part]
    missing = int(said[0].split(" ")[0].replace(",", "")) if said else 0
    assert len(unseen) <= missing, "what the service saw and no record holds is said to be missing"
    assert lent_folders(scratch) <= left


@pytest.mark.parametrize("what", ["keeper", "connection"])
def test_a_host_that_is_lost_makes_the_run_invalid_and_is_left_clean(
    job: LoadJob, lending: tuple[Lending, list[dict[str, Any]]], scratch: Path, what: str
) -> None:
    left = lent_folders(scratch)
    lost: list[Path] = []

    def lose(_: EngineProcesses, folder: LoadFolder) -> None:
        part = folder.request_parts / "worker-2.jsonl"
        if lost or not part.exists() or part.stat().st_size < 3000:
            return
        (there,) = lent_folders(scratch) - left
        lost.append(there)
        if what == "connection":
            lending[0].hosts[HOST].close()
        else:
            (keeper,) = [
                one for one in kept(there) if any("lent_worker.py" in word for word in one.cmdline()[1:2])
            ]
            keeper.send_signal(signal.SIGKILL)

    ending, _, _ = drive(job, lending[0], lose)
    assert lost
    assert ending.outcome == "invalid"
    assert f"worker 2 of 2 on {HOST} was lost" in ending.problem
    until(lambda: not lost[0].exists() and not kept(lost[0]), "the host to be clean", 15)


def test_a_server_that_forbids_tunnels_is_told_before_any_load(
    job: LoadJob, start_sshd: Callable[..., SshServer], scratch: Path
) -> None:
    server = start_sshd(kind="asyncssh")  # forwards connections away from it, and opens no port for us
    lent, left = lending_over(server), lent_folders(scratch)
    try:
        with pytest.raises(UnreachableError, match="opens no port that leads back here"):
            drive(job, lent)
    finally:
        lent.hosts[HOST].close()
    assert lent_folders(scratch) <= left
    parts = job.file.parent.parent / "run" / "load" / "away" / "parts"
    assert not list(parts.glob("worker-2*"))
