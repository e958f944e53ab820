"""Fixtures: real SSH servers on loopback with throwaway keys, and a home directory of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.demo.ssh_programs import embedded_available, openssh_server
from toolkit.demo.sshd import SshServer, start_ssh_server
from toolkit.transports.base import ConnectOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALIAS = "service"


def need_openssh() -> None:
    """Skip where OpenSSH's server is missing."""
    if openssh_server() is None:
        pytest.skip("OpenSSH's sshd is not installed (apt-get install openssh-server)")


def need_asyncssh() -> None:
    """Skip where the library of the embedded server is missing."""
    if not embedded_available():
        pytest.skip("the Python package asyncssh is not installed")


def options_for(server: SshServer) -> ConnectOptions:
    """What connects to a server by its own configuration, and by nothing of the developer's."""
    return ConnectOptions(config_path=server.config_path, timeout_s=10)


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """OpenSSH's sshd, for the whole session; tests must not stop it."""
    need_openssh()
    server = start_ssh_server(tmp_path_factory.mktemp("openssh"), host_alias=ALIAS, kind="openssh")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def embedded_ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """The embedded server, for the whole session; tests must not stop it."""
    need_asyncssh()
    server = start_ssh_server(tmp_path_factory.mktemp("asyncssh"), host_alias=ALIAS, kind="asyncssh")
    yield server
    server.stop()


@pytest.fixture
def start_sshd(tmp_path: Path) -> Iterator[Callable[..., SshServer]]:
    """Start further servers, with the arguments of `start_ssh_server` but the folder; all end with the test."""
    started: list[SshServer] = []

    def start(**arguments: str | bool) -> SshServer:
        kind = arguments.setdefault("kind", "openssh" if openssh_server() else "asyncssh")
        need_openssh() if kind == "openssh" else need_asyncssh()
        arguments.setdefault("host_alias", ALIAS)
        server = start_ssh_server(tmp_path / f"sshd{len(started)}", **arguments)  # type: ignore[arg-type]
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory and no agent: nothing of the developer's own SSH is read or written."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return home
