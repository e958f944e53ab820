"""Where systemd is there, it ends an agent that cannot end itself, and all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import WSGI, free_port, running, until
from tests.integration.agent.driver import Agent
from tests.integration.agent.systemd import Systemd

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with Systemd() as started:
        yield started


def test_an_agent_that_hangs_is_ended_with_its_recorders(systemd: Systemd, folder: Path) -> None:
    port = free_port()
    (folder / "service_wsgi.py").write_text(WSGI)
    options = ["-b", f"127.0.0.1:{port}", "--chdir", str(folder), "service_wsgi:application"]
    service = [sys.executable, "-m", "gunicorn", *options]
    gunicorn = subprocess.Popen([*systemd.inside, *service], stderr=subprocess.DEVNULL)
    try:
        with Agent(before=systemd.inside, hello={"grace_s": 60, "max_s": 6}) as agent:
            scope = f"toolkit-{agent.greeting['pid']}.scope"
            assert scope in agent.wait("log")["message"]
            assert systemd.ask("show", "-p", "RuntimeMaxUSec", scope) == "RuntimeMaxUSec=11s"
            until(lambda: _found(agent, port), "gunicorn")
            agent.say(op="record", views=["wall"], rate_hz=20, chunk_s=1.0)
            agent.wait("recording")
            ours = _processes_of(agent)
            assert len(ours) > 2, "the agent and its recorders"
            (first,) = [pid for pid in ours if b"agent.pyz" in _words(pid) and b"nsenter" not in _words(pid)]

            os.kill(first, signal.SIGSTOP)  # it hangs: its own watch is of no use now
            stopped = time.monotonic()
            until(lambda: not running(first), "the agent to be ended", 30)
            assert time.monotonic() - stopped < 6 + 5 + 5 + 3
            os.kill(agent.process.pid, signal.SIGCONT)  # nsenter stopped with it
            until(lambda: not any(running(pid) for pid in ours), "every process of ours to be gone", 3)
        assert systemd.ask("is-active", scope) != "active"
        assert gunicorn.poll() is None, "the service is none of it"
    finally:
        gunicorn.kill()
        gunicorn.wait()


def test_an_agent_that_ends_leaves_no_scope(systemd: Systemd) -> None:
    with Agent(before=systemd.inside, hello={"grace_s": 60}) as agent:
        scope = f"toolkit-{agent.greeting['pid']}.scope"
        agent.wait("log")
        assert systemd.ask("is-active", scope) == "active"
        assert agent.bye() == 0
    until(lambda: systemd.ask("is-active", scope) != "active", "the scope to be gone", 3)


def test_a_systemd_that_refuses_is_told_and_nothing_more(systemd: Systemd) -> None:
    systemd.ask("stop", "dbus.socket", "dbus.service")
    with Agent(before=systemd.inside, hello={"grace_s": 60}) as agent:
        said = agent.wait("log")["message"]
        assert said.startswith("systemd gave no scope, so that only the agent itself watches its time: ")
        assert "bus" in said
        agent.say(op="ping", t0=3)
        assert agent.wait("pong")["t0"] == 3
        assert agent.bye() == 0


def _found(agent: Agent, port: int) -> bool:
    agent.say(op="find", choice={"port": port})
    while True:
        message = agent.next()
        assert message is not None
        if message["type"] in ("found", "error"):
            return bool(message["type"] == "found")


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _processes_of(agent: Agent) -> list[int]:
    of_its = str(agent.folder).encode()
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if of_its in _words(int(path.name))]
