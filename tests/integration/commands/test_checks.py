"""What must hold, against the bundled service: exit code, reason, files; and a check that stops the load."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.integration.commands.calling import PLAN, phases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.commands.calling import Done, Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]

CHECKS = [
    {"check": "http.p50{name: load opening hours} < 0.001ms over 3s", "abort": True, "name": "quick"},
    "server.rss.max < 900GB over 3s",
    "http.errors{code: 5xx} rate < 60%",
    "http.p95{phase: nosuch} < 1s",
]
PLANNED_S = 60


@pytest.fixture(scope="module")
def stopped(shared: Toolkit) -> tuple[Done, Path, Path]:
    """A minute of load that a check stops after some seconds."""
    reports, page = shared.folder / "stopped", shared.folder / "step-summary"
    done = shared.call(
        *("profile-and-load", PLAN, "--set", f"checks={json.dumps(CHECKS)}"),
        *(*phases(PLANNED_S, 8), *phases(PLANNED_S, scenario=1), "--reports", str(reports)),
        GITHUB_STEP_SUMMARY=str(page),
        TOOLKIT_CHECK="",
    )
    (run,) = (path for path in reports.iterdir() if not path.is_symlink())
    return done, run, page


def test_a_check_stops_the_load_and_the_bundle_is_written(stopped: tuple[Done, Path, Path]) -> None:
    done, run, _ = stopped
    assert done.code == 99, done.err
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["outcome"] == "check-failed"
    drove = [load["ended_ns"] - load["started_ns"] for load in manifest["loads"]]
    assert max(drove) / 1e9 < PLANNED_S
    for name in (
        "summary.txt",
        "summary.json",
        "report.html",
        "junit.xml",
        "flamegraphs/web-wall.svg",
        "SHA256SUMS",
    ):
        assert (run / name).exists(), name


def test_one_line_names_the_check_the_window_and_the_value(stopped: tuple[Done, Path, Path]) -> None:
    done, run, _ = stopped
    last = done.err.splitlines()[-1]
    reason = json.loads((run / "run.json").read_text())["reason"]
    assert last == f"toolkit: {reason}"
    assert "2 of 7 checks did not hold: quick: http.p50{name: load opening hours} was " in reason
    assert (
        "wanted < 0.001ms, and stopped the load; http.p95{phase: nosuch}: no http request has phase 'nosuch'"
        in reason
    )


def test_the_results_stand_in_every_file(stopped: tuple[Done, Path, Path]) -> None:
    _, run, page = stopped
    found = json.loads((run / "summary.json").read_text())
    verdicts = {row["name"]: row["verdict"] for row in found["checks"]["rows"]}
    assert verdicts["quick"] == "failed"
    assert verdicts[CHECKS[1]] == "held"
    assert verdicts["no socket error"] == "held", (
        "what was under way as the load was stopped is nobody's error"
    )
    assert (found["run"]["outcome"], found["run"]["exit_code"]) == ("check-failed", 99)
    root = ElementTree.parse(run / "junit.xml").getroot()
    assert {suite.get("name") for suite in root} == {"all scenarios", "servers"}
    assert len(root.findall("testsuite/testcase/failure")) == 2
    assert page.read_bytes() == (run / "step-summary.md").read_bytes()
    assert "❌" in page.read_text(encoding="utf-8")


def test_the_report_judges_again_from_the_folder_alone(
    stopped: tuple[Done, Path, Path], shared: Toolkit
) -> None:
    run = stopped[1]
    before = json.loads((run / "summary.json").read_text())["checks"]
    done = shared.call("report", str(run))
    assert done.code == 0, done.err
    assert json.loads((run / "summary.json").read_text())["checks"] == before


def test_a_plan_with_wrong_checks_is_refused_before_anything_is_sent(toolkit: Toolkit) -> None:
    done = toolkit.call("load", PLAN, "--check", "http.p95 < 250MB", "--check", "htp.p95 < 1s")
    assert done.code == 2
    assert "--check: 'http.p95 < 250MB': 'MB' is no unit of this quantity" in done.err
    assert "did you mean 'http.p95'?" in done.err
    assert toolkit.runs == []


def test_the_doctor_says_which_window_no_load_is_long_enough_for(toolkit: Toolkit) -> None:
    done = toolkit.call("doctor", PLAN, "--set", 'checks=["http.p95 < 1s over 5m", "http.p50 < 1s over 3s"]')
    assert (
        "look  check: http.p95 < 1s over 5m cannot hold: only 30 s of load are planned" in done.out + done.err
    )
    assert "http.p50" not in done.out + done.err
