"""The stock service: items, their price and how many are left. A checkout reserves here first."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify

from shop import holds
from shop.answers import BadRequestError, MissingError, RefusedError, body, identifier, whole
from shop.database import own_database
from shop.switches import own_switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


SCHEMA = f"""
{holds.SCHEMA}
CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, price INTEGER NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reserved
    (hold TEXT NOT NULL, item INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (hold, item)) WITHOUT ROWID;
"""
_MOST_LINES = 100

stock = Blueprint("stock", __name__, url_prefix="/stock")


@stock.post("/populate")
def populate() -> ResponseReturnValue:
    """`{"items", "stock", "price"}` → 201: all that was there is gone, ids begin at 1."""
    asked = body()
    count, left, price = whole(asked, "items", 100), whole(asked, "stock", 1), whole(asked, "price", 1)
    with own_database().alone() as connection:
        for table in ("items", "holds", "reserved"):
            connection.execute(f"DELETE FROM {table}")
        rows = ((number, price, left) for number in range(1, count + 1))
        connection.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
    return jsonify(items=count, stock=left, price=price), 201


@stock.post("/items")
def create() -> ResponseReturnValue:
    """`{"price"}` and, where there are some, `stock` → 201 `{"id", "price", "stock"}`."""
    asked = body()
    statement = "INSERT INTO items (price, stock) VALUES (?, ?) RETURNING id, price, stock"
    return jsonify(own_database().rows(statement, whole(asked, "price"), whole(asked, "stock", 0))[0]), 201


@stock.get("/items")
def items() -> ResponseReturnValue:
    """Every item with its price and what is left of it."""
    return jsonify(own_database().rows("SELECT id, price, stock FROM items ORDER BY id"))


@stock.get("/items/<int:number>")
def item(number: int) -> ResponseReturnValue:
    """One item, or 404."""
    return jsonify(_the("SELECT id, price, stock FROM items WHERE id = ?", number))


@stock.post("/items/<int:number>/add")
def add(number: int) -> ResponseReturnValue:
    """`{"amount"}` more of it → 200 `{"id", "price", "stock"}`."""
    statement = "UPDATE items SET stock = stock + ? WHERE id = ? RETURNING id, price, stock"
    return jsonify(_the(statement, whole(body(), "amount"), number))


@stock.post("/items/<int:number>/subtract")
def subtract(number: int) -> ResponseReturnValue:
    """`{"amount"}` less of it → 200; 409 where there are not so many."""
    amount = whole(body(), "amount")
    statement = "UPDATE items SET stock = stock - ? WHERE id = ? AND stock >= ? RETURNING id, price, stock"
    found = own_database().rows(statement, amount, number, amount)
    if not found:
        _the("SELECT id FROM items WHERE id = ?", number)
        raise RefusedError("out of stock")
    return jsonify(found[0])


@stock.post("/reservations")
def reserve() -> ResponseReturnValue:
    """`{"id", "items": [{"item", "quantity"}]}` → 201 `{"id", "price"}` of all together; 409 where one of them is not there."""
    asked = body()
    hold, lines = identifier(asked), _lines(asked.get("items"))
    switches = own_switches()
    database = own_database()
    with nullcontext(database.connection()) if switches.racy else database.alone() as connection:
        price = holds.held(connection, hold)
        if price is None:
            before = {number: _read(connection, number) for number in lines}
            if not switches.unchecked and any(before[number][1] < lines[number] for number in lines):
                raise RefusedError("out of stock")
            time.sleep(switches.thinking_s)
            for number, quantity in lines.items():
                connection.execute(
                    "UPDATE items SET stock = ? WHERE id = ?", (before[number][1] - quantity, number)
                )
                connection.execute("INSERT INTO reserved VALUES (?, ?, ?)", (hold, number, quantity))
            price = sum(before[number][0] * quantity for number, quantity in lines.items())
            holds.keep(connection, hold, price)
    return jsonify(id=hold, price=price), 201


@stock.delete("/reservations/<hold>")
def release(hold: str) -> ResponseReturnValue:
    """204: what it held is back, once; a reservation of that id that comes later is refused."""
    with own_database().alone() as connection:
        if holds.let_go(connection, hold):
            for number, quantity in connection.execute(
                "SELECT item, quantity FROM reserved WHERE hold = ?", (hold,)
            ):
                connection.execute("UPDATE items SET stock = stock + ? WHERE id = ?", (quantity, number))
    return "", 204


def _read(connection: Any, number: int) -> tuple[int, int]:  # noqa: ANN401 - of sqlite3
    found = connection.execute("SELECT price, stock FROM items WHERE id = ?", (number,)).fetchone()
    if found is None:
        raise RefusedError(f"there is no item {number}")
    return int(found[0]), int(found[1])


def _lines(given: Any) -> dict[int, int]:  # noqa: ANN401 - any JSON
    if (
        not isinstance(given, list)
        or not 0 < len(given) <= _MOST_LINES
        or not all(isinstance(line, dict) for line in given)
    ):
        raise BadRequestError(f"items must be a list of 1 to {_MOST_LINES} objects")
    lines: dict[int, int] = {}
    for line in given:
        number = whole(line, "item")
        lines[number] = lines.get(number, 0) + whole(line, "quantity", 1, lowest=1)
    return lines


def _the(statement: str, *values: int) -> dict[str, Any]:
    found = own_database().rows(statement, *values)
    if not found:
        raise MissingError("there is no such item")
    return found[0]
