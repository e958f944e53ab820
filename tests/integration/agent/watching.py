"""Talks with an agent that watches, for tests."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

from tests.gunicorns import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.agent.driver import Agent, Message


def watch(agent: Agent, pid: int, interval_s: float | None = 0.2) -> Message:
    """Find by PID and watch; the first `workers` line."""
    assert agent.find(pid=pid)["type"] == "found"
    agent.say(op="watch", interval_s=interval_s, logs=None)
    answer = agent.wait("watching")
    assert (answer["sources"], answer["notes"]) == ([], [])
    return agent.wait("workers", "metrics")


def sample(agent: Agent, wanted: Any, what: str) -> Message:
    """The first metrics line of which `wanted` is true."""
    lines: list[Message] = []

    def fits() -> bool:
        agent.say(
            op="ping", t0=0
        )  # what is dear comes in few samples: longer than the agent waits for a word
        lines.append(agent.wait("metrics", "workers", "log"))
        return lines[-1]["type"] == "metrics" and bool(wanted(lines[-1]))

    until(fits, what)
    return lines[-1]


def deaths(agent: Agent, count: int) -> dict[int, Any]:
    """The next `count` workers that died: PID → `exit`."""
    found: dict[int, Any] = {}
    while len(found) < count:
        for worker in agent.wait("workers")["died"]:
            found[worker["pid"]] = worker.get("exit")
    return found


def exits_are_told() -> bool:
    """Whether the kernel tells how others' children ended without a race (PIDFD_GET_INFO, Linux 6.15)."""
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 15)


@contextlib.contextmanager
def connections(address: int | str, count: int, say: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections to a port or a unix socket."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            one = stack.enter_context(socket.socket(family))
            one.settimeout(10)
            one.connect(address if isinstance(address, str) else ("127.0.0.1", address))
            one.sendall(say)
            found.append(one)
        yield found
