"""A table that a database is asked for, through SQLAlchemy."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from toolkit.engines.barrier.settings import BarrierSettings


async def read(_settings: BarrierSettings, table: dict[str, Any]) -> object:
    """The rows of the statement.

    Raises:
        ToolkitError: the database cannot be reached, or refuses the statement.
    """
    return await asyncio.to_thread(_rows, table)


def check(table: dict[str, Any]) -> None:
    """Connect, and ask nothing.

    Raises:
        UsageError: the address is none, or its driver is not installed.
        UnreachableError: the database cannot be reached.
    """
    with _connection(table["database"]):
        pass


def _rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    # Here, not above: it takes a third of a second, and most runs read no database.
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    with _connection(table["database"]) as connection:
        try:
            result = connection.execute(text(table["sql"]))
            if not result.returns_rows:
                raise ToolkitError(f"{table['sql']!r} returns no rows.", "Write a SELECT.")
            return [dict(row) for row in result.mappings()]
        except SQLAlchemyError as error:
            raise ToolkitError(f"{table['sql']!r} was refused: {_words(error, '')}.") from None
        finally:
            connection.rollback()


@contextmanager
def _connection(address: str) -> Iterator[Connection]:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    try:
        url = make_url(address)
        engine = create_engine(url, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise UsageError(
            "An address in verify.read is none that SQLAlchemy knows.",
            "Write postgresql+psycopg://user:password@host/name or sqlite:////path.",
        ) from None
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The database needs the Python package {error.name}.", f"pip install {error.name}."
        ) from None
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # SQLite would make an empty one.
        raise UnreachableError(f"The database {shown} cannot be reached: there is no such file.")
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        words = _words(error, str(url.password or ""))
        raise UnreachableError(f"The database {shown} cannot be reached: {words}.") from None
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


def _words(error: Exception, password: str) -> str:
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    line = lines[0][:300].rstrip(".")
    return line.replace(password, "***") if password else line
