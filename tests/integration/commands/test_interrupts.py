"""Ctrl-C and SIGTERM at every stage: the bundle is written and can be read, and nothing stays on the server."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import until
from tests.integration.commands.calling import HTTP, PLAN, engines_of, loading, phases

if TYPE_CHECKING:
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]

LIMIT_S = 15


@pytest.mark.parametrize(
    ("at", "number", "times"),
    [
        ("connect", signal.SIGINT, 1),
        ("push agent", signal.SIGINT, 1),
        ("start recording", signal.SIGINT, 1),
        ("drive load", signal.SIGINT, 1),
        ("drive load", signal.SIGTERM, 1),
        ("drive load", signal.SIGINT, 2),
    ],
)
def test_a_signal_ends_the_run_in_good_order(
    toolkit: Toolkit, at: str, number: signal.Signals, times: int
) -> None:
    started = toolkit.start(
        "profile-and-load", PLAN, "--scenario", HTTP, *phases(60), "--reports", str(toolkit.reports), "--json"
    )
    started.wait_for(f"] {at}")
    engines = []
    if at == "drive load":
        until(lambda: loading(toolkit.reports), "the first requests")
        engines = engines_of(started.process.pid)
        assert engines
    for _ in range(times):
        started.send(number)
        time.sleep(0.1)
    done = started.finish()
    assert done.seconds < LIMIT_S
    assert done.code == 128 + number, done.err
    assert f"toolkit: Stopped by {number.name}." in done.err
    assert not any(engine.is_running() for engine in engines)
    assert toolkit.left_over() == []
    manifest = toolkit.manifest()
    assert (manifest["outcome"], manifest["exit_code"]) == ("interrupted", 128 + number)
    result = json.loads(done.out)
    assert result["exit_code"] == 128 + number
    assert result["summary"] is not None
    assert (toolkit.run / "report.html").exists()
    requests = sum(row["count"] for row in result["summary"]["requests"])
    assert (requests > 0) == (at == "drive load")


def test_ctrl_c_during_the_report_lets_it_be_finished(toolkit: Toolkit) -> None:
    started = toolkit.start("load", PLAN, "--scenario", HTTP, *phases(1), "--reports", str(toolkit.reports))
    started.wait_for("] report")
    started.send()
    done = started.finish()
    assert done.code == 130, done.err
    assert done.seconds < LIMIT_S
    assert (toolkit.run / "report.html").exists()
    assert (toolkit.run / "SHA256SUMS").exists()
    assert toolkit.manifest()["outcome"] == "passed", "everything had been recorded"


def test_ctrl_c_twice_during_the_report_ends_it_and_says_how_to_build_it(toolkit: Toolkit) -> None:
    started = toolkit.start("load", PLAN, "--scenario", HTTP, *phases(1), "--reports", str(toolkit.reports))
    started.wait_for("] report")
    started.send()
    time.sleep(0.05)
    started.send()
    done = started.finish()
    assert done.code == 130
    assert f"toolkit report {toolkit.run} builds it again" in done.err
    again = toolkit.call("report", str(toolkit.run))
    assert again.code == 0, again.err
    assert (toolkit.run / "report.html").exists()


def test_ctrl_c_ends_the_doctor_and_cleans_the_server(toolkit: Toolkit) -> None:
    started = toolkit.start("doctor", PLAN)
    started.wait_for("web: ssh and host key")
    started.send()
    done = started.finish()
    assert done.code == 130
    assert done.seconds < LIMIT_S
    assert toolkit.left_over() == []
