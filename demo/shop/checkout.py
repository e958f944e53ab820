"""The checkout: take one from the stock, take the price from the credit, keep the order. Sound, or racy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from shop.databases import Databases

THINKING_S = 0.002
"""How long the racy checkout waits between reading and writing: as long as a call to another service would take."""


class RefusedError(Exception):
    """The checkout does not take place; the text goes to the client."""


@dataclass(frozen=True)
class Wanted:
    """One checkout: who buys what, and the order's id."""

    order: str
    user: int
    item: int


def sound(databases: Databases, wanted: Wanted) -> int:
    """Everything in one transaction; the price.

    Raises:
        RefusedError: nothing was changed.
    """
    with databases.alone() as connection:
        price, stock, credit = _read(connection, wanted)
        _store(connection, wanted, price, stock, credit)
        return price


def racy(databases: Databases, wanted: Wanted) -> int:
    """Read, wait a moment, write back what was read less one: of two that read at the same time one is lost.

    Raises:
        RefusedError: nothing was changed.
    """
    connection = databases.connection()
    price, stock, credit = _read(connection, wanted)
    time.sleep(THINKING_S)
    _store(connection, wanted, price, stock, credit)
    return price


def _read(connection: sqlite3.Connection, wanted: Wanted) -> tuple[int, int, int]:
    item = connection.execute("SELECT price, stock FROM stock.items WHERE id = ?", (wanted.item,)).fetchone()
    user = connection.execute("SELECT credit FROM payment.users WHERE id = ?", (wanted.user,)).fetchone()
    if item is None or user is None:
        raise RefusedError("there is no such item or user")
    if item[1] < 1:
        raise RefusedError("out of stock")
    if user[0] < item[0]:
        raise RefusedError("not enough credit")
    return item[0], item[1], user[0]


def _store(connection: sqlite3.Connection, wanted: Wanted, price: int, stock: int, credit: int) -> None:
    # The order first: its id may be taken, and then nothing else has been changed.
    connection.execute(
        "INSERT INTO orders.orders VALUES (?, ?, ?, ?)", (wanted.order, wanted.user, wanted.item, price)
    )
    connection.execute("UPDATE stock.items SET stock = ? WHERE id = ?", (stock - 1, wanted.item))
    connection.execute("UPDATE payment.users SET credit = ? WHERE id = ?", (credit - price, wanted.user))
