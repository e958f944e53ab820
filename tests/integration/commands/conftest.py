"""The commands as a user calls them, in processes of their own, against the bundled service behind a real SSH server."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.integration.agent_session.throwaway import ThrowawayServer, can_be_made
from tests.integration.commands.calling import Toolkit
from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.demo.service import DemoState


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoState]:
    """The bundled service and its SSH server, for all tests here; tests must not stop it."""
    folder = tmp_path_factory.mktemp("service") / "demo"
    yield start_demo(folder)
    stop_demo(folder)


@pytest.fixture(scope="package")
def shared(demo: DemoState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolkit]:
    """For runs that several tests look at."""
    caller = Toolkit(demo, tmp_path_factory.mktemp("shared"))
    yield caller
    caller.end_all()


@pytest.fixture
def toolkit(demo: DemoState, tmp_path: Path) -> Iterator[Toolkit]:
    """For one test; it leaves nothing on the server, whatever happened."""
    caller = Toolkit(demo, tmp_path)
    yield caller
    caller.end_all()
    assert caller.left_over() == []


@pytest.fixture(scope="package")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowawayServer]:
    """A server where we log in as somebody who is not root, and may not use sudo."""
    for program in ("unshare", "nsenter", "sudo", "useradd", "/usr/sbin/sshd"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not can_be_made():
        pytest.skip("no mount namespace may be made here")
    made = ThrowawayServer(tmp_path_factory.mktemp("stranger"))
    yield made
    made.stop()
