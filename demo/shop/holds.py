"""What is held for a checkout under an id of its own: once, and let go once, in whichever order the requests come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.answers import RefusedError

if TYPE_CHECKING:
    import sqlite3

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS holds (id TEXT PRIMARY KEY, state TEXT NOT NULL, amount INTEGER NOT NULL);"
)
HELD, LET_GO = "held", "let go"


def held(connection: sqlite3.Connection, hold: str) -> int | None:
    """The amount of a hold that is there already, so that to ask twice is to ask once; None where it is new.

    Raises:
        RefusedError: it was let go, maybe before it came: whoever asked for it has given it up.
    """
    found = connection.execute("SELECT state, amount FROM holds WHERE id = ?", (hold,)).fetchone()
    if found is not None and found[0] == LET_GO:
        raise RefusedError("it was taken back already")
    return None if found is None else int(found[1])


def keep(connection: sqlite3.Connection, hold: str, amount: int) -> None:
    """Remember a new one."""
    connection.execute("INSERT INTO holds VALUES (?, ?, ?)", (hold, HELD, amount))


def let_go(connection: sqlite3.Connection, hold: str) -> bool:
    """Whether it was held until now, so that what it held has to be given back. Remembered also where it never came."""
    found = connection.execute("SELECT state FROM holds WHERE id = ?", (hold,)).fetchone()
    connection.execute(
        "INSERT INTO holds VALUES (?, ?, 0) ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        (hold, LET_GO),
    )
    return found is not None and found[0] == HELD
