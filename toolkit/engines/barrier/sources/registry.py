"""Which ways there are to read a table: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.engines.barrier.sources import http, python, sql
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from toolkit.engines.barrier.settings import BarrierSettings

    Row = dict[str, Any]
    Table = dict[str, Any]

READERS: dict[str, Callable[[BarrierSettings, Table], Awaitable[object]]] = {
    "http": http.read,
    "sql": sql.read,
    "python": python.read,
}
CHECKS: dict[str, Callable[[Table], None]] = {"sql": sql.check, "python": python.check}
"""Looked at before the run; whether HTTP answers is known by then."""
MOST_ROWS = 1_000_000


def kind_of(table: Table) -> str:
    """Which way the plan names."""
    return next(kind for kind in READERS if table.get(kind))


def check_table(table: Table) -> None:
    """See that a table can be read, as far as can be known before the service is populated.

    Raises:
        ToolkitError: it cannot; says why, and no password.
    """
    check = CHECKS.get(kind_of(table))
    if check is not None:
        check(table)


async def read_table(settings: BarrierSettings, name: str) -> list[Row]:
    """The rows of one table.

    Raises:
        ToolkitError: it cannot be read, or is none of rows.
    """
    table = settings.verify["read"][name]
    rows = await READERS[kind_of(table)](settings, table)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ToolkitError(
            f"The table {name} is no list of objects.", "verify.read.at says where in an answer it is."
        )
    if len(rows) > MOST_ROWS:
        raise ToolkitError(f"The table {name} has {len(rows)} rows; {MOST_ROWS} are read at most.")
    return rows
