"""One run at a time works on a gunicorn: who comes second is told who was first, and what died is no obstacle."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path

from tests.gunicorns import Gunicorn, children_of, running, until
from tests.integration.agent.driver import Agent

FIRST = {"run": "20261130T080000Z-shop", "who": "ada@laptop", "grace_s": 20, "max_s": 100}
SECOND = {"run": "20261130T080500Z-shop", "who": "bob@desk", "grace_s": 20, "max_s": 100}


def test_a_second_run_is_refused_with_who_and_since_when(service: Gunicorn, folder: Path) -> None:
    with Agent(hello=FIRST) as first, Agent(hello=SECOND) as second:
        assert first.find(pid=service.pid)["type"] == "found"
        refused = second.find(pid=service.pid)
        assert (refused["type"], refused["code"]) == ("error", "busy")
        today = time.strftime("%Y-%m-%d", time.gmtime())
        assert f"is being profiled by run {FIRST['run']} of ada@laptop since {today} " in refused["message"]
        assert f"PID {first.process.pid} of user " in refused["message"]
        with Gunicorn(folder / "another") as another:
            assert second.find(pid=another.pid)["type"] == "found", "only that gunicorn is taken"
        assert first.bye() == 0
        assert second.find(pid=service.pid)["type"] == "found"


def test_one_run_may_look_at_a_gunicorn_by_two_names(service: Gunicorn) -> None:
    with Agent(hello=FIRST) as first, Agent(hello=FIRST) as second:
        for agent in (first, second):
            assert agent.find(pid=service.pid)["type"] == "found"


def test_what_was_killed_is_no_obstacle(service: Gunicorn) -> None:
    with Agent(hello=FIRST) as first, Agent(hello=SECOND) as second:
        assert first.find(pid=service.pid)["type"] == "found"
        first.process.kill()
        first.process.wait(10)
        assert second.find(pid=service.pid)["type"] == "found"


def test_who_finds_another_gunicorn_gives_the_first_back(service: Gunicorn, folder: Path) -> None:
    with Agent(hello=FIRST) as first, Agent(hello=SECOND) as second, Gunicorn(folder / "moved") as other:
        assert first.find(pid=service.pid)["type"] == "found"
        assert first.find(pid=other.pid)["type"] == "found"
        assert second.find(pid=service.pid)["type"] == "found"


def test_after_an_upgrade_the_new_arbiter_is_taken_too(folder: Path) -> None:
    with Gunicorn(folder / "upgraded") as gunicorn, Agent(hello=FIRST) as first:
        first.record(gunicorn.pid)
        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGUSR2)
        new = until(lambda: set(gunicorn.worker_pids) - set(before), "the new arbiter").pop()
        until(lambda: len(children_of(new)) == 2, "its workers")
        try:
            gunicorn.signal(signal.SIGQUIT)
            while f"recording the arbiter {new}" not in first.wait("log")["message"]:
                pass
            with Agent(hello=SECOND) as second:
                assert second.find(pid=new)["code"] == "busy"
        finally:
            os.kill(new, signal.SIGTERM)
            until(lambda: not running(new), "the new arbiter's end")


def test_a_name_that_somebody_else_keeps_is_said(service: Gunicorn) -> None:
    """A hostile or broken process holds the name, and answers nothing, or nonsense."""
    name = _name_of(service)
    for answer in (b"", b"[1]", json.dumps({"run": 7, "since_ns": "x"}).encode(), b"\xff" * 100_000):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter, Agent(hello=SECOND) as second:
            squatter.bind(name)
            squatter.listen()
            second.say(op="find", choice={"pid": service.pid})
            asked, _ = squatter.accept()
            asked.settimeout(1)
            with contextlib.suppress(OSError):
                asked.sendall(answer)
            refused = second.wait("found", "error")
            asked.close()
            assert refused["code"] == "busy"
            assert f"Process {os.getpid()} of user " in refused["message"]


def _name_of(service: Gunicorn) -> str:
    with Agent(hello=FIRST) as first:
        assert first.find(pid=service.pid)["type"] == "found"
        names = [
            line.split()[-1]
            for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
            if "@gunicorn-toolkit/at/" in line and f"-{service.pid}-" in line
        ]
    (name,) = names
    return "\0" + name[1:]
