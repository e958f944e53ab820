"""A controller whose connection broke comes back to its agent on other streams, and nothing that was said is lost."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gunicorns import until
from tests.integration.agent.driver import Agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gunicorns import Gunicorn

TOKEN = "0123456789abcdef" * 2
WAIT_S = 5.0


@pytest.fixture
def lasting() -> Iterator[Agent]:
    """An agent that waits for its controller to come back."""
    with Agent(hello={"grace_s": 15, "reattach": {"token": TOKEN, "wait_s": WAIT_S}}) as agent:
        assert agent.greeting["reattach"] is True
        yield agent


def cut(agent: Agent) -> None:
    """Both pipes end, as when sshd's session dies."""
    assert agent.process.stdin
    assert agent.process.stdout
    agent.process.stdin.close()


class Back:
    """The agent's program once more, as the controller starts it over a new connection."""

    def __init__(self, agent: Agent, **request: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-I", str(agent.folder / "agent.pyz")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.say(op="reattach", **{"pid": agent.process.pid, "token": TOKEN, "heard": 0, **request})

    def say(self, **message: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def wait(self, *kinds: str) -> dict[str, Any]:
        assert self.process.stdout
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            line = self.process.stdout.readline()
            assert line, f"it ended while {kinds} was awaited"
            message: dict[str, Any] = json.loads(line)
            if message["type"] in kinds:
                return message
        raise AssertionError(kinds)

    def __enter__(self) -> Back:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def test_recording_goes_on_and_each_line_comes_once_more_from_where_it_was_heard(
    lasting: Agent, service: Gunicorn
) -> None:
    lasting.record(service.pid)
    heard = max(message["n"] for message in lasting.messages if "n" in message)
    cut(lasting)
    time.sleep(1)
    with Back(lasting, heard=heard) as back:
        assert back.wait("reattached", "error")["type"] == "reattached"
        back.say(op="ping", t0=2)
        numbers = []
        while (message := back.wait("file", "chunk", "workers", "log", "pong"))["type"] != "pong":
            numbers.append(message["n"])
        assert numbers == list(range(heard + 1, heard + 1 + len(numbers)))
        assert len(numbers) >= 2, "chunks ended while nobody was there"
        back.say(op="stop", n=1)
        back.say(op="stop", n=1)  # said again, as after a second break: it is the same one
        back.wait("stopped")
        back.say(op="bye", n=2)
        back.wait("bye")
        assert back.process.wait(10) == 0, "who holds the place ends as the agent does"
    assert lasting.end() == 0
    assert not lasting.folder.exists()


def test_who_does_not_come_back_is_not_waited_for_long(lasting: Agent, service: Gunicorn) -> None:
    lasting.record(service.pid)
    began = time.monotonic()
    cut(lasting)
    assert lasting.end() == 1
    assert WAIT_S - 0.5 < time.monotonic() - began < WAIT_S + 4
    assert [path.name for path in lasting.folder.iterdir()] == ["recordings"]


@pytest.mark.parametrize("token", ["", "0123456789abcdef", None, 5])
def test_a_stranger_gets_nothing(lasting: Agent, token: object) -> None:
    with Back(lasting, token=token) as back:
        error = back.wait("error", "reattached")
        assert error["code"] == "not-permitted"
    lasting.say(op="ping", t0=3)
    lasting.wait("pong")
    assert lasting.bye() == 0


@pytest.mark.needs_root
def test_another_user_gets_nothing_even_with_the_token(lasting: Agent) -> None:
    lasting.folder.chmod(0o755)
    (lasting.folder / "agent.pyz").chmod(0o644)
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-u", "-I"]
    asked = {"op": "reattach", "pid": lasting.process.pid, "token": TOKEN, "heard": 0}
    done = subprocess.run(
        [*command, str(lasting.folder / "agent.pyz")],
        input=json.dumps(asked).encode() + b"\n",
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert json.loads(done.stdout)["code"] == "gone", done
    lasting.say(op="ping", t0=3)
    lasting.wait("pong")
    assert lasting.bye() == 0


def test_where_no_agent_is_there_is_nobody_to_go_back_to(lasting: Agent) -> None:
    with Back(lasting, pid=os.getpid()) as back:
        assert back.wait("error")["code"] == "gone"
    assert lasting.bye() == 0


def test_the_place_holder_goes_with_a_killed_agent(lasting: Agent) -> None:
    with Back(lasting) as back:
        back.wait("reattached")
        lasting.process.kill()
        assert back.process.wait(10) == 1
    until(lambda: lasting.process.poll() is not None, "its end")


def test_many_breaks_leave_no_descriptor_open(lasting: Agent) -> None:
    def descriptors() -> int:
        return len(list(Path(f"/proc/{lasting.process.pid}/fd").iterdir()))

    counts = []
    for _ in range(5):
        with Back(lasting) as back:
            back.wait("reattached")
            back.say(op="ping", t0=1)
            back.wait("pong")
            counts.append(descriptors())
    assert max(counts) <= counts[0] + 1, counts  # the last one's are being closed
