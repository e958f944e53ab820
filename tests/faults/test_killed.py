"""Processes that are killed, each in the middle of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.faults.run_under_way import HUP, INT, KILL, TERM
from tests.gunicorns import until

if TYPE_CHECKING:
    import signal

    from tests.faults.run_under_way import RunUnderWay
    from tests.faults.table import FaultTable

pytestmark = [pytest.mark.needs_artillery, pytest.mark.needs_sshd, pytest.mark.slow_fault]


def said(err: str) -> str:
    """The controller's last sentence."""
    lines = [line for line in err.splitlines() if line.startswith("toolkit: ")]
    return lines[-1].removeprefix("toolkit: ") if lines else "(nothing: it ran to its end)"


def test_the_controller_is_killed(under_way: RunUnderWay, table: FaultTable) -> None:
    under_way.send(under_way.started.process.pid, KILL)
    under_way.started.process.wait(10)
    under_way.await_clean()
    until(lambda: not _generators(), "Artillery's end", 10)
    (left,) = under_way.toolkit.folders_left()
    assert [path.name for path in left.iterdir()] == ["recordings"]
    before = len(under_way.chunks)
    stopped = under_way.toolkit.call("stop", _plan(), "--reports", str(under_way.toolkit.reports))
    assert stopped.code == 0, stopped.err
    later = len(under_way.chunks) - before
    assert later > 0
    assert under_way.requests > 0
    told = json.loads((under_way.run / "summary.json").read_text())["trust"]["reasons"][0]
    assert told.startswith("The run never came to its end")
    table.rows.append(under_way.row("kill -9 of the controller", -9, told, later))


def test_the_agent_is_killed(under_way: RunUnderWay, table: FaultTable) -> None:
    under_way.send(under_way.agent.pid, KILL)
    under_way.await_clean()
    done = under_way.finish()
    assert done.code == 1, done.err
    assert "The agent on web was lost" in done.err
    assert under_way.chunks
    table.rows.append(under_way.row("kill -9 of the agent", done.code, said(done.err)))


def test_a_recorder_is_killed(under_way: RunUnderWay, table: FaultTable) -> None:
    before = {one.pid for one in under_way.recorders}
    under_way.send(min(before), KILL)
    done = under_way.finish()
    assert done.code == 0, done.err
    notes = [
        json.loads(line)["note"]
        for line in (under_way.run / "servers/web/stacks/chunks.jsonl").read_text().splitlines()
    ]
    assert any(note and "ended by itself" in note for note in notes), notes
    table.rows.append(
        under_way.row("kill -9 of a py-spy", done.code, "its chunk says that a recorder ended by itself")
    )


def test_artillery_is_killed(under_way: RunUnderWay, table: FaultTable) -> None:
    under_way.send(under_way.engine.pid, KILL)
    done = under_way.finish()
    under_way.await_clean()
    assert done.code in (1, 97), done.err
    assert (under_way.run / "report.html").exists()
    table.rows.append(under_way.row("kill -9 of Artillery", done.code, said(done.err)))


@pytest.mark.needs_locust
@pytest.mark.parametrize("role", ["worker", "master"])
def test_a_locust_is_killed(swarm_under_way: RunUnderWay, table: FaultTable, role: str) -> None:
    others = {one.pid for one in swarm_under_way.locusts.values()}
    killed = swarm_under_way.locusts[role].pid
    swarm_under_way.send(killed, KILL)
    done = swarm_under_way.finish()
    if role == "master":  # without a worker the load goes on to its end
        swarm_under_way.await_clean()
    assert done.code == 97, done.err
    assert ("worker 1 of 2 was ended by SIGKILL" if role == "worker" else "Locust was killed") in done.err
    assert not [pid for pid in others if psutil.pid_exists(pid)], "none of them goes on"
    assert swarm_under_way.requests > 0
    assert json.loads((swarm_under_way.run / "summary.json").read_text())["trust"]["verdict"] == "invalid"
    table.rows.append(swarm_under_way.row(f"kill -9 of Locust's {role}", done.code, said(done.err)))


@pytest.mark.needs_k6
def test_k6_is_killed(k6_under_way: RunUnderWay, table: FaultTable) -> None:
    first = k6_under_way.engine
    (k6,) = [one for one in first.children() if one.name() == "k6"]
    k6_under_way.send(k6.pid, KILL)
    done = k6_under_way.finish()
    k6_under_way.await_clean()
    assert done.code == 97, done.err
    assert "k6 was ended before its end (SIGKILL)" in done.err
    assert k6_under_way.requests > 0
    assert json.loads((k6_under_way.run / "summary.json").read_text())["trust"]["verdict"] == "invalid"
    table.rows.append(k6_under_way.row("kill -9 of k6", done.code, said(done.err)))


def test_a_worker_is_killed(under_way: RunUnderWay, table: FaultTable) -> None:
    worker = under_way.workers[0]
    under_way.send(worker, KILL)
    done = under_way.finish()
    assert done.code == 0, done.err
    deaths = json.loads((under_way.run / "summary.json").read_text())["servers"][0]["watch"]["workers"][
        "deaths"
    ]
    (death,) = [one for one in deaths if one["pid"] == worker]
    assert death["cause"] == "killed"
    table.rows.append(under_way.row("kill -9 of one worker", done.code, f"worker {worker}: {death['words']}"))


@pytest.mark.parametrize(("number", "name"), [(KILL, "kill -9"), (TERM, "SIGTERM")], ids=["killed", "ended"])
def test_the_arbiter_ends(under_way: RunUnderWay, table: FaultTable, number: int, name: str) -> None:
    under_way.send(under_way.arbiter, number)
    # Host and logs are watched to the end of the load; what looks at the service ends with it.
    until(lambda: not under_way.recorders, "the recorders' end", 10)
    done = under_way.finish()
    assert done.code == 69, done.err
    assert under_way.chunks
    table.rows.append(under_way.row(f"{name} of the arbiter", done.code, said(done.err)))


def test_gunicorn_reloads(under_way: RunUnderWay, table: FaultTable) -> None:
    before = set(under_way.workers)
    under_way.send(under_way.arbiter, HUP)
    until(lambda: not before & set(under_way.workers), "new workers", 20)
    done = under_way.finish()
    assert done.code == 0, done.err
    by_cause = json.loads((under_way.run / "summary.json").read_text())["servers"][0]["watch"]["workers"][
        "by_cause"
    ]
    table.rows.append(under_way.row("HUP of the arbiter", done.code, f"deaths by cause: {by_cause}"))


@pytest.mark.parametrize(
    ("number", "times"), [(INT, 1), (TERM, 1), (INT, 2)], ids=["Ctrl-C", "SIGTERM", "twice"]
)
def test_the_operator_ends_it(
    under_way: RunUnderWay, table: FaultTable, number: signal.Signals, times: int
) -> None:
    for _ in range(times):
        under_way.send(under_way.started.process.pid, number)
    done = under_way.finish()
    under_way.await_clean()
    assert done.code == 128 + number, done.err
    assert (under_way.run / "report.html").exists()
    name = {INT: "Ctrl-C", TERM: "SIGTERM"}[number] + (" twice" if times > 1 else "")
    table.rows.append(under_way.row(name, done.code, said(done.err)))


def _generators() -> list[int]:
    """Artillery's processes that nobody is above of any more."""
    found = psutil.process_iter(["ppid", "cmdline"])
    return [
        one.pid
        for one in found
        if one.info["ppid"] == 1
        and any(word.endswith("artillery/bin/run") for word in one.info["cmdline"] or [])
    ]


def _plan() -> str:
    from tests.integration.commands.calling import PLAN

    return PLAN
