"""Ctrl-C in the report and in the doctor; at every stage of a run: tests/faults/test_interrupted.py."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.commands.calling import HTTP, PLAN, phases

if TYPE_CHECKING:
    from tests.integration.commands.calling import Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]

LIMIT_S = 15


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
