"""A run that is under way against the bundled service, and the table that each fault adds a row to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.run_under_way import RunUnderWay
from tests.faults.table import FaultTable
from tests.integration.agent_session.throwaway import ThrowawayServer, can_be_made
from tests.integration.commands.calling import Toolkit
from toolkit.demo.service import start_demo, stop_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.demo.service import DemoState
LOCUSTFILE = str(Path(__file__).resolve().parents[2] / "loadtesting" / "locustfile.py")
K6_SCRIPT = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { vus: 4, duration: '40s' };
export default function () { http.get(`${__ENV.BASE_URL}/api/hours`); sleep(0.1); }
"""
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
_TABLE = FaultTable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A row that could not be tested is named in the table."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _TABLE.skipped.append(
            (report.nodeid.rpartition("::")[2], report.longrepr[2].removeprefix("Skipped: "))
        )


def pytest_sessionfinish(exitstatus: int) -> None:
    """Written where `make faults` asks for it and every row held."""
    if os.environ.get("TOOLKIT_FAULTS_WRITE") and exitstatus == 0:
        _TABLE.write(DOCUMENT)


@pytest.fixture(scope="session")
def table() -> FaultTable:
    """What docs/faults.md will say."""
    return _TABLE


@pytest.fixture
def toolkit(tmp_path: Path) -> Iterator[Toolkit]:
    """A demo of its own for each fault: some of them end it."""
    folder = tmp_path / "demo"
    caller = Toolkit(start_demo(folder), tmp_path)
    try:
        yield caller
        assert caller.left_over() == [], "nothing stays on the server"
    finally:
        caller.end_all()
        stop_demo(folder)


@pytest.fixture
def under_way(toolkit: Toolkit) -> RunUnderWay:
    """Recorded and loaded for some seconds."""
    return RunUnderWay(toolkit)


@pytest.fixture
def swarm_under_way(toolkit: Toolkit) -> RunUnderWay:
    """The same by Locust, a master and two workers."""
    load = ("--users", "12", "--spawn-rate", "6", "--workers", "2", "--run-time", "14s")
    return RunUnderWay(toolkit, ("--scenario", LOCUSTFILE, *load))


@pytest.fixture
def k6_under_way(toolkit: Toolkit) -> RunUnderWay:
    """The same by k6."""
    script = toolkit.folder / "load.js"
    script.write_text(K6_SCRIPT, encoding="utf-8")
    return RunUnderWay(toolkit, ("--scenario", str(script)))


@pytest.fixture(scope="package")
def lasting_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoState]:
    """For faults that leave it alone."""
    folder = tmp_path_factory.mktemp("lasting") / "demo"
    yield start_demo(folder)
    stop_demo(folder)


@pytest.fixture
def lasting(lasting_demo: DemoState, tmp_path: Path) -> Iterator[Toolkit]:
    """A caller of its own for each fault, of a demo that all of these share."""
    caller = Toolkit(lasting_demo, tmp_path)
    try:
        yield caller
        assert caller.left_over() == [], "nothing stays on the server"
    finally:
        caller.end_all()


@pytest.fixture(scope="package")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThrowawayServer]:
    """A server to do as one likes with, where we log in as somebody who is not root."""
    for program in ("unshare", "nsenter", "sudo", "visudo", "useradd", "/usr/sbin/sshd"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not can_be_made():
        pytest.skip("no mount namespace may be made here")
    made = ThrowawayServer(tmp_path_factory.mktemp("throwaway"))
    yield made
    made.stop()
