"""What breaks in the middle of a run: Artillery, the agent, the target, the disk. Recorded and said, never a hang."""

from __future__ import annotations

import json
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import Gunicorn, until
from tests.integration.commands.calling import HTTP, PLAN, engines_of, loading, phases

if TYPE_CHECKING:
    from tests.integration.commands.calling import Started, Toolkit

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd]


def _start(toolkit: Toolkit, seconds: float, *words: str) -> Started:
    common = ["--scenario", HTTP, *phases(seconds), "--reports", str(toolkit.reports), "--json"]
    return toolkit.start("profile-and-load", PLAN, *common, *words)


def _loading(toolkit: Toolkit, started: Started) -> None:
    started.wait_for("] drive load")
    until(lambda: loading(toolkit.reports), "the first requests")


def test_artillery_is_killed(toolkit: Toolkit) -> None:
    started = _start(toolkit, 40)
    _loading(toolkit, started)
    engines_of(started.process.pid)[0].kill()
    done = started.finish()
    assert done.code == 97, done.err
    assert done.seconds < 15
    assert "must not be used" in done.err
    manifest = toolkit.manifest()
    assert manifest["outcome"] == "invalid"
    assert manifest["loads"][0]["exit_code"] == -signal.SIGKILL
    assert sum(row["count"] for row in json.loads(done.out)["summary"]["requests"]) > 0
    assert (toolkit.run / "flamegraphs" / "web-wall.svg").exists()


def test_the_agent_is_killed_and_the_load_goes_on(toolkit: Toolkit) -> None:
    started = _start(toolkit, 3)
    _loading(toolkit, started)
    agent = next(
        process for process in toolkit.agents() if any("agent.pyz" in word for word in process.cmdline())
    )
    agent.kill()
    done = started.finish()
    assert done.code == 1, done.err
    assert "The agent on web was lost" in done.err
    manifest = toolkit.manifest()
    lost = [sentence for sentence in manifest["missing"] if "the agent was lost" in sentence]
    assert len(lost) == 1, manifest["missing"]
    assert (manifest["loads"][0]["exit_code"], manifest["loads"][0]["problem"]) == (0, "")
    assert toolkit.left_over() == []


def test_a_threshold_of_the_scenario_file_does_not_hold(toolkit: Toolkit) -> None:
    config = {
        "phases": [{"duration": 1, "arrivalRate": 3}],
        "plugins": {"ensure": {}},
        "ensure": {"thresholds": [{"http.response_time.p95": 0}]},
    }
    override = {"config": config}
    words = ["--set", f"load.scenarios.0.overrides={json.dumps(override)}", "--reports", str(toolkit.reports)]
    done = toolkit.call("load", "--scenario", HTTP, "--target", toolkit.demo.url, *words)
    assert done.code == 99, done.err
    assert "a threshold of the scenario file did not hold" in done.err
    assert "artillery says of http: http.response_time.p95 < 0" in done.err.splitlines()[-1]
    assert "http.response_time.p95 &lt; 0" in (toolkit.run / "junit.xml").read_text()
    assert toolkit.manifest()["outcome"] == "check-failed"


def test_an_acknowledgement_that_never_comes(toolkit: Toolkit) -> None:
    script = toolkit.folder / "mine.yml"
    script.write_text(
        "config: {phases: [{duration: 1, arrivalCount: 2}], socketio: {transports: [websocket]}}\n"
        "scenarios:\n"
        "  - engine: socketio\n"
        "    flow:\n"
        "      - emit: [nobody-listens, a]\n"
        "        acknowledge: {}\n"
    )
    words = ["--set", "load.scenarios.0.ack_timeout=1s", "--reports", str(toolkit.reports), "--json"]
    done = toolkit.call("load", "--scenario", str(script), "--target", toolkit.demo.url, *words)
    assert done.code == 99, done.err
    assert "no socket error: requests.unanswered was 2" in done.err
    assert done.seconds < 20
    rows = {row["name"]: row for row in json.loads(done.out)["summary"]["requests"]}
    assert rows["EMIT nobody-listens"]["count"] == rows["EMIT nobody-listens"]["errors"] == 2


