"""The table of single requests, row by row: it may be millions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import query
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.recording.layout import RunFolder

_AT_ONCE = 10_000


def single_requests(run: RunFolder) -> Iterator[tuple[Any, ...]]:
    """First the names of the columns (`single_requests.sql`), then a row a request, in order of start.

    Raises:
        ToolkitError: the tables are missing and cannot be built.
    """
    with open_tables(run) as connection:
        cursor = connection.execute(query("single_requests"))
        yield tuple(column[0] for column in cursor.description or [])
        while block := cursor.fetchmany(_AT_ONCE):
            yield from block
