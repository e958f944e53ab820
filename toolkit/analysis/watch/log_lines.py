"""Gunicorn's own lines, as far as they tell why workers come and go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.database import has_table, rows

if TYPE_CHECKING:
    import duckdb

_MOST_LINES = 500_000


class LogLine(NamedTuple):
    """One line of gunicorn's log; times are the controller's."""

    t_ns: int
    event: str
    """See the table `log_events`."""
    pid: int | None
    """The process that the line is about."""
    exit_signal: str | None
    exit_code: int | None
    source: int
    position: int
    file: str
    message: str
    level: str = ""
    writer: int | None = None
    """The process that wrote it, as it says."""
    perhaps_quoted: bool = False
    """It was read together with text that is not gunicorn's own, and may be a part of that."""


def read_log_lines(connection: duckdb.DuckDBPyConnection) -> dict[str, list[LogLine]]:
    """Per server, in order of time.

    Of a server with an error log of gunicorn's own, the lines of that alone: whoever can write into the application's log can
    write a line there that looks like gunicorn's.
    """
    listed = rows(connection, "gunicorns_own_logs") if has_table(connection, "log_sources") else []
    own = {(row["server"], row["source"]) for row in listed}
    having = {server for server, _ in own}
    found: dict[str, list[LogLine]] = {}
    for row in rows(connection, "worker_log_lines", {"most": _MOST_LINES}):
        server = row.pop("server")
        if server not in having or (server, row["source"]) in own:
            found.setdefault(server, []).append(LogLine(**row))
    return found
