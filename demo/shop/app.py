"""Puts one service of the shop together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from counter_service.request_ids import with_request_ids
from flask import Flask

from shop import orders, payment, stock
from shop.answers import explain_errors
from shop.checkout import Checkout
from shop.database import Database
from shop.gateway import open_gateway
from shop.leftovers import Leftovers
from shop.services import Service, over_http, pool
from shop.switches import Switches

if TYPE_CHECKING:
    from shop.services import Send

_DATABASES = {
    "stock": ("stock.sqlite", stock.SCHEMA, stock.stock),
    "payment": ("payment.sqlite", payment.SCHEMA, payment.payment),
    "order": ("orders.sqlite", orders.SCHEMA, orders.orders),
}
"""Service → its file, what is in it, its API."""


def create_app(
    service: str,
    folder: str,
    addresses: dict[str, str],
    racy: bool = False,
    unchecked: bool = False,
    senders: dict[str, Send] | None = None,
) -> Flask:
    """One service.

    Args:
        service: gateway, stock, payment or order.
        folder: of its database, which is made where it is missing.
        addresses: of the other services, by name.
        racy: stock and payment lose updates.
        unchecked: they let go below zero.
        senders: how the order service reaches stock and payment, where not over HTTP.
    """
    app = Flask("shop", static_folder=None)
    app.extensions["shop.switches"] = Switches(racy, unchecked)
    explain_errors(app)
    app.add_url_rule("/healthz", view_func=healthz)
    if service == "gateway":
        open_gateway(app, addresses)
    else:
        file, schema, api = _DATABASES[service]
        app.extensions["shop.database"] = Database(Path(folder) / file, schema)
        app.register_blueprint(api)
    if service == "order":
        _open_checkout(app, senders or _over_http(addresses))
    app.wsgi_app = with_request_ids(app.wsgi_app)  # type: ignore[method-assign]
    return app


def healthz() -> tuple[str, dict[str, str]]:
    """Whether this service answers; it asks no other."""
    return "ok", {"Content-Type": "text/plain"}


def _over_http(addresses: dict[str, str]) -> dict[str, Send]:
    connections = pool()
    return {name: over_http(addresses[name], connections) for name in ("stock", "payment")}


def _open_checkout(app: Flask, senders: dict[str, Send]) -> None:
    database: Database = app.extensions["shop.database"]
    checkout = Checkout(database, Service("stock", senders["stock"]), Service("payment", senders["payment"]))
    app.extensions["shop.checkout"] = checkout
    app.extensions["shop.leftovers"] = Leftovers(database, checkout)