def test_the_service_dies_under_the_recording(toolkit: Toolkit) -> None:
    script = toolkit.folder / "mine.yml"
    script.write_text(
        "config: {phases: [{duration: 5, arrivalRate: 5, rampTo: 5}]}\nscenarios: [{flow: [{get: {url: /}}]}]\n"
    )
    with Gunicorn(toolkit.folder / "service") as service:
        started = toolkit.start(
            *("profile-and-load", "--server", "local:", "--gunicorn", f"pid={service.pid}"),
            *("--scenario", str(script), "--target", f"http://127.0.0.1:{service.port}"),
            *("--reports", str(toolkit.reports), "--json"),
        )
        _loading(toolkit, started)
        service.signal(signal.SIGKILL)
        done = started.finish()
    assert done.code == 69, done.err
    assert "ended during the run" in done.err
    assert toolkit.manifest()["outcome"] == "failed"
    assert toolkit.left_over() == []


def _records(toolkit: Toolkit) -> bool:
    return any("record" in process.cmdline() for process in toolkit.agents())


def _report(toolkit: Toolkit) -> str:
    assert toolkit.call("report", str(toolkit.run)).code == 0
    return (toolkit.run / "summary.txt").read_text(encoding="utf-8")


def test_a_controller_that_is_killed_has_said_which_views_are_true(toolkit: Toolkit) -> None:
    started = toolkit.start("profile", PLAN, "--set", "profile.chunk=1s", "--reports", str(toolkit.reports))
    started.wait_for("] profile")
    until(lambda: list(toolkit.run.glob("servers/web/stacks/wall-000001*")), "a chunk that is not the first")
    started.process.kill()
    until(lambda: not toolkit.agents(), "the agent's end")
    assert "was not recorded" not in _report(toolkit)
    assert {
        view: said["valid"] for view, said in toolkit.manifest()["servers"][0]["views"].items()
    }.keys() == {"wall", "cpu"}
    for left in toolkit.folders_left():  # what was not fetched stays there for whoever comes back
        assert [path.name for path in left.iterdir()] == ["recordings"]
        shutil.rmtree(left)


def test_a_run_that_is_stopped_as_it_begins_has_said_which_views_are_true(toolkit: Toolkit) -> None:
    started = toolkit.start("profile", PLAN, "--reports", str(toolkit.reports))
    started.wait_for("] start recording")
    until(lambda: _records(toolkit), "py-spy")
    started.send()
    assert started.finish().code == 130
    assert toolkit.manifest()["servers"][0]["views"].keys() == {"wall", "cpu"}
    assert "was not recorded" not in _report(toolkit)


def test_a_controller_that_is_killed_takes_its_load_along(toolkit: Toolkit) -> None:
    started = toolkit.start(
        *("load", "--scenario", HTTP, "--target", toolkit.demo.url, *phases(40)),
        *("--reports", str(toolkit.reports)),
    )
    _loading(toolkit, started)
    engines = engines_of(started.process.pid)
    started.process.kill()
    until(
        lambda: not any(engine.is_running() and engine.status() != "zombie" for engine in engines),
        "Artillery's end",
    )


def test_a_target_of_the_scenario_file_s_own_is_looked_at_before_the_load(toolkit: Toolkit) -> None:
    script = toolkit.folder / "mine.yml"
    text = "config: {target: 'http://TARGET', phases: [{duration: 1, arrivalCount: 1}]}\nscenarios: [{flow: [{get: {url: /}}]}]\n"
    script.write_text(text.replace("TARGET", "127.0.0.1:1"))
    down = toolkit.call("load", "--scenario", str(script), "--reports", str(toolkit.reports))
    assert (down.code, "127.0.0.1:1 cannot be reached" in down.err) == (69, True), down.err
    script.write_text(text.replace("TARGET", "192.0.2.1"))
    away = toolkit.call("load", "--scenario", str(script), "--reports", str(toolkit.reports))
    assert (away.code, "Not on this machine: http://192.0.2.1" in away.err) == (2, True), away.err
    assert toolkit.runs == []
