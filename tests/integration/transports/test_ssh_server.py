"""The throwaway SSH server: it outlives who started it, and ends when it is told to."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.sshd_server import ALIAS, need_asyncssh, need_openssh, options_for
from toolkit.demo import ssh_programs, sshd
from toolkit.demo.sshd import read_ssh_server, start_ssh_server, stop_ssh_server
from toolkit.errors import NotPermittedError, ToolkitError
from toolkit.transports.registry import open_transport

KINDS = [pytest.param("openssh", marks=pytest.mark.needs_sshd), "asyncssh"]
ROOT = Path(__file__).resolve().parents[3]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_it_outlives_its_starter_and_another_process_stops_it(tmp_path: Path, kind: str) -> None:
    need_openssh() if kind == "openssh" else need_asyncssh()
    folder = tmp_path / "a folder, 100% odd"
    script = (
        "import sys; from pathlib import Path; from toolkit.demo.sshd import start_ssh_server;"
        "start_ssh_server(Path(sys.argv[1]), host_alias='service', kind=sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", script, str(folder), kind], check=True, cwd=ROOT, timeout=30)
    server = read_ssh_server(folder)
    assert server is not None
    try:
        assert server.kind == kind
        assert server.running()
        transport = open_transport(f"ssh://{ALIAS}", options_for(server))
        assert transport.run(["echo", "in"]).stdout == b"in\n"
        transport.close()
    finally:
        assert stop_ssh_server(folder)
    assert not server.running()
    assert not answers(server.port)
    assert not stop_ssh_server(folder)
    assert read_ssh_server(folder) is None


def test_starting_again_replaces_the_one_before(tmp_path: Path) -> None:
    first = start_ssh_server(tmp_path, host_alias=ALIAS)
    second = start_ssh_server(tmp_path, host_alias=ALIAS)
    assert not first.running()
    assert second.running()
    second.stop()


def test_a_process_that_only_has_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    server = start_ssh_server(tmp_path, host_alias=ALIAS)
    server.stop()
    with subprocess.Popen(["sleep", "20"]) as bystander:
        state = {"kind": "openssh", "port": 1, "user": "x", "host_alias": "x"}
        state |= {"pid": bystander.pid, "create_time": psutil.Process(bystander.pid).create_time() - 60}
        (tmp_path / "sshd.json").write_text(json.dumps(state))
        assert not stop_ssh_server(tmp_path)
        assert bystander.poll() is None
        bystander.kill()


def test_nobody_else_reads_the_keys(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    server = start_ssh_server(folder, host_alias=ALIAS)
    server.stop()
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("host_key", "id_ed25519", "authorized_keys"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_without_openssh_the_embedded_server_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_asyncssh()
    monkeypatch.setattr(ssh_programs, "openssh_server", lambda: None)
    monkeypatch.setattr(sshd, "openssh_server", lambda: None)
    server = start_ssh_server(tmp_path, host_alias=ALIAS)
    try:
        assert server.kind == "asyncssh"
    finally:
        server.stop()


def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sshd, "PREPARE", {"openssh": lambda *_: ["sh", "-c", "echo no luck; exit 3"]})
    with pytest.raises(ToolkitError, match=r"sh did not start: no luck\. Install OpenSSH's server"):
        start_ssh_server(tmp_path, host_alias=ALIAS, kind="openssh")


def test_a_port_that_somebody_took_first_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = sshd._free_port()
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(sshd, "_free_port", lambda: next(ports))
        server = start_ssh_server(tmp_path, host_alias=ALIAS)
    assert server.port == free
    server.stop()


@pytest.mark.needs_root
@pytest.mark.needs_sshd
def test_another_account_can_be_let_in(tmp_path: Path) -> None:
    """Root may serve another account, though that account cannot read the server's folder."""
    (tmp_path / "closed").mkdir(mode=0o700)
    server = start_ssh_server(tmp_path / "closed", host_alias=ALIAS, kind="openssh", user="nobody")
    try:
        transport = open_transport(f"ssh://{ALIAS}", options_for(server))
        done = transport.run(["id", "-un"])
        transport.close()
    finally:
        server.stop()
    # The account may have no shell; that it got as far as this is what counts.
    assert done.stdout in {b"nobody\n", b"This account is currently not available.\n"}


def test_another_account_needs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotPermittedError, match="Only root"):
        start_ssh_server(tmp_path, host_alias=ALIAS, user="somebody-else")
