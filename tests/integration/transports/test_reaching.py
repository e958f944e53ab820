"""Hosts that cannot be reached, connections that break, servers that lack a part."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.transports.conftest import host_block, host_public
from tests.sshd_server import ALIAS, options_for
from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.transports import dialing
from toolkit.transports.address import parse_address
from toolkit.transports.client_config import make_host
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from toolkit.demo.sshd import SshServer
    from toolkit.transports.base import ConnectOptions

    Configure = Callable[..., ConnectOptions]


def unreachable(address: str, options: ConnectOptions) -> UnreachableError:
    with pytest.raises(UnreachableError) as caught:
        open_transport(address, options)
    assert caught.value.exit_code == 69
    return caught.value


def test_a_closed_port(configure: Configure) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        error = unreachable(f"ssh://127.0.0.1:{port}", configure(""))
    assert error.message == f"127.0.0.1 port {port} refuses the connection."


def test_a_name_that_does_not_exist(configure: Configure) -> None:
    error = unreachable("ssh://no-such-host.invalid", configure(""))
    assert error.message.startswith("The host 'no-such-host.invalid' cannot be resolved: ")


def test_a_server_that_is_no_ssh_server(configure: Configure) -> None:
    def serve(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        error = unreachable(f"ssh://127.0.0.1:{listener.getsockname()[1]}", configure(""))
        thread.join()
    assert error.message.startswith("No SSH connection to 127.0.0.1 port")
    assert "SSH server" in error.hint


def test_a_connection_that_is_reset(configure: Configure) -> None:
    def serve(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.recv(1)
        peer.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        error = unreachable(f"ssh://127.0.0.1:{listener.getsockname()[1]}", configure(""))
        thread.join()
    assert re.search(
        r"port \d+: Error reading SSH protocol banner: \[Errno \d+\] Connection reset", error.message
    )


def test_an_unknown_kind_of_address() -> None:
    with pytest.raises(UsageError, match=r"no transport 'telnet'.*local:, ssh:"):
        open_transport("telnet://host")
    with pytest.raises(UsageError, match="local: takes no host"):
        open_transport("local://host")


@pytest.mark.parametrize("kind", [pytest.param("openssh", marks=pytest.mark.needs_sshd), "asyncssh"])
def test_a_connection_that_breaks(
    start_sshd: Callable[..., SshServer], kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server = start_sshd(kind=kind)
    transport = open_transport(f"ssh://{ALIAS}", options_for(server))
    process = transport.start(["sh", "-c", "echo ready; exec cat"])
    lines = process.lines()
    assert next(lines) == ("stdout", b"ready")
    server.stop()
    assert list(lines) == []  # the reader sees the end, and does not wait for ever
    assert process.wait(5) == -1
    with pytest.raises(UnreachableError, match="no longer reads its input"):
        process.write(b"x")
    for action in (
        lambda: transport.run(["true"]),
        lambda: transport.start(["true"]),
        lambda: transport.put(b"x", "/tmp/never-written", 0o600),
    ):
        with pytest.raises(UnreachableError, match=r"The connection to ssh://.* broke"):
            action()
    process.kill()
    transport.close()
    assert capfd.readouterr() == ("", "")  # no traceback of the library's


@pytest.mark.needs_sshd
def test_a_command_running_when_the_connection_breaks(start_sshd: Callable[..., SshServer]) -> None:
    server = start_sshd()
    transport = open_transport(f"ssh://{ALIAS}", options_for(server))
    threading.Timer(0.3, server.stop).start()
    with pytest.raises(UnreachableError, match="broke"):
        transport.run(["sh", "-c", "cat; exec sleep 3"], timeout_s=20)
    transport.close()


@pytest.mark.parametrize("kind", [pytest.param("openssh", marks=pytest.mark.needs_sshd), "asyncssh"])
def test_put_without_sftp(start_sshd: Callable[..., SshServer], kind: str, tmp_path: Path) -> None:
    server = start_sshd(kind=kind, sftp=False)
    transport = open_transport(f"ssh://{ALIAS}", options_for(server))
    data = os.urandom(3 << 20)
    path = tmp_path / "it's new"
    try:
        transport.put(data, str(path), 0o750)
        assert path.read_bytes() == data
        assert path.stat().st_mode & 0o7777 == 0o750
        (tmp_path / "link").symlink_to(tmp_path / "target")
        (tmp_path / "device").symlink_to("/dev/null")
        for taken in (path, tmp_path / "link", tmp_path / "device"):
            with pytest.raises(ToolkitError, match="File exists"):
                transport.put(b"x", str(taken), 0o600)
        assert not (tmp_path / "target").exists()
        with pytest.raises(ToolkitError, match="could not be written"):
            transport.put(b"x", str(tmp_path / "no" / "x"), 0o600)
    finally:
        transport.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    mount = shutil.which("mount")
    folder = tmp_path / "small"
    folder.mkdir()
    argv = [mount or "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(argv, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.needs_root
@pytest.mark.parametrize("kind", ["local", "openssh", "embedded_ssh", "no sftp"])
def test_a_full_disk_is_told_and_nothing_half_written_stays(
    request: pytest.FixtureRequest, start_sshd: Callable[..., SshServer], small_disk: Path, kind: str
) -> None:
    if kind == "local":
        transport = open_transport("local:")
    else:
        server = start_sshd(sftp=False) if kind == "no sftp" else request.getfixturevalue(kind)
        transport = open_transport(f"ssh://{ALIAS}", options_for(server))
    try:
        with pytest.raises(ToolkitError, match=r"could not be written.*space"):
            transport.put(bytes(5 << 20), str(small_disk / "big"), 0o600)
    finally:
        transport.close()
    assert list(small_disk.iterdir()) == []


def test_a_local_command_is_out_of_the_terminals_reach() -> None:
    """A Ctrl-C goes to the foreground process group; the agent must not get it."""
    transport = open_transport("local:")
    done = transport.run([sys.executable, "-c", "import os; print(os.getsid(0), os.getpid())"])
    session, pid = done.stdout.split()
    assert session == pid
    transport.close()


def test_closing_the_local_transport_ends_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.transports.local._CLOSE_S", 0.2)
    transport = open_transport("local:")
    process = transport.start(["sh", "-c", "echo $$; exec sleep 20 < /dev/null"])
    pid = int(next(process.lines())[1])
    began = time.monotonic()
    transport.close()
    assert time.monotonic() - began < 9
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


CARRIER = """
import os, pathlib, socket, sys, threading
pathlib.Path(sys.argv[3]).write_text(str(os.getpid()))
link = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        link.sendall(data)
threading.Thread(target=up, daemon=True).start()
while data := link.recv(65536):
    os.write(1, data)
