"""However a session ends, the agent outlives nobody, keeps what was recorded, and leaves no process stopped."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import Gunicorn, children_of, running, until
from tests.integration.agent.driver import PY_SPY, Agent, pack

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 6.0


def recorders_of(agent: Agent) -> list[int]:
    return [
        pid
        for pid in children_of(agent.process.pid)
        if b"py-spy" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def stopped_threads(gunicorn: Gunicorn) -> list[str]:
    """Threads of the service that are stopped or traced."""
    pids = [gunicorn.pid, *gunicorn.worker_pids]
    stats = [path.read_text() for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return [text for text in stats if text.rpartition(")")[2].split()[0] in "tT"]


def speak(agent: Agent, seconds: float) -> None:
    """Be the controller that is there, for a while."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        agent.say(op="ping", t0=1)
        agent.wait("pong")
        time.sleep(0.1)


def close_input(agent: Agent) -> None:
    assert agent.process.stdin
    agent.process.stdin.close()


def fall_silent(agent: Agent) -> None:
    """The network drops everything: no end of file, no line."""


def terminate(agent: Agent) -> None:
    agent.process.terminate()


def interrupt(agent: Agent) -> None:
    agent.process.send_signal(signal.SIGINT)


def hang_up(agent: Agent) -> None:
    agent.process.send_signal(signal.SIGHUP)


def close_both(agent: Agent) -> None:
    """What the end of an SSH channel looks like: both pipes close."""
    assert agent.process.stdin
    os.kill(agent.process.pid, signal.SIGSTOP)
    agent.process.stdin.close()
    os.kill(agent.process.pid, signal.SIGCONT)


ENDS = [close_input, fall_silent, terminate, interrupt, hang_up, close_both]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_it_ends_and_leaves_only_what_was_not_fetched(
    service: Gunicorn, end: Callable[[Agent], None]
) -> None:
    # Chunks end on the clock: this test's must not.
    until(lambda: 1 < time.time() % 300 < 285, "a moment far from a chunk's end")
    with Agent(hello={"grace_s": 1.5}) as agent:
        agent.record(service.pid, views=["wall", "cpu"], chunk_s=300.0)
        recorders = recorders_of(agent)
        assert len(recorders) >= 2
        for name in agent.files:
            agent.say(op="ack", name=name)
        speak(agent, 0.5)  # py-spy tells nothing before it ends: give it time for samples
        began = time.monotonic()
        end(agent)
        assert agent.end() == 1

        assert time.monotonic() - began < SECONDS
        assert not any(running(pid) for pid in recorders)
        assert stopped_threads(service) == []
        assert sorted(path.name for path in agent.folder.iterdir()) == ["recordings"]
        kept = {path.name for path in (agent.folder / "recordings").iterdir()}
        assert kept == {"about.json", "chunks.jsonl", "wall-000001.raw.gz", "cpu-000001.raw.gz"}
        lines = [
            json.loads(line)
            for line in (agent.folder / "recordings" / "chunks.jsonl").read_text().splitlines()
        ]
        assert {line["view"]: line["exit_code"] for line in lines} == {"wall": 0, "cpu": 0}
        assert b"Arbiter" in gzip.decompress(
            (agent.folder / "recordings" / "wall-000001.raw.gz").read_bytes()
        )
        assert service.get("/")


@pytest.mark.parametrize("end", [close_input, fall_silent, terminate], ids=lambda end: end.__name__)
def test_without_a_recording_nothing_is_left(end: Callable[[Agent], None]) -> None:
    with Agent(hello={"grace_s": 1.0}) as agent:
        end(agent)
        assert agent.end() == 1
        assert not agent.folder.exists()


def test_bye_removes_everything_even_what_was_not_fetched(agent: Agent, service: Gunicorn) -> None:
    agent.record(service.pid)
    agent.wait_chunks("wall", 1)
    recorders = recorders_of(agent)
    agent.say(op="bye")
    agent.wait("bye")
    assert not agent.folder.exists(), "it is gone when bye is said"
    assert agent.end() == 0
    assert not any(running(pid) for pid in recorders)
    assert stopped_threads(service) == []
    assert agent.stderr == b""


