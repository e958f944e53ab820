"""A session with the real agent and a real gunicorn on this machine."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import Gunicorn, running, shared_folder, until
from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.records import CHUNK_FIELDS
from toolkit.run.agent_opening import open_session

if TYPE_CHECKING:
    from tests.integration.agent_session.conftest import Events
    from toolkit.recording.layout import ServerFolder
    from toolkit.run.agent_session import AgentSession
    from toolkit.transports.base import Transport


def keep_busy(gunicorn: Gunicorn, stop: threading.Event) -> threading.Thread:
    def load() -> None:
        while not stop.is_set():
            gunicorn.get()

    thread = threading.Thread(target=load)
    thread.start()
    return thread


def test_records_a_gunicorn_and_leaves_nothing(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder, events: Events
) -> None:
    stop = threading.Event()
    load = keep_busy(gunicorn, stop)
    try:
        with open_session(local, folder=folder, run_id="r", on_event=events) as session:
            directory = session.facts["directory"]
            found = session.find({"port": gunicorn.port})
            checked = session.check(["cpu"])
            session.record(["wall", "cpu"], 5.0, 50.0, 1.0)
            until(lambda: session.chunks.get("cpu", 0) >= 2, "two chunks")
            session.stop()
            session.stop()
            agent_pid = [pid for pid in _python_children() if Path(f"/proc/{pid}").exists()]
    finally:
        stop.set()
        load.join()
    session.close()

    assert found["arbiter"]["pid"] == gunicorn.pid
    assert {worker["pid"] for worker in found["workers"]} == set(gunicorn.worker_pids) == set(session.workers)
    assert set(checked["views"]) == {"cpu"}
    assert session.facts["gunicorn"]["worker_class"] == "sync"
    assert json.loads(folder.facts.read_text()) == session.facts
    rows = list(read_lines(folder.chunks))
    assert {frozenset(row) for row in rows} == {frozenset(CHUNK_FIELDS)}
    assert session.sample_count == sum(row["samples"] for row in rows) > 0
    stacks = b""
    for row in rows:
        file = folder.chunk(row["view"], row["seq"])
        assert file.stat().st_size == row["bytes"]
        stacks += gzip.decompress(file.read_bytes()) if row["view"] == "cpu" else b""
    assert b"hot_function" in stacks
    assert sorted(path.suffix for path in folder.stacks.iterdir()) == sorted([".jsonl"] + [".gz"] * len(rows))
    assert not session.lost
    assert session.missing == []
    assert not Path(directory).exists()
    assert not any(running(pid) for pid in agent_pid)
    assert events.of("cleaned") == [{"folder": directory, "left_by_agent": False}]
    assert abs(session.offset_ns) <= session.offset_error_ns + 1_000_000
    assert 0 < session.offset_error_ns < 50_000_000


def _python_children() -> list[int]:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"agent.pyz" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_two_gunicorns_and_no_choice_lists_them(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder
) -> None:
    with (
        shared_folder() as other_folder,
        Gunicorn(other_folder, workers=1) as other,
        open_session(local, folder=folder, run_id="r") as session,
    ):
        with pytest.raises(UsageError) as caught:
            session.find({})
        assert session.find({"pid": other.pid})["arbiter"]["pid"] == other.pid
    for one in (gunicorn, other):
        assert f"PID {one.pid} " in caught.value.message
        assert f"127.0.0.1:{one.port}" in caught.value.message
    assert caught.value.exit_code == 2
    assert "gunicorn:" in caught.value.hint


def test_a_choice_that_is_no_gunicorn_is_a_usage_error(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder
) -> None:
    with (
        subprocess.Popen(["sleep", "60"]) as other,
        open_session(local, folder=folder, run_id="r") as session,
    ):
        try:
            with pytest.raises(UsageError, match=str(other.pid)):
                session.find({"pid": other.pid})
        finally:
            other.kill()


def test_a_killed_agent_is_noticed_at_once_and_cleaned_up(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder, events: Events
) -> None:
    session = open_session(local, folder=folder, run_id="r", on_event=events)
    directory = Path(session.facts["directory"])
    session.find({"pid": gunicorn.pid})
    session.record(["cpu"], 5.0, 20.0, 1.0)
    until(lambda: session.chunks.get("cpu"), "a chunk")
    (agent,) = _python_children()
    os.kill(agent, signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: session.lost, "the loss to be noticed", 5)
    assert time.monotonic() - killed < 3
    with pytest.raises(UnreachableError, match="gone"):
        session.stop()
    session.close()
    assert not directory.exists()
    assert any("the recording ends there" in sentence for sentence in session.missing)
    assert events.of("lost")
    assert events.of("cleaned") == [{"folder": str(directory), "left_by_agent": True}]
    assert [folder.chunk(row["view"], row["seq"]).exists() for row in read_lines(folder.chunks)]


def test_an_agent_whose_time_is_up_loses_no_chunk(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder, events: Events
) -> None:
    session = open_session(local, folder=folder, run_id="r", max_s=3.5, on_event=events)
    session.find({"pid": gunicorn.pid})
    session.record(["wall"], 5.0, 20.0, 1.0)
    until(lambda: session.lost, "the agent to end", 20)
    session.close()
    rows = list(read_lines(folder.chunks))
    assert sorted(row["seq"] for row in rows) == list(range(len(rows)))
    assert len(rows) >= 2
    assert all(folder.chunk("wall", row["seq"]).stat().st_size == row["bytes"] > 0 for row in rows)
    assert not Path(session.facts["directory"]).exists()


def test_what_the_operator_cannot_write_ends_the_session(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("toolkit.run.agent_files._Part.append", full)
    with open_session(local, folder=folder, run_id="r") as session:
        session.find({"pid": gunicorn.pid})
        with pytest.raises(UnreachableError, match="No space left"):
            _record_and_stop(session)
    assert "No space left" in session.lost
    assert not Path(session.facts["directory"]).exists()


def _record_and_stop(session: AgentSession) -> None:
    session.record(["wall"], 5.0, 20.0, 1.0)
    until(lambda: session.lost, "the session to end", 10)
    session.stop()


def test_no_python_is_said_before_anything_is_made(
    local: Transport, folder: ServerFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "uname", "id", "ls", "awk", "mktemp", "df", "rm"):
        (programs / name).symlink_to(Path("/usr/bin") / name)
    old = programs / "python3"
    old.write_text("#!/bin/sh\necho python_version=3.5.2; echo unfit=it is older than 3.7\n")
    old.chmod(0o755)
    place = (Path(__file__).resolve().parents[3] / "profile" / "place.sh").read_bytes()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("toolkit.run.agent_push._script", lambda: place.replace(b"/usr/bin/python3", b""))
    with pytest.raises(ToolkitError) as caught:
        open_session(local, folder=folder, run_id="r")
    assert "no 64-bit Python 3.7" in caught.value.message
    assert "python3: it is older than 3.7" in caught.value.message
    assert "python:" in caught.value.hint


@pytest.mark.parametrize("version", ["3.7.16", "3.8.18", "3.13.0"])
def test_runs_on_old_and_new_pythons(
    local: Transport, gunicorn: Gunicorn, folder: ServerFolder, version: str, request: pytest.FixtureRequest
) -> None:
    python = Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")) / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not installed by pyenv")
    with open_session(local, folder=folder, run_id="r", python=str(python)) as session:
        assert session.facts["python"] == version
        assert session.facts["psutil"] == "7.2.2"  # brought along
        session.find({"pid": gunicorn.pid})
        assert session.check()["views"]["cpu"]["valid"]
