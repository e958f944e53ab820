"""Messages to clerks: kept as they come, as often as they come, so that a sender can be held to its word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, request

from counter_service.accounts import database
from counter_service.request_ids import ENVIRON_KEY

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LONGEST = 2000
MOST_LISTED = 10_000

messages = Blueprint("messages", __name__)


@messages.post("/api/messages")
def take_message() -> ResponseReturnValue:
    """`{"id", "to", "text"}` → 201 `{"number", "id"}`; a second one of the same id is kept, too."""
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    values = [_text(body.get(field)) for field in ("id", "to", "text")]
    if None in values:
        return jsonify(error=f"id, to and text must be texts of 1 to {LONGEST} characters, or numbers"), 400
    statement = "INSERT INTO messages (id, recipient, text, request_id) VALUES (?, ?, ?, ?)"
    number = database().change(statement, *values, request.environ.get(ENVIRON_KEY, "")).lastrowid
    return jsonify(number=number, id=values[0]), 201


@messages.get("/api/messages")
def list_messages() -> ResponseReturnValue:
    """Those after number `?after=`, at most 10,000, in the order in which they came."""
    after = request.args.get("after", "0")
    if not after.isdecimal():
        return jsonify(error="after must be a whole number"), 400
    statement = 'SELECT number, id, recipient AS "to", request_id FROM messages WHERE number > ? ORDER BY number LIMIT ?'
    return jsonify(database().rows(statement, int(after), MOST_LISTED))


@messages.get("/api/messages/count")
def count_messages() -> ResponseReturnValue:
    """How many came, and how many different ids they bear."""
    return jsonify(database().rows("SELECT count(*) AS messages, count(DISTINCT id) AS ids FROM messages")[0])


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST else None
