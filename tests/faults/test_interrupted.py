"""Ctrl-C and SIGTERM, once and twice, at every stage: the bundle is written and can be read, and nothing stays on the server."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.table import Row
from tests.gunicorns import until
from tests.integration.commands.calling import HTTP, PLAN, engines_of, loading, phases

if TYPE_CHECKING:
    from tests.faults.table import FaultTable
    from tests.integration.commands.calling import Started, Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]

BEFORE = ("connect", "push agent", "find gunicorn", "watch servers", "start recording")
AFTER = (
    "stop load",
    "end recordings",
    "stop recording on web",
    "stop watching web",
    "clean web",
    "disconnect from web",
)
LOAD = "drive load"
LIMIT_S = 15
_ALWAYS = {("connect", 1), ("push agent", 1), ("start recording", 1), (LOAD, 1), (LOAD, 2)}
"""These are part of `make test`; the rest takes minutes."""


def run_of(toolkit: Toolkit, seconds: float) -> Started:
    return toolkit.start(
        *("profile-and-load", PLAN, "--scenario", HTTP, *phases(seconds), "--json"),
        *("--chunk", "1s", "--rate", "20", "--reports", str(toolkit.reports)),
    )


def interrupt(toolkit: Toolkit, started: Started, at: str, number: signal.Signals, times: int) -> float:
    """Send it when that stage is told, and look until nothing of ours runs on the server; how long that took."""
    started.wait_for(f"] {at}", 90)
    if at == LOAD:
        until(lambda: loading(toolkit.reports), "the first requests")
    began = time.monotonic()
    for _ in range(times):
        started.send(number)
        time.sleep(0.1)
    until(lambda: toolkit.agents() == [] or started.process.poll() is not None, "nothing of ours", LIMIT_S)
    return time.monotonic() - began


def _stages() -> list[object]:
    cases: list[object] = []
    for times in (1, 2):
        for at in (*BEFORE, LOAD, *AFTER):
            marks = () if (at, times) in _ALWAYS else (pytest.mark.slow_fault,)
            name = f"{at}{' twice' if times > 1 else ''}"
            cases.append(pytest.param(at, signal.SIGINT, times, marks=marks, id=name))
    cases.append(pytest.param(LOAD, signal.SIGTERM, 1, id=f"{LOAD} SIGTERM"))
    return cases


@pytest.mark.parametrize(("at", "number", "times"), _stages())
def test_a_signal_ends_the_run_in_good_order(
    lasting: Toolkit, table: FaultTable, at: str, number: signal.Signals, times: int
) -> None:
    started = run_of(lasting, 1 if at in AFTER else 60)
    engines = []
    if at == LOAD:
        started.wait_for(f"] {at}", 90)
        until(lambda: loading(lasting.reports), "the first requests")
        engines = engines_of(started.process.pid)
        assert engines
    clean_s = interrupt(lasting, started, at, number, times)
    done = started.finish()
    assert done.seconds < LIMIT_S
    assert done.code == 128 + number, done.err
    assert f"toolkit: Stopped by {number.name}." in done.err
    assert not any(engine.is_running() for engine in engines)
    assert lasting.left_over() == []
    manifest = lasting.manifest()
    assert manifest["exit_code"] == 128 + number or at in AFTER[-2:], manifest
    if at not in AFTER:
        assert manifest["outcome"] == "interrupted"
    result = json.loads(done.out)
    assert result["exit_code"] == 128 + number
    assert result["summary"] is not None
    assert (lasting.run / "report.html").exists()
    requests = sum(row["count"] for row in result["summary"]["requests"])
    assert (requests > 0) == (at == LOAD or at in AFTER)
    chunks = len(list(lasting.run.glob("servers/web/stacks/*.raw.gz")))
    name = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}[number] + (" twice" if times > 1 else "")
    kept = f"{chunks} chunks, {requests} requests"
    table.rows.append(Row(f"{name} at “{at}”", clean_s, kept, done.code, f"Stopped by {number.name}."))


@pytest.mark.slow_fault
def test_these_are_all_the_stages(lasting: Toolkit) -> None:
    done = run_of(lasting, 1).finish()
    assert done.code == 0, done.err
    told = [event["name"] for event in lasting.events("stage")]
    assert set(told) == {*BEFORE, LOAD, *AFTER}
