"""Who is calling: log in with a password, then show the token."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ParamSpec

from flask import Blueprint, Response, current_app, jsonify, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.security import check_password_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from counter_service.database import Database

TOKEN_LIFE_S = 12 * 3600

P = ParamSpec("P")

accounts = Blueprint("accounts", __name__)


def database() -> Database:
    """The database of the application that answers this request."""
    return current_app.extensions["counter_service.database"]


@functools.cache
def _signer(of: Database) -> URLSafeTimedSerializer:
    # All workers sign with the secret in the file, so that a token of one is good at every other.
    return URLSafeTimedSerializer(of.rows("SELECT value FROM secrets WHERE name = 'tokens'")[0]["value"])


@accounts.post("/api/login")
def login() -> ResponseReturnValue:
    """`{"user", "password"}` → 200 `{"token"}`, or 401."""
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    user, password = body.get("user"), body.get("password")
    found = (
        database().rows("SELECT password_hash FROM users WHERE name = ?", user)
        if isinstance(user, str)
        else []
    )
    if (
        not found
        or not isinstance(password, str)
        or not check_password_hash(found[0]["password_hash"], password)
    ):
        return jsonify(error="no such user, or a wrong password"), 401
    return jsonify(token=_signer(database()).dumps(user))


def logged_in(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Answer 401 unless the request carries `Authorization: Bearer TOKEN`."""

    @functools.wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not _is_valid(token):
            refused: Response = jsonify(
                error="log in first: POST /api/login, then Authorization: Bearer TOKEN"
            )
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused, 401
        return view(*args, **kwargs)

    return checked


def _is_valid(token: str) -> bool:
    try:
        _signer(database()).loads(token, max_age=TOKEN_LIFE_S)
    except BadSignature:
        return False
    return True
