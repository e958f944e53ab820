"""The order service: what users put together, and their checkouts, for which it asks stock and payment."""

from __future__ import annotations

import sqlite3
import uuid
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, jsonify

from shop.answers import MissingError, RefusedError, UnansweredError, body, identifier, whole
from shop.checkout import OPEN, PAID
from shop.database import own_database

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from shop.checkout import Checkout
    from shop.leftovers import Leftovers

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS purchases (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id     TEXT NOT NULL UNIQUE,
    user   INTEGER NOT NULL,
    state  TEXT NOT NULL,
    price  INTEGER,           -- once it is paid
    hold   TEXT UNIQUE,       -- the checkout that is on its way, or has paid
    worker INTEGER,           -- whose checkout is on its way
    once   INTEGER NOT NULL   -- gone again where its checkout does not take place
);
CREATE TABLE IF NOT EXISTS lines
    (purchase TEXT NOT NULL, item INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (purchase, item)) WITHOUT ROWID;
-- What is paid. `item`: of an order of one item.
CREATE VIEW IF NOT EXISTS orders AS
SELECT id, user, (SELECT CASE count(*) WHEN 1 THEN min(item) END FROM lines WHERE purchase = purchases.id) AS item, price
FROM purchases WHERE state = '{PAID}' ORDER BY number;
"""

orders = Blueprint("orders", __name__, url_prefix="/orders")


@orders.post("/populate")
def populate() -> ResponseReturnValue:
    """201: no order is there any more."""
    with own_database().alone() as connection:
        connection.execute("DELETE FROM lines")
        connection.execute("DELETE FROM purchases")
    return jsonify({}), 201


@orders.get("")
def paid() -> ResponseReturnValue:
    """Every order that is paid, in the order in which they were begun: `{"id", "user", "item", "price"}`."""
    return jsonify(own_database().rows('SELECT id, "user", item, price FROM orders'))


@orders.post("")
def create() -> ResponseReturnValue:
    """`{"user"}` and, where the client names it, the order's `id` → 201 `{"id", "user", "state", "price", "items": []}`."""
    asked = body()
    return jsonify(_look(_store(asked, []))), 201


@orders.get("/<order>")
def look(order: str) -> ResponseReturnValue:
    """One order, or 404; `state` is open, pending or paid."""
    return jsonify(_look(order))


@orders.post("/<order>/items")
def add(order: str) -> ResponseReturnValue:
    """`{"item"}` and, where it is more than one, `quantity` → 201, the order; 409 where it is not open."""
    asked = body()
    item, quantity = whole(asked, "item"), whole(asked, "quantity", 1, lowest=1)
    with own_database().alone() as connection:
        _see_that_it_is_open(connection, order)
        connection.execute(
            "INSERT INTO lines VALUES (?, ?, ?) "
            "ON CONFLICT (purchase, item) DO UPDATE SET quantity = quantity + excluded.quantity",
            (order, item, quantity),
        )
    return jsonify(_look(order)), 201


@orders.delete("/<order>/items/<int:item>")
def remove(order: str, item: int) -> ResponseReturnValue:
    """All of one item out of it: 200, the order; 404 where it is not in it, 409 where the order is not open."""
    with own_database().alone() as connection:
        _see_that_it_is_open(connection, order)
        if not connection.execute(
            "DELETE FROM lines WHERE purchase = ? AND item = ?", (order, item)
        ).rowcount:
            raise MissingError("there is no such item in this order")
    return jsonify(_look(order))


@orders.post("/<order>/checkout")
def check_out(order: str) -> ResponseReturnValue:
    """201, the order, which is paid; 409 where nothing is left, the credit does not suffice, or it is paid already: then it is
    as it was before; 503 where a service did not answer: what it may hold is given back.
    """
    _look(order)
    _pay(order)
    return jsonify(_look(order)), 201


@orders.post("/checkout")
def check_out_at_once() -> ResponseReturnValue:
    """`{"user", "item"}` and, where the client names it, the order's `id` → 201 `{"id", "user", "item", "price"}`; 409 and 503
    as above, and 409 where the id is taken. Where it does not take place there is no order.
    """
    asked = body()
    item = whole(asked, "item")
    order = _store(asked, [item])
    price = _pay(order)
    return jsonify(id=order, user=asked["user"], item=item, price=price), 201


def _pay(order: str) -> int:
    checkout: Checkout = current_app.extensions["shop.checkout"]
    try:
        return checkout.pay(order)
    except UnansweredError:
        leftovers: Leftovers = current_app.extensions["shop.leftovers"]
        leftovers.wake()
        raise


def _store(asked: dict[str, Any], at_once: list[int]) -> str:
    order, user = identifier(asked, default=uuid.uuid4().hex), whole(asked, "user")
    try:
        with own_database().alone() as connection:
            connection.execute(
                "INSERT INTO purchases (id, user, state, once) VALUES (?, ?, ?, ?)",
                (order, user, OPEN, bool(at_once)),
            )
            connection.executemany("INSERT INTO lines VALUES (?, ?, 1)", [(order, item) for item in at_once])
    except sqlite3.IntegrityError as error:
        raise RefusedError(f"there is an order {order} already") from error
    return order


def _look(order: str) -> dict[str, Any]:
    found = own_database().rows("SELECT id, user, state, price FROM purchases WHERE id = ?", order)
    if not found:
        raise MissingError("there is no such order")
    items = own_database().rows("SELECT item, quantity FROM lines WHERE purchase = ? ORDER BY item", order)
    return {**found[0], "items": items}


def _see_that_it_is_open(connection: sqlite3.Connection, order: str) -> None:
    found = connection.execute("SELECT state FROM purchases WHERE id = ?", (order,)).fetchone()
    if found is None:
        raise MissingError("there is no such order")
    if found[0] != OPEN:
        raise RefusedError("this order is paid, or on its way")