"""


def test_a_connection_that_stands_still_is_given_up(
    embedded_ssh: SshServer, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither TCP nor paramiko notices a proxy that neither carries on nor hangs up."""
    monkeypatch.setattr("toolkit.transports.dialing.SILENCE_S", 0.5)
    (tmp_path / "carrier.py").write_text(CARRIER)
    command = f"ProxyCommand {sys.executable} {tmp_path}/carrier.py %h %p {tmp_path}/pid"
    known = f"[127.0.0.1]:{embedded_ssh.port} {host_public(embedded_ssh)}\n"
    transport = open_transport(
        "ssh://service", configure(host_block(embedded_ssh, command), known_hosts=known)
    )
    process = transport.start(["cat"])
    carrier = int((tmp_path / "pid").read_text())
    os.kill(carrier, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(UnreachableError):
            process.write(bytes(16 << 20))
        process.kill()
        with pytest.raises(UnreachableError, match="broke"):
            transport.run(["true"])
    finally:
        os.kill(carrier, signal.SIGCONT)
        transport.close()
    assert time.monotonic() - began < 8


def test_what_tcp_is_asked_to_do(configure: Configure) -> None:
    """Small packets go at once, and a silent network is noticed where the system can."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = parse_address(f"ssh://127.0.0.1:{listener.getsockname()[1]}")
        options = configure("")
        with dialing.dial(make_host(address, {}, options, jumped=False)) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000


def test_small_exchanges_are_quick(embedded_ssh: SshServer) -> None:
    """Without TCP_NODELAY a round trip takes 40 ms and more, however fast the host is."""
    transport = open_transport(f"ssh://{ALIAS}", options_for(embedded_ssh))
    process = transport.start(["cat"])
    lines = process.lines()
    times = []
    for _ in range(100):
        began = time.monotonic()
        process.write(b"ping\n")
        next(lines)
        times.append(time.monotonic() - began)
    process.kill()
    transport.close()
    assert min(times) < 0.02


@pytest.mark.needs_sshd
def test_the_servers_files_let_ssh_itself_in(openssh: SshServer) -> None:
    """A person may look around on the demo's server with them."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("ssh is not installed")
    argv = [ssh, "-F", str(openssh.config_path), "-o", "BatchMode=yes", ALIAS, "id -un"]
    done = subprocess.run(argv, check=True, capture_output=True, timeout=20)
    assert done.stdout.decode().strip() == openssh.user
