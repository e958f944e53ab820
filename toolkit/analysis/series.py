"""The load second by second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows

if TYPE_CHECKING:
    import duckdb

_LONGEST_S = 7 * 24 * 3600
_COLUMNS = (
    "t",
    "requests",
    "status_2xx",
    "status_3xx",
    "status_4xx",
    "status_5xx",
    "accepted",
    "status_0",
    "errors",
    "failed_checks",
    "failed",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "started",
)


def read_series(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """The columns of `Results.series`, of equal length; empty lists where no request was recorded."""
    found = rows(connection, "series", {"longest": _LONGEST_S})
    return {column: [row[column] for row in found] for column in _COLUMNS}
