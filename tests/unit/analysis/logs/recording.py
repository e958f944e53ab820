"""A server's logs as an agent records them, and what the tables then say of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.run_folders import START_NS, RunFolderBuilder
from tests.server_logs import ServerLogs
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

MS = 1_000_000
OFFSET_NS = 2_000 * MS


class Recording:
    """A run with one server, whose clock is two seconds behind the controller's."""

    def __init__(self, folder: Path) -> None:
        self.builder = RunFolderBuilder(folder)
        self.builder.server("app", {}, offset_ns=OFFSET_NS)
        self.logs = ServerLogs(self.builder.run, "app")

    def build(self) -> RunFolder:
        return self.builder.build()

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with open_tables(self.build()) as connection:
            return connection.sql(sql).fetchall()

    def times(self, where: str = "true") -> list[tuple[float, float, float]]:
        """(best, low, high) in milliseconds after the run's start, by the server's clock."""
        found = self.ask(
            f"SELECT t_ns, t_low_ns, t_high_ns FROM log_events WHERE {where} ORDER BY source, position"
        )
        return [tuple((ns - OFFSET_NS - START_NS) / MS for ns in row) for row in found]

    def problems(self) -> list[str]:
        return [row[0] for row in self.ask("SELECT problem FROM sources WHERE problem <> '' ORDER BY 1")]


def iso(after_ms: float) -> str:
    at = datetime.fromtimestamp(START_NS / 1e9 + after_ms / 1e3, UTC)
    return at.isoformat(timespec="microseconds")


def access(time: str, took_ms: float = 0, path: str = "/x") -> str:
    return (
        json.dumps({"time": time, "method": "GET", "path": path, "status": 200, "duration_ms": took_ms})
        + "\n"
    )
