from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import Gunicorn, shared_folder
from tests.integration.agent_session.throwaway import ThrowawayServer, can_be_made
from toolkit.recording.layout import ServerFolder
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.transports.base import Transport


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowawayServer]:
    """A throwaway server over real SSH, with real sudo."""
    for program in ("unshare", "nsenter", "sudo", "visudo", "useradd", "/usr/sbin/sshd"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not can_be_made():
        pytest.skip("no mount namespace may be made here")
    made = ThrowawayServer(tmp_path_factory.mktemp("throwaway"))
    yield made
    made.stop()


@pytest.fixture
def over_ssh(server: ThrowawayServer) -> Iterator[Transport]:
    transport = server.transport()
    yield transport
    transport.close()
    assert server.left_over() == []
    assert server.processes() == []


@pytest.fixture
def local() -> Iterator[Transport]:
    transport = open_transport("local:")
    yield transport
    transport.close()


@pytest.fixture(scope="session")
def gunicorn() -> Iterator[Gunicorn]:
    """A gunicorn of root's (of ours, where we are not)."""
    with shared_folder() as folder, Gunicorn(folder) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> ServerFolder:
    return ServerFolder(tmp_path / "servers" / "web")


class Events(list[tuple[str, dict[str, Any]]]):
    """What a session said happened."""

    def __call__(self, kind: str, details: dict[str, Any]) -> None:
        self.append((kind, details))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [details for name, details in self if name == kind]


@pytest.fixture
def events() -> Events:
    return Events()
