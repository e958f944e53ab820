"""What is known of a demo: kept, read back, and never mistaken."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import psutil
import pytest

from toolkit.demo import gunicorn_process
from toolkit.demo.processes import end_session, find, session_members
from toolkit.demo.service import DemoState, demo_status, stop_demo
from toolkit.demo.state import SshEntry, StartedProcess, read_state, state_file, write_state
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from pathlib import Path


def _myself(*, older_by_s: float = 0.0) -> StartedProcess:
    return StartedProcess(pid=os.getpid(), create_time=psutil.Process().create_time() - older_by_s)


def _state(folder: Path, gunicorn: StartedProcess, ssh: StartedProcess | None = None) -> DemoState:
    entry = (
        SshEntry(kind="openssh", port=2, alias="toolkit-demo", config=folder / "ssh_config", process=ssh)
        if ssh
        else None
    )
    return DemoState(
        folder=folder,
        url="http://127.0.0.1:1",
        port=1,
        gunicorn=gunicorn,
        ssh=entry,
        pidfile=folder / "gunicorn.pid",
        access_log=folder / "access.log",
        error_log=folder / "error.log",
        database=folder / "counters.sqlite",
    )


def test_a_state_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    state = _state(tmp_path, _myself(), _myself())
    write_state(state)
    assert read_state(tmp_path) == state
    assert state.ssh_config == tmp_path / "ssh_config"


def test_nothing_runs_in_an_empty_or_a_missing_folder(tmp_path: Path) -> None:
    assert demo_status(tmp_path) is None
    assert demo_status(tmp_path / "missing") is None
    assert stop_demo(tmp_path / "missing") is False
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"schema_number": 2}', "not JSON"])
def test_a_state_that_makes_no_sense_is_told_with_its_place(tmp_path: Path, content: str) -> None:
    state_file(tmp_path).write_text(content)
    with pytest.raises(ToolkitError, match=str(state_file(tmp_path))):
        demo_status(tmp_path)


def test_a_process_is_itself_and_its_pid_alone_is_not(tmp_path: Path) -> None:
    assert find(_myself()) is not None
    assert find(_myself(older_by_s=60)) is None
    write_state(_state(tmp_path, _myself(older_by_s=60)))
    assert demo_status(tmp_path) is None


def test_a_demo_without_its_ssh_server_does_not_run(tmp_path: Path) -> None:
    write_state(_state(tmp_path, _myself(), _myself()))
    assert demo_status(tmp_path) is not None
    write_state(_state(tmp_path, _myself(), _myself(older_by_s=60)))
    assert demo_status(tmp_path) is None


def test_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    # Were it believed, this would end the test run.
    write_state(_state(tmp_path, _myself(older_by_s=60)))
    assert stop_demo(tmp_path) is False
    assert not tmp_path.exists()


def test_only_the_demo_s_processes_of_a_session_are_its_members() -> None:
    session = StartedProcess(pid=os.getsid(0), create_time=0.0)
    assert session_members(session) == []
    assert end_session(session) is False


def test_what_else_lies_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "access.log").write_text("the demo's")
    stop_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_missing_package_is_named_with_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "flask_sock" else object())
    with pytest.raises(ToolkitError, match=r"needs flask-sock, .* -m pip install .*demo\]'$"):
        gunicorn_process.require_packages()
