"""A gunicorn whose workers' lives are told by an agent and a log, for tests of `worker_events`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import RunFolderBuilder
from tests.server_logs import ServerLogs
from tests.server_metrics import ServerWatch, at, life
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARBITER = 700
A, B, C, D = 701, 702, 703, 704
OTHER_ARBITER = 800
KILLED = "Worker (pid:%d) was sent SIGKILL! Perhaps out of memory?"


def stamp_of(second: float) -> str:
    """A time as gunicorn writes it."""
    return datetime.fromtimestamp(int(at(second) / 1e9), UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


@dataclass
class Service:
    """A gunicorn with the workers A and B, watched from second 0 to 60, with its error log."""

    builder: RunFolderBuilder
    watch: ServerWatch
    logs: ServerLogs
    log: int = -1

    def say(self, second: float, *messages: str, pid: int = ARBITER, level: str = "INFO") -> None:
        """Lines of gunicorn's log, read as they are written."""
        if self.log < 0:
            self.log = self.logs.source("/var/log/shop/error.log", role="error")
        text = "".join(f"[{stamp_of(second)}] [{pid}] [{level}] {message}\n" for message in messages)
        self.logs.block(self.log, second + 0.1, text)

    def measure(self, oom: Callable[[int], dict[str, dict[str, Any]]] | None = None) -> None:
        """A metrics line a second, with the kernel's counts of kills for lack of memory as `oom` gives them."""
        for second in range(61):
            counts = oom(second) if oom else {"host": {"oom_kills": 4}, "service": {"cgroup_oom_kills": 0}}
            self.watch.line(second, host=counts.get("host"), service=counts.get("service"))

    def died(
        self, pid: int, second: float, how: dict[str, Any] | None = None, born_s: float | None = None
    ) -> None:
        """The agent saw it die."""
        if born_s is None:
            born_s = -99.0 if pid == B else -100.0
        said = {} if how is None else {"exit": how}
        self.watch.workers(second, died=[life(pid, born_s, **said)])

    def born(self, pid: int, second: float) -> None:
        """The agent saw it be born."""
        self.watch.workers(second + 0.4, born=[life(pid, second)])

    def events(self) -> list[dict[str, Any]]:
        """The table, in its order."""
        with open_tables(self.builder.build()) as connection:
            cursor = connection.execute("SELECT * FROM worker_events ORDER BY t_ns, pid, what = 'died'")
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def causes(self) -> dict[int, tuple[str, str]]:
        """Of each that died: cause and certainty."""
        return {
            event["pid"]: (event["cause"], event["certainty"])
            for event in self.events()
            if event["what"] == "died"
        }

    def death(self, pid: int) -> dict[str, Any]:
        """The death of one."""
        return next(event for event in self.events() if (event["pid"], event["what"]) == (pid, "died"))


@pytest.fixture
def service(tmp_path: Path) -> Service:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {})
    watch = ServerWatch(builder, "app")
    watch.workers(0, born=[life(A), life(B, -99.0)])
    return Service(builder, watch, ServerLogs(builder.run, "app"))


def kills(second: int, scope: str) -> Callable[[int], dict[str, dict[str, Any]]]:
    """The kernel's counts, of which that of `scope` grows in this second."""

    def counts(now: int) -> dict[str, dict[str, Any]]:
        grown = int(now >= second)
        return {
            "host": {"oom_kills": 4 + grown},
            "service": {"cgroup_oom_kills": grown if scope == "service" else 0},
        }

    return counts
