"""A run into which a fault is brought, and what it left."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.faults.table import Row
from tests.gunicorns import until
from tests.integration.commands.calling import HTTP, PLAN, engines_of, loading, phases

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.commands.calling import Done, Toolkit

PROMISE_S = 10.0
"""From any fault until nothing of ours runs on the server."""


class RunUnderWay:
    """`profile-and-load` of the bundled service over SSH, some seconds after its first request."""

    def __init__(
        self, toolkit: Toolkit, load: tuple[str, ...] = ("--scenario", HTTP, *phases(12)), *words: str
    ) -> None:
        self.toolkit = toolkit
        self.started = toolkit.start(
            *("profile-and-load", PLAN, *load),
            *("--chunk", "2s", "--rate", "20", "--reports", str(toolkit.reports), *words),
        )
        self.started.wait_for("] drive load")
        until(lambda: loading(toolkit.reports), "the first requests", 60)
        until(lambda: len(self.chunks) >= 4, "the first chunks", 20)
        self._fault_at = 0.0
        self.clean_after_s: float | None = None

    @property
    def run(self) -> Path:
        return self.toolkit.run

    @property
    def chunks(self) -> list[Path]:
        return sorted((self.run / "servers" / "web" / "stacks").glob("*.raw.gz"))

    @property
    def arbiter(self) -> int:
        return int(self.toolkit.demo.pidfile.read_text())

    @property
    def workers(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.arbiter).children()]

    @property
    def agent(self) -> psutil.Process:
        (found,) = [
            one for one in self.toolkit.agents() if any(word.endswith("agent.pyz") for word in one.cmdline())
        ]
        return found

    @property
    def recorders(self) -> list[psutil.Process]:
        return [one for one in self.toolkit.agents() if "py-spy" in " ".join(_words(one)[:2])]

    @property
    def engine(self) -> psutil.Process:
        return engines_of(self.started.process.pid)[0]

    @property
    def locusts(self) -> dict[str, psutil.Process]:
        """`master` and `worker`, the first of them."""
        found = engines_of(self.started.process.pid)
        return {("worker" if "--worker" in _words(one) else "master"): one for one in reversed(found)}

    def send(self, pid: int, number: int) -> None:
        """The fault: a signal to one process."""
        self._fault_at = time.monotonic()
        os.kill(pid, number)

    def break_by(self, what: Callable[[], None]) -> None:
        """The fault: anything else."""
        self._fault_at = time.monotonic()
        what()

    def await_clean(self, grace_s: float = 0.0) -> float:
        """Until nothing of ours runs there, and every thread of the service goes on."""
        until(lambda: self.toolkit.agents() == [], "nothing of ours to run", grace_s + PROMISE_S + 5)
        self.clean_after_s = time.monotonic() - self._fault_at
        assert self.clean_after_s < grace_s + PROMISE_S
        assert not [pid for pid in self._service() if _is_stopped(pid)]
        return self.clean_after_s

    def finish(self) -> Done:
        """Until the controller has ended."""
        return self.started.finish(90)

    def row(self, fault: str, code: int, message: str, later: int | None = None) -> Row:
        """For the table."""
        kept = f"{len(self.chunks) - (later or 0)} chunks, {self.requests} requests"
        return Row(
            fault,
            self.clean_after_s,
            kept + (f", + {later} later" if later is not None else ""),
            code,
            message,
        )

    @property
    def requests(self) -> int:
        count = 0
        for path in self.run.glob("load/*/requests.jsonl.gz"):
            count += gzip.decompress(path.read_bytes()).count(b"\n") - 1
        for path in self.run.glob("load/*/parts/*.jsonl"):
            count += path.read_bytes().count(b"\n") - 1
        return count

    def _service(self) -> list[int]:
        try:
            return [self.arbiter, *self.workers]
        except (psutil.NoSuchProcess, OSError, ValueError):
            return []


def _words(process: psutil.Process) -> list[str]:
    """Its command line; none of one that is gone."""
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return words


def _is_stopped(pid: int) -> bool:
    """Whether any of its threads is in state t or T."""
    states = []
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            states.append(task.read_text().rpartition(")")[2].split()[0])
    return "t" in states or "T" in states


KILL, TERM, HUP, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT
