"""One SQLite file for all workers: prepared once, then one connection for each thread that asks."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from werkzeug.security import generate_password_hash

USERS = 200
COUNTERS = 40
_KINDS = (
    ("Passport", 15), ("Identity card", 15), ("Driving licence", 20), ("Change of address", 10),
    ("Birth certificate", 15), ("Marriage", 45), ("Residence permit", 30), ("Dog licence", 10),
    ("Parking permit", 10), ("Business registration", 30), ("Building permit", 45), ("Voting card", 5),
    ("Child benefit", 25), ("Housing benefit", 30), ("Pension", 30), ("Vehicle registration", 20),
    ("Legalisation", 10), ("Citizenship", 60), ("Lost property", 5), ("Complaint", 20),
)  # fmt: skip
SERVICES = (*_KINDS, *((f"{name}, renewal", minutes // 2) for name, minutes in _KINDS))
SLOTS = tuple(f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(8 * 60, 16 * 60, 5))
SEEDED_DAYS = 14
SEEDED_PER_DAY = 24
BUSY_TIMEOUT_MS = 5000


class Database:
    """Hands out this thread's connection to the file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._of_thread = threading.local()

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Run one statement, committed by itself; its rows as dictionaries."""
        cursor = self._connection().execute(statement, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def change(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Run one statement that writes; the cursor knows `lastrowid` and `rowcount`."""
        return self._connection().execute(statement, values)

    def close(self) -> None:
        """Close this thread's connection; the next statement opens another one."""
        connection = self._of_thread.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        # Workers are forked from a parent that has loaded the application: nothing is opened before the first request.
        connection = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = connect(self.path)
        return connection


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode. Writers of several processes wait for each other."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    # The data are thrown away when the demo stops: waiting for the disk would only blur what is measured.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def prepare(path: Path) -> None:
    """Create and seed the file, once: of several processes that come at the same time one does it."""
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            _create(connection)
            _seed(connection)
            connection.execute("PRAGMA user_version = 1")
        connection.execute("COMMIT")


def _create(connection: sqlite3.Connection) -> None:
    # Not executescript(), which would commit what is under way.
    statement = ""
    for line in Path(__file__).with_name("schema.sql").read_text().splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _seed(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO secrets VALUES ('tokens', ?)", (secrets.token_hex(32),))
    # Few rounds: these passwords protect nothing, and login is not what the demo is meant to show as hot.
    hashed = generate_password_hash("demo", method="pbkdf2:sha256:1000")
    users = [(f"csr{number}", hashed) for number in range(1, USERS + 1)]
    connection.executemany("INSERT INTO users VALUES (?, ?)", users)
    connection.executemany("INSERT INTO services (name, minutes) VALUES (?, ?)", SERVICES)
    counters = [(f"Counter {number}", number % 5) for number in range(1, COUNTERS + 1)]
    connection.executemany("INSERT INTO counters (name, skill) VALUES (?, ?)", counters)
    connection.executemany(
        "INSERT INTO appointments (citizen, service, day, slot) VALUES (?, ?, ?, ?)", _seeded_appointments()
    )
    connection.execute("DELETE FROM changes")


def _seeded_appointments() -> list[tuple[str, str, str, str]]:
    today = datetime.now(UTC).date()
    return [
        (
            f"Citizen {day * SEEDED_PER_DAY + number}",
            SERVICES[(day + number) % len(SERVICES)][0],
            (today + timedelta(days=day)).isoformat(),
            SLOTS[(number * 13 + day) % len(SLOTS)],
        )
        for day in range(SEEDED_DAYS)
        for number in range(SEEDED_PER_DAY)
    ]
