"""The SQLite file of one service: one connection for each thread that asks, writers one after another."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT_S = 30.0


class Database:
    """Hands out this thread's connection. Every statement outside `alone` is committed by itself."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._of_thread = threading.local()
        # SQLite lets those who wait for its lock poll for it, whoever comes first: of each process only one has to.
        self._turn = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of several processes that come at the same time each may try.
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(schema)

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement; its rows as dictionaries."""
        cursor = self.connection().execute(statement, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def connection(self) -> sqlite3.Connection:
        """This thread's. Opened at the first request: workers are forked from a parent that loaded the application."""
        found: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if found is None:
            found = self._of_thread.connection = self._connect()
        return found

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which nobody else writes; whatever is raised in it undoes it."""
        connection = self.connection()
        with self._turn:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
        # The data are thrown away with the demo: waiting for the disk would only blur what is measured.
        connection.execute("PRAGMA synchronous = OFF")
        return connection


def own_database() -> Database:
    """That of the service that answers this request."""
    found: Database = current_app.extensions["shop.database"]
    return found
