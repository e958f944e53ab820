"""What a check is measured with, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import query, rows

if TYPE_CHECKING:
    import duckdb

    from toolkit.recording.manifest import Manifest


@dataclass(frozen=True)
class Measured:
    """One value, or why there is none."""

    value: float | None = None
    samples: int = 0
    from_ns: int | None = None
    to_ns: int | None = None
    """Of the window that decided; None where no window was asked for."""
    where: str = ""
    """Which of several decided: a server, a worker."""
    problem: str = ""
    """Why it could not be measured, a sentence without its full stop; empty where it was."""


@dataclass(frozen=True)
class Given:
    """What is at hand while checks are measured; each part is read once, and only if it is needed."""

    connection: duckdb.DuckDBPyConnection
    manifest: Manifest
    summary: dict[str, Any]
    """summary.json, as far as it is known before the checks."""

    @cached_property
    def kinds(self) -> list[dict[str, Any]]:
        """`check_kinds.sql`, and the macro that the other queries of requests use."""
        self.connection.execute(query("check_observed"))
        return rows(self.connection, "check_kinds")

    @cached_property
    def phases(self) -> list[dict[str, Any]]:
        """`phase_list.sql`."""
        return rows(self.connection, "phase_list")
