"""Gunicorn replaces itself, or its workers, under the recording: nothing is lost, and the recording follows."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.gunicorns import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.run_under_way import RunUnderWay
    from tests.faults.table import FaultTable

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd, pytest.mark.slow_fault]


def recorded_pids(run: Path) -> set[int]:
    """Whose stacks are in the bundle."""
    stacks = b"".join(gzip.decompress(path.read_bytes()) for path in run.glob("servers/web/stacks/*.raw.gz"))
    return {int(pid) for pid in re.findall(rb"process (\d+):", stacks)}


def watched(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text())["servers"][0]["watch"]
    return found


def test_an_upgrade_in_the_middle(under_way: RunUnderWay, table: FaultTable) -> None:
    old, before = under_way.arbiter, set(under_way.workers)
    second = under_way.toolkit.demo.pidfile.with_suffix(".pid.2")
    under_way.send(old, signal.SIGUSR2)
    until(second.exists, "the new arbiter's pidfile", 20)
    new = int(second.read_text())
    until(lambda: len(psutil.Process(new).children()) >= 4, "the new workers", 20)
    chunks = len(under_way.chunks)
    until(lambda: len(under_way.chunks) >= chunks + 2, "chunks with both generations", 20)
    os.kill(old, signal.SIGQUIT)
    until(lambda: not second.exists() and under_way.toolkit.demo.pidfile.exists(), "the new pidfile", 20)
    assert under_way.arbiter == new
    done = under_way.finish()
    assert done.code == 0, done.err
    seen = recorded_pids(under_way.run)
    assert seen & before, "the old generation"
    assert seen & set(under_way.workers), "the new one"
    by_cause = watched(under_way.run)["workers"]["by_cause"]
    table.rows.append(
        under_way.row("USR2 upgrade, then QUIT of the old arbiter", done.code, f"deaths by cause: {by_cause}")
    )


@pytest.fixture
def _recycling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_MAX_REQUESTS", "20")


@pytest.fixture
def recycled(_recycling: None, request: pytest.FixtureRequest) -> RunUnderWay:
    """As `under_way`, of a service whose workers end after twenty requests each."""
    started: RunUnderWay = request.getfixturevalue("under_way")
    return started


def test_workers_are_recycled(recycled: RunUnderWay, table: FaultTable) -> None:
    done = recycled.finish()
    assert done.code == 0, done.err
    told = watched(recycled.run)["workers"]
    deaths = [death for death in told["deaths"] if death["cause"] == "max_requests"]
    assert len(deaths) >= 3, told
    assert recorded_pids(recycled.run) & {death["pid"] for death in deaths}
    table.rows.append(
        recycled.row("max_requests under load", done.code, f"deaths by cause: {told['by_cause']}")
    )
