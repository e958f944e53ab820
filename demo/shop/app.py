"""Puts the shop together: its three services behind one gunicorn."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counter_service.request_ids import with_request_ids
from flask import Blueprint, Flask, current_app, jsonify, request

from shop.checkout import RefusedError, Wanted, racy, sound
from shop.databases import Databases

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

MOST = 1_000_000
LONGEST_ID = 100

shop = Blueprint("shop", __name__)


class BadRequestError(ValueError):
    """The request cannot be understood; the text goes to the client."""


def create_app(folder: str, *, racy_checkout: bool = False) -> Flask:
    """The shop with its databases in `folder`, which are made where they are missing."""
    databases = Databases(Path(folder))
    databases.prepare()
    app = Flask("shop", static_folder=None)
    app.extensions["shop.databases"] = databases
    app.extensions["shop.checkout"] = racy if racy_checkout else sound
    app.register_blueprint(shop)
    app.wsgi_app = with_request_ids(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _databases() -> Databases:
    found: Databases = current_app.extensions["shop.databases"]
    return found


@shop.errorhandler(BadRequestError)
def explain(problem: BadRequestError) -> ResponseReturnValue:
    """400 with what is wrong."""
    return jsonify(error=str(problem)), 400


@shop.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether the shop answers."""
    return "ok", {"Content-Type": "text/plain"}


@shop.post("/populate")
def populate() -> ResponseReturnValue:
    """`{"items", "stock", "price", "users", "credit"}` → 201: all that was there is gone, ids begin at 1."""
    body = _body()
    asked = {
        "items": _whole(body, "items", 100),
        "stock": _whole(body, "stock", 1),
        "price": _whole(body, "price", 1),
        "users": _whole(body, "users", 1000),
        "credit": _whole(body, "credit", 1),
    }
    with _databases().alone() as connection:
        for table in ("orders.orders", "stock.items", "payment.users"):
            connection.execute(f"DELETE FROM {table}")
        items = ((number, asked["price"], asked["stock"]) for number in range(1, asked["items"] + 1))
        connection.executemany("INSERT INTO stock.items VALUES (?, ?, ?)", items)
        users = ((number, asked["credit"]) for number in range(1, asked["users"] + 1))
        connection.executemany("INSERT INTO payment.users VALUES (?, ?)", users)
    return jsonify(asked), 201


@shop.get("/stock/items")
def items() -> ResponseReturnValue:
    """Every item with its price and what is left of it."""
    return jsonify(_databases().rows("SELECT id, price, stock FROM stock.items ORDER BY id"))


@shop.get("/stock/items/<int:number>")
def item(number: int) -> ResponseReturnValue:
    """One item, or 404."""
    return _one("SELECT id, price, stock FROM stock.items WHERE id = ?", number)


@shop.get("/payment/users")
def users() -> ResponseReturnValue:
    """Every user with the credit that is left."""
    return jsonify(_databases().rows("SELECT id, credit FROM payment.users ORDER BY id"))


@shop.get("/payment/users/<int:number>")
def user(number: int) -> ResponseReturnValue:
    """One user, or 404."""
    return _one("SELECT id, credit FROM payment.users WHERE id = ?", number)


@shop.get("/orders")
def orders() -> ResponseReturnValue:
    """Every order, in the order in which they were stored."""
    return jsonify(_databases().rows('SELECT id, "user", item, price FROM orders.orders ORDER BY rowid'))


@shop.post("/orders/checkout")
def checkout() -> ResponseReturnValue:
    """`{"user", "item"}` and, where the client names it, the order's `id` → 201 `{"id", "user", "item", "price"}`; 409 where
    nothing is left, the credit does not suffice, or the id is taken.
    """
    body = _body()
    order = body.get("id") or uuid.uuid4().hex
    if not isinstance(order, str) or len(order) > LONGEST_ID:
        raise BadRequestError(f"id must be a text of at most {LONGEST_ID} characters")
    wanted = Wanted(order, _whole(body, "user", None), _whole(body, "item", None))
    try:
        price = current_app.extensions["shop.checkout"](_databases(), wanted)
    except RefusedError as refusal:
        return jsonify(error=str(refusal)), 409
    except sqlite3.IntegrityError:
        return jsonify(error=f"there is an order {order} already"), 409
    return jsonify(id=order, user=wanted.user, item=wanted.item, price=price), 201


def _one(statement: str, number: int) -> ResponseReturnValue:
    found = _databases().rows(statement, number)
    return jsonify(found[0]) if found else (jsonify(error=f"there is no {number}"), 404)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object")
    return body


def _whole(body: dict[str, Any], field: str, default: int | None) -> int:
    value = body.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise BadRequestError(f"{field} must be a whole number from 0 to {MOST}")
    return value
