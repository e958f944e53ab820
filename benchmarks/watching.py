"""The agent's own CPU time and memory while it watches 8 workers, 200 connections and their (quiet) logs.

Goal at one second: ≤ 1 % of a core, RSS ≤ 40 MB, and no growth of it.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.gunicorns import Gunicorn
from tests.integration.agent.driver import Agent

_SECONDS = 60
_WORKERS, _CONNECTIONS = 8, 200
_SETTLE_S = 5.0
_MEGABYTE = 1e6


def main(pairs: int) -> None:
    """Print the two figures for workers with and without threads of their own."""
    del pairs
    for worker_class, threads in (("gthread", 4), ("gevent", 1)):
        with tempfile.TemporaryDirectory() as scratch:
            options = ["--threads", str(threads), "--keep-alive", "600", "--timeout", "600"]
            options += ["--access-logfile", str(Path(scratch) / "access.log")]
            with Gunicorn(Path(scratch) / "service", worker_class, _WORKERS, options) as gunicorn:
                _measure(gunicorn, f"{_WORKERS} {worker_class} workers, {_CONNECTIONS} connections")


def _measure(gunicorn: Gunicorn, label: str) -> None:
    with contextlib.ExitStack() as open_ones, Agent(hello={"grace_s": 20, "max_s": 600}) as agent:
        for _ in range(_CONNECTIONS):
            open_ones.enter_context(_connected(gunicorn.port))
        assert agent.find(pid=gunicorn.pid)["type"] == "found"
        agent.say(op="watch", interval_s=1.0, logs={"find": True})
        agent.wait("watching")
        process = psutil.Process(agent.process.pid)
        _listen(agent, _SETTLE_S)
        # What is dear is not measured each second: the last line that has it.
        counted = [
            line["service"]
            for line in agent.messages
            if line["type"] == "metrics" and "connections" in line["service"]
        ]
        seen = counted[-1]["connections"]
        cpu, rss, started = sum(process.cpu_times()[:2]), process.memory_info().rss, time.monotonic()
        _listen(agent, _SECONDS)
        elapsed = time.monotonic() - started
        used = 100 * (sum(process.cpu_times()[:2]) - cpu) / elapsed
        after = process.memory_info().rss
        sys.stdout.write(
            f"  {label} ({seen:.0f} seen): {used:.2f} % of a core (goal ≤ 1), RSS {after / _MEGABYTE:.1f} MB (goal ≤ 40), "
            f"{(after - rss) / _MEGABYTE:+.1f} MB in {elapsed:.0f} s\n"
        )
        sys.stdout.flush()
        agent.say(op="stop")
        agent.wait("stopped")
        agent.bye()


def _connected(port: int) -> socket.socket:
    """A connection that has been answered once and is kept alive."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    connection.recv(4096)
    return connection


def _listen(agent: Agent, seconds: float) -> None:
    """Read what comes, with the controller's heartbeat."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        agent.say(op="ping", t0=0)
        agent.wait("metrics", timeout_s=5)
