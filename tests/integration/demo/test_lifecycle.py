"""Started once, stopped for good: whatever happens in between, nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
import socketio  # type: ignore[import-untyped]
import websocket

from toolkit.demo.service import demo_status, start_demo, stop_demo
from toolkit.demo.state import StartedProcess, read_state, write_state
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from collections.abc import Callable

SHOP = {"gateway": "healthz", "stock": "stock/items", "payment": "payment/users", "order": "orders"}
ROOT = Path(__file__).resolve().parents[3]
STARTER = """
import pathlib, sys
from toolkit.demo.service import start_demo
start_demo(pathlib.Path(sys.argv[1]))
print("up", flush=True)
input()
"""


def _processes_of(folder: Path) -> list[str]:
    """Everything that has this folder in its command line, or serves as or under the demo's gunicorn."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if any(str(folder) in word for word in words) or (words and str(folder) == process.cwd()):
                found.append(" ".join(words))
    return found


def _lives(process: psutil.Process) -> bool:
    """No zombie either, which an orphan stays where PID 1 does not reap."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _drop(connection: websocket.WebSocket) -> None:
    """Close without a word to the server, which is no more."""
    if connection.sock:
        connection.sock.close()


def test_it_answers_and_then_nothing_is_left(folder: Path) -> None:
    state = start_demo(folder)
    assert httpx.get(state.url + "/healthz").text == "ok"
    assert int(state.pidfile.read_text()) == state.gunicorn_pid
    assert demo_status(folder) == state
    assert len(psutil.Process(state.gunicorn_pid).children()) == 4
    assert len(_processes_of(folder)) >= 5
    assert folder.stat().st_mode & 0o777 == 0o700
    assert stop_demo(folder) is True
    assert not folder.exists()
    assert _processes_of(folder) == []
    assert demo_status(folder) is None
    assert stop_demo(folder) is False


def test_a_second_start_gives_back_the_running_one(folder: Path) -> None:
    state = start_demo(folder, ssh=False)
    assert start_demo(folder, port=state.port, ssh=False) == state
    with pytest.raises(ToolkitError, match=f"runs already, on port {state.port} and without SSH") as caught:
        start_demo(folder)
    assert f"demo stop --demo-dir {folder}" in caught.value.hint
    with pytest.raises(ToolkitError, match="runs already"):
        start_demo(folder, port=state.port - 1, ssh=False)
    assert demo_status(folder) == state


def test_the_shop_comes_and_goes_with_it(folder: Path, tmp_path: Path) -> None:
    state = start_demo(folder, ssh=False, shop=True)
    assert state.shop is not None
    assert demo_status(folder) == state
    assert {
        name: httpx.get(f"{state.shop.url}/{path}").status_code for name, path in SHOP.items()
    } == dict.fromkeys(SHOP, 200)
    assert start_demo(folder, ssh=False, shop=True) == state
    for service in state.shop.services:
        assert httpx.get(service.url + "/healthz").text == "ok"
        assert int(service.pidfile.read_text()) == service.gunicorn.pid
        listening = [
            held
            for held in psutil.Process(service.gunicorn.pid).net_connections()
            if held.status == psutil.CONN_LISTEN
        ]
        assert {held.laddr.ip for held in listening} == {"127.0.0.1"}
    assert state.shop.service("order").database == folder / "shop" / "orders.sqlite"
    second = start_demo(tmp_path / "second", ssh=False, shop=True)
    try:
        assert second.shop is not None
        assert not {one.url for one in second.shop.services} & {one.url for one in state.shop.services}
    finally:
        stop_demo(tmp_path / "second")
    assert stop_demo(folder) is True
    assert not folder.exists()
    assert _processes_of(folder) == []


def test_a_demo_that_runs_without_the_shop_says_so(folder: Path) -> None:
    start_demo(folder, ssh=False)
    with pytest.raises(ToolkitError, match="without SSH and without the shop"):
        start_demo(folder, ssh=False, shop=True)


def test_a_shop_that_lost_one_of_its_gunicorns_is_started_afresh(
    folder: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    first = start_demo(folder, ssh=False, shop=True)
    assert first.shop is not None
    orphans = psutil.Process(first.shop.service("payment").gunicorn.pid).children()
    os.kill(first.shop.service("payment").gunicorn.pid, signal.SIGKILL)
    until(lambda: demo_status(folder) is None)
    second = start_demo(folder, ssh=False, shop=True)
    assert demo_status(folder) == second
    assert not any(_lives(orphan) for orphan in orphans)


def test_two_demos_get_a_port_each(folder: Path, tmp_path: Path) -> None:
    first = start_demo(folder, ssh=False)
    try:
        assert start_demo(tmp_path / "second", ssh=False).port != first.port
    finally:
        stop_demo(tmp_path / "second")
    assert httpx.get(first.url + "/healthz").text == "ok"


def test_all_is_bound_to_loopback(folder: Path) -> None:
    state = start_demo(folder)
    assert state.ssh is not None
    listening = {
        held.laddr
        for pid in (state.gunicorn_pid, state.ssh.process.pid)
        for process in (psutil.Process(pid), *psutil.Process(pid).children())
        for held in process.net_connections()
        if held.status == psutil.CONN_LISTEN
    }
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == {state.port, state.ssh.port}


@pytest.mark.parametrize(
    "kind", [pytest.param("openssh", marks=pytest.mark.needs_sshd), "asyncssh"], ids=["openssh", "embedded"]
)
def test_the_service_can_be_reached_over_ssh(folder: Path, kind: str) -> None:
    state = start_demo(folder, ssh_kind=kind)
    assert state.ssh is not None
    assert state.ssh.kind == kind
    assert state.ssh_config == folder / "ssh_config"
    argv = ["ssh", "-F", str(state.ssh_config), "toolkit-demo", "cat", str(state.pidfile)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == str(state.gunicorn_pid), done.stderr


def test_a_port_that_is_taken_is_refused_and_nothing_is_left(folder: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(ToolkitError, match="is taken"):
            start_demo(folder, port=listener.getsockname()[1])
    assert not folder.exists()


def test_a_service_that_does_not_start_says_why_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_WORKERS", "many")
    with pytest.raises(ToolkitError, match="DEMO_WORKERS must be a whole number of at least 1, not 'many'"):
        start_demo(folder)
    assert not folder.exists()
    assert _processes_of(folder) == []


def test_the_operator_s_own_gunicorn_options_do_not_reach_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--no-such-option")
    monkeypatch.setenv("TOOLKIT_SSH_PASSWORD", "sesame")
    state = start_demo(folder, ssh=False)
    worker = psutil.Process(state.gunicorn_pid).children()[0]
    assert b"sesame" not in Path(f"/proc/{worker.pid}/environ").read_bytes()


def test_a_reused_pid_in_a_stale_state_is_left_alone_and_the_demo_starts_anew(folder: Path) -> None:
    write_state_of_an_ended_demo(folder)
    state = read_state(folder)
    assert state is not None
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as other:
        write_state(
            state.model_copy(
                update={
                    "gunicorn": StartedProcess(pid=other.pid, create_time=state.gunicorn.create_time - 60)
                }
            )
        )
        assert demo_status(folder) is None
        anew = start_demo(folder, ssh=False)
        assert anew.gunicorn_pid != other.pid
        assert stop_demo(folder) is True
        assert other.poll() is None
        other.communicate(b"\n", timeout=10)
        assert other.returncode == 0


def write_state_of_an_ended_demo(folder: Path) -> None:
    state = start_demo(folder, ssh=False)
    stop_demo(folder)
    folder.mkdir()
    write_state(state)


def test_after_kill_9_of_the_arbiter_its_orphans_are_stopped_too(
    folder: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    state = start_demo(folder)
    workers = psutil.Process(state.gunicorn_pid).children()
    # An open websocket keeps an orphaned worker alive.
    sockets = [
        websocket.create_connection(state.url.replace("http", "ws") + "/ws", timeout=10) for _ in range(8)
    ]
    os.kill(state.gunicorn_pid, signal.SIGKILL)
    until(lambda: demo_status(folder) is None)
    assert any(_lives(worker) for worker in workers)
    assert stop_demo(folder) is True
    assert not any(_lives(worker) for worker in workers)
    assert not folder.exists()
    for connection in sockets:
        _drop(connection)


def test_a_demo_whose_ssh_server_died_is_started_afresh(
    folder: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    first = start_demo(folder)
    assert first.ssh is not None
    psutil.Process(first.ssh.process.pid).kill()
    until(lambda: demo_status(folder) is None)
    second = start_demo(folder)
    assert second.gunicorn_pid != first.gunicorn_pid
    assert not psutil.pid_exists(first.gunicorn_pid)
    assert demo_status(folder) == second


def test_it_stops_at_once_with_websockets_open_and_tells_the_clients(folder: Path) -> None:
    state = start_demo(folder, ssh=False)
    sockets = [
        websocket.create_connection(state.url.replace("http", "ws") + "/ws", timeout=10) for _ in range(6)
    ]
    client = socketio.Client(reconnection=False)
    client.connect(state.url, transports=["websocket"])
    client.call("join", timeout=10)
    sockets[0].send(json.dumps({"type": "subscribe", "id": 1}))
    sockets[0].recv()
    started = time.monotonic()
    stop_demo(folder)
    assert time.monotonic() - started < 4
    for connection in sockets:
        opcode, data = connection.recv_data()
        assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, 1001)
        _drop(connection)
    client.wait()
    assert not client.connected


def test_idle_threads_can_be_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_WORKERS", "2")
    monkeypatch.setenv("DEMO_IDLE_THREADS", "30")
    state = start_demo(folder, ssh=False)
    workers = psutil.Process(state.gunicorn_pid).children()
    assert len(workers) == 2
    assert all(worker.num_threads() > 30 for worker in workers)


def test_it_outlives_its_starter_and_a_ctrl_c_at_the_starter_s_terminal(folder: Path) -> None:
    argv = [sys.executable, "-c", STARTER, str(folder)]
    with subprocess.Popen(
        argv,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        os.killpg(starter.pid, signal.SIGINT)
        starter.wait(10)
    state = demo_status(folder)
    assert state is not None
    assert httpx.get(state.url + "/healthz").text == "ok"
    assert stop_demo(folder) is True
    assert _processes_of(folder) == []


def test_a_start_that_is_interrupted_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.demo.gunicorn_process.await_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start_demo(folder)
    assert not folder.exists()
    assert _processes_of(folder) == []
