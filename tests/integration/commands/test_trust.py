"""Whether a run says of itself that its numbers must not be used, and only then; and that the canary outlives nobody."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import Gunicorn, running, until
from tests.integration.commands.calling import HTTP, PLAN, engines_of, loading, phases
from toolkit.analysis.results import read_results
from toolkit.recording.layout import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.commands.calling import Started, Toolkit

pytestmark = [pytest.mark.needs_artillery]

SLEEPS = """
import os, time

def application(environ, start_response):
    time.sleep(0.05)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
"""


@contextmanager
def quick_service() -> Iterator[str]:
    argv = [sys.executable, str(Path(__file__).with_name("quick_service.py"))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def drive(toolkit: Toolkit, target: str, phase: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
    """Exit code, `summary["trust"]` and standard error of a load of GET / in one phase."""
    script = toolkit.folder / "mine.json"
    flow = [{"get": {"url": "/"}}]
    script.write_text(
        json.dumps({"config": {"http": {"timeout": 30}, "phases": [phase]}, "scenarios": [{"flow": flow}]})
    )
    done = toolkit.call(
        *("load", "--scenario", str(script), "--target", target, "--reports", str(toolkit.reports), "--json")
    )
    assert "series" not in json.loads(done.out)["summary"]["trust"], "it has a line a second"
    return done.code, read_results(RunFolder(toolkit.run)).summary["trust"], done.err


def row(trust: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in trust["rows"] if row["key"] == key)
    return found


def test_a_generator_that_is_told_more_than_it_can(toolkit: Toolkit) -> None:
    threads = max(
        1, (os.cpu_count() or 1) - 1
    )  # as many as Artillery starts; each makes some 2,000 users a second
    with quick_service() as target:
        code, trust, said = drive(
            toolkit, target, {"duration": 1, "arrivalRate": 8000 * threads, "name": "flood"}
        )
    assert code == 97, said
    assert trust["verdict"] == "invalid"
    assert trust["reasons"][0].startswith("The load generator could not keep up: in phase flood of mine")
    assert "The numbers must not be used. The load generator could not keep up" in said
    manifest = toolkit.manifest()
    assert (manifest["outcome"], manifest["exit_code"]) == ("invalid", 97)
    assert manifest["loads"][0]["exit_code"] == 0, "Artillery itself has nothing to say about it"
    summary = (toolkit.run / "summary.txt").read_text(encoding="utf-8").splitlines()
    assert summary[0] == "DO NOT USE THESE NUMBERS"
    assert summary[1] == f"  - {trust['reasons'][0]}"
    series = trust["series"]
    assert max(series["offered"]) > 1.5 * max(series["achieved"])
    assert max(value for value in series["generator_cpu"] if value is not None) > 0.5
    again = toolkit.call("report", str(toolkit.run))
    assert again.code == 0, again.err
    assert (toolkit.run / "summary.txt").read_text(encoding="utf-8").splitlines() == summary


def test_a_slow_service_is_not_the_generator_s_fault(toolkit: Toolkit) -> None:
    # Twenty answers a second at most, thirty asked for: they queue, for the load and for the canary alike.
    with Gunicorn(toolkit.folder / "service", workers=1, wsgi=SLEEPS) as service:
        phase = {"duration": 4, "arrivalRate": 30, "rampTo": 30}
        code, trust, said = drive(toolkit, f"http://127.0.0.1:{service.port}", phase)
    assert code == 0, said
    assert trust["verdict"] != "invalid", trust["reasons"]
    slowest = max(value for value in trust["series"]["canary_p50_ms"] if value is not None)
    assert slowest > 200, "an idle service answers in 50 ms"
    assert row(trust, "canary")["tone"] != "bad"


@pytest.mark.needs_sshd
def test_the_demo_is_not_blamed(toolkit: Toolkit) -> None:
    words = [*phases(3), *phases(3, scenario=1), "--reports", str(toolkit.reports), "--json"]
    done = toolkit.call("profile-and-load", PLAN, *words)
    assert done.code == 0, done.err
    summary = json.loads(done.out)["summary"]
    trust = summary["trust"]
    assert trust["verdict"] != "invalid", trust["reasons"]
    keys = {found["key"] for found in trust["rows"]}
    assert keys >= {"arrivals", "phases", "send_lag", "generator_cpu", "host_cpu", "canary", "clock:web"}
    assert keys >= {"view:web:wall", "view:web:cpu"}
    assert row(trust, "canary")["value"].startswith("p50 ")
    asked = [
        line
        for line in (toolkit.run / "generator" / "canary.jsonl").read_text().splitlines()
        if '"ms"' in line
    ]
    assert len(asked) > 40
    assert all(json.loads(line)["status"] == 200 for line in asked)
    unseen = summary["server_errors"]["unseen"]["by_client"]
    assert [path for path in unseen["paths"] if path["path"] == "/api/hours"] == [], "they are the canary's"


def canary_of(toolkit: Toolkit, started: Started) -> int:
    """Its PID, once the load runs."""
    started.wait_for("] drive load")
    until(lambda: loading(toolkit.reports), "the first requests")
    (event,) = toolkit.events("canary_started")
    assert running(event["pid"])
    return int(event["pid"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_canary_ends_with_the_run(toolkit: Toolkit, number: signal.Signals) -> None:
    words = ["--scenario", HTTP, "--target", toolkit.demo.url, *phases(60), "--reports", str(toolkit.reports)]
    started = toolkit.start("load", *words)
    canary = canary_of(toolkit, started)
    engines = engines_of(started.process.pid)
    started.send(number)
    done_code = started.process.wait(30)
    assert done_code == (130 if number == signal.SIGINT else -9)
    until(lambda: not running(canary), "the end of the canary", 3)
    until(
        lambda: not any(engine.is_running() and engine.status() != "zombie" for engine in engines),
        "its end",
        10,
    )
    lines = (toolkit.run / "generator" / "canary.jsonl").read_bytes()
    assert lines.endswith(b"\n")
    assert all(json.loads(line) for line in lines.splitlines())


def test_no_canary_where_the_plan_wants_none(toolkit: Toolkit) -> None:
    words = ["--scenario", HTTP, "--target", toolkit.demo.url, *phases(1), "--set", "load.canary=off"]
    before = toolkit.demo.access_log.read_text(encoding="utf-8").count("canary")
    done = toolkit.call("load", *words, "--reports", str(toolkit.reports), "--json")
    assert done.code == 0, done.err
    assert not (toolkit.run / "generator" / "canary.jsonl").exists()
    assert toolkit.demo.access_log.read_text(encoding="utf-8").count("canary") == before
    assert row(json.loads(done.out)["summary"]["trust"], "canary")["value"] == "none"
