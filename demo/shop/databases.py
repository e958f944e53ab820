"""Three SQLite files, one a service: stock, payment, orders. A connection sees all of them."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICES = ("stock", "payment", "orders")
BUSY_TIMEOUT_S = 30.0
_SCHEMA = {
    "stock": "CREATE TABLE IF NOT EXISTS stock.items (id INTEGER PRIMARY KEY, price INTEGER NOT NULL, stock INTEGER NOT NULL)",
    "payment": "CREATE TABLE IF NOT EXISTS payment.users (id INTEGER PRIMARY KEY, credit INTEGER NOT NULL)",
    "orders": "CREATE TABLE IF NOT EXISTS orders.orders "
    "(id TEXT PRIMARY KEY, user INTEGER NOT NULL, item INTEGER NOT NULL, price INTEGER NOT NULL)",
}


class Databases:
    """The files of one shop. Each thread has a connection of its own; every statement is committed by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._of_thread = threading.local()

    def path(self, service: str) -> Path:
        """The file of one service."""
        return self.folder / f"{service}.sqlite"

    def prepare(self) -> None:
        """Make what is missing; of several processes that come at the same time each may try."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection:
            for service in SERVICES:
                connection.execute(f"PRAGMA {service}.journal_mode = WAL")
                connection.execute(_SCHEMA[service])

    def connection(self) -> sqlite3.Connection:
        """This thread's connection. Opened at the first request: workers are forked from a parent that loaded the application."""
        found: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if found is None:
            found = self._of_thread.connection = self._connect()
        return found

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement; its rows as dictionaries."""
        cursor = self.connection().execute(statement, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """A transaction over all three files, in which nobody else writes."""
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, timeout=BUSY_TIMEOUT_S)
        for service in SERVICES:
            connection.execute(f"ATTACH ? AS {service}", (str(self.path(service)),))
            # The data are thrown away with the demo: waiting for the disk would only blur what is measured.
            connection.execute(f"PRAGMA {service}.synchronous = OFF")
        return connection