def test_a_controller_that_speaks_is_waited_for(service: Gunicorn) -> None:
    with Agent(hello={"grace_s": 1.5}) as agent:
        agent.record(service.pid)
        speak(agent, 3.5)
        assert agent.process.poll() is None
        assert agent.bye() == 0


def test_time_is_up_at_last(service: Gunicorn) -> None:
    with Agent(hello={"grace_s": 20, "max_s": 2.5}) as agent:
        agent.record(service.pid)
        while (message := agent.next()) and message["type"] != "error":
            pass
        assert message
        assert message["code"] == "time-limit"
        assert agent.end() == 1
        assert "wall-000001.raw.gz" in agent.files, "the last chunk was still sent"


def test_a_killed_agent_takes_its_recorders_along(agent: Agent, service: Gunicorn) -> None:
    agent.record(service.pid, views=["wall", "cpu"], chunk_s=30.0)
    recorders = recorders_of(agent)
    speak(agent, 0.5)
    agent.process.kill()
    until(lambda: not any(running(pid) for pid in recorders), "the end of py-spy", SECONDS)
    raw = [path for path in (agent.folder / "running").glob("*.raw") if path.stat().st_size]
    assert raw, "py-spy was interrupted, not killed: its file is there"
    assert stopped_threads(service) == []


def test_a_controller_that_does_not_read_does_not_hold_the_agent_up(
    service: Gunicorn, tmp_path: Path
) -> None:
    """A silent network swallows nothing: the pipe fills, the agent must end all the same."""
    folder = tmp_path / "pushed"
    folder.mkdir(mode=0o700)
    pack(folder)
    silent = subprocess.Popen(
        ["python3", "-u", "-I", str(folder / "agent.pyz")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert silent.stdin
    assert silent.stdout
    try:
        say = [
            {"op": "hello", "protocol": 1, "grace_s": 3},
            {"op": "find", "choice": {"pid": service.pid}},
            {"op": "record", "views": ["wall"], "rate_hz": 100, "chunk_s": 1},
        ]
        silent.stdin.write("".join(json.dumps(line) + "\n" for line in say).encode())
        silent.stdin.write((json.dumps({"op": "no " * 2000}) + "\n").encode() * 100)
        silent.stdin.write(b'{"op":"find"}\n' * 2000)  # 200 kB of answers: more than the pipe holds
        silent.stdin.flush()
        assert silent.wait(15) == 1
        assert not (folder / "agent.pyz").exists()
    finally:
        silent.kill()
        silent.wait()
        silent.stdin.close()
        silent.stdout.close()


def test_what_somebody_else_has_stopped_stays_stopped(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "halted", arguments=["--timeout", "0"]) as gunicorn:
        agent.record(gunicorn.pid)
        halted = gunicorn.worker_pids[0]
        os.kill(halted, signal.SIGSTOP)
        agent.wait_chunks("wall", 2)
        agent.stop()
        assert len(stopped_threads(gunicorn)) == 1
        os.kill(halted, signal.SIGCONT)


def test_on_a_prepared_server_nothing_is_pushed_and_nothing_of_it_goes(
    service: Gunicorn, tmp_path: Path
) -> None:
    home = tmp_path / "gunicorn-toolkit"
    home.mkdir(mode=0o755)
    pack(home)
    for wheel in home.glob("*.whl"):
        wheel.unlink()
    shutil.copy(PY_SPY, home / "py-spy")
    (home / "py-spy").chmod(0o755)
    (home / "agent.pyz").chmod(0o644)
    with Agent(folder=home, hello={"grace_s": 20}) as agent:
        work = Path(agent.greeting["directory"])
        assert work != home
        assert work.stat().st_mode & 0o777 == 0o700
        agent.record(service.pid)
        agent.stop()
        assert agent.bye() == 0
        assert not work.exists()
        assert sorted(path.name for path in home.iterdir()) == ["agent.pyz", "py-spy"]
