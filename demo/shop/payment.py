"""The payment service: users and their credit. A checkout takes its price here, after it has reserved."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify

from shop import holds
from shop.answers import MOST, MissingError, RefusedError, body, identifier, whole
from shop.database import own_database
from shop.switches import own_switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


SCHEMA = f"""
{holds.SCHEMA}
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, credit INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS charged (hold TEXT PRIMARY KEY, user INTEGER NOT NULL, amount INTEGER NOT NULL);
"""
MOST_CHARGED = 100 * MOST * MOST
"""As many lines as an order may have, each of the dearest item and as often as may be."""

payment = Blueprint("payment", __name__, url_prefix="/payment")


@payment.post("/populate")
def populate() -> ResponseReturnValue:
    """`{"users", "credit"}` → 201: all that was there is gone, ids begin at 1."""
    asked = body()
    count, credit = whole(asked, "users", 1000), whole(asked, "credit", 1)
    with own_database().alone() as connection:
        for table in ("users", "holds", "charged"):
            connection.execute(f"DELETE FROM {table}")
        rows = ((number, credit) for number in range(1, count + 1))
        connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    return jsonify(users=count, credit=credit), 201


@payment.post("/users")
def create() -> ResponseReturnValue:
    """`{"credit"}` (0) → 201 `{"id", "credit"}`."""
    statement = "INSERT INTO users (credit) VALUES (?) RETURNING id, credit"
    return jsonify(own_database().rows(statement, whole(body(), "credit", 0))[0]), 201


@payment.get("/users")
def users() -> ResponseReturnValue:
    """Every user with the credit that is left."""
    return jsonify(own_database().rows("SELECT id, credit FROM users ORDER BY id"))


@payment.get("/users/<int:number>")
def user(number: int) -> ResponseReturnValue:
    """One user, or 404."""
    return jsonify(_the("SELECT id, credit FROM users WHERE id = ?", number))


@payment.post("/users/<int:number>/add")
def add(number: int) -> ResponseReturnValue:
    """`{"amount"}` more credit → 200 `{"id", "credit"}`."""
    statement = "UPDATE users SET credit = credit + ? WHERE id = ? RETURNING id, credit"
    return jsonify(_the(statement, whole(body(), "amount"), number))


@payment.post("/charges")
def charge() -> ResponseReturnValue:
    """`{"id", "user", "amount"}` → 201 `{"id", "amount"}`; 409 where the credit does not suffice."""
    asked = body()
    hold, number = identifier(asked), whole(asked, "user")
    amount = whole(asked, "amount", highest=MOST_CHARGED)
    switches = own_switches()
    database = own_database()
    with nullcontext(database.connection()) if switches.racy else database.alone() as connection:
        if holds.held(connection, hold) is None:
            found = connection.execute("SELECT credit FROM users WHERE id = ?", (number,)).fetchone()
            if found is None:
                raise RefusedError(f"there is no user {number}")
            if not switches.unchecked and found[0] < amount:
                raise RefusedError("not enough credit")
            time.sleep(switches.thinking_s)
            connection.execute("UPDATE users SET credit = ? WHERE id = ?", (found[0] - amount, number))
            connection.execute("INSERT INTO charged VALUES (?, ?, ?)", (hold, number, amount))
            holds.keep(connection, hold, amount)
    return jsonify(id=hold, amount=amount), 201


@payment.delete("/charges/<hold>")
def refund(hold: str) -> ResponseReturnValue:
    """204: what it took is back, once; a charge of that id that comes later is refused."""
    with own_database().alone() as connection:
        if holds.let_go(connection, hold):
            connection.execute(
                "UPDATE users SET credit = credit + charged.amount FROM charged "
                "WHERE charged.hold = ? AND users.id = charged.user",
                (hold,),
            )
    return "", 204


def _the(statement: str, *values: int) -> dict[str, Any]:
    found = own_database().rows(statement, *values)
    if not found:
        raise MissingError("there is no such user")
    return found[0]
