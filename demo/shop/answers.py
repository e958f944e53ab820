"""What the services understand, and how they say that they do not: 400, 404, 409 and 503 with `{"error"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import jsonify, request

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

MOST = 1_000_000
LONGEST_ID = 100


class BadRequestError(ValueError):
    """The request cannot be understood; 400."""


class MissingError(LookupError):
    """There is no such thing; 404."""


class RefusedError(Exception):
    """It is understood, and does not take place: nothing was changed; 409."""


class UnansweredError(Exception):
    """Another service did not answer as agreed: whether it did what it was asked for is not known; 503."""


_STATUSES = {BadRequestError: 400, MissingError: 404, RefusedError: 409, UnansweredError: 503}


def explain_errors(app: Flask) -> None:
    """Have each of these errors answered with its text."""

    def explain(problem: Exception) -> ResponseReturnValue:
        return jsonify(error=str(problem)), _STATUSES[type(problem)]

    for kind in _STATUSES:
        app.register_error_handler(kind, explain)


def body() -> dict[str, Any]:
    """The request's JSON object."""
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise BadRequestError("the body must be a JSON object")
    return found


def whole(
    given: dict[str, Any], field: str, default: int | None = None, lowest: int = 0, highest: int = MOST
) -> int:
    """A whole number of the body."""
    value = given.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise BadRequestError(f"{field} must be a whole number from {lowest} to {highest}")
    return value


def identifier(given: dict[str, Any], field: str = "id", default: str | None = None) -> str:
    """An id that the client has chosen."""
    value = given.get(field) or default
    if not isinstance(value, str) or len(value) > LONGEST_ID:
        raise BadRequestError(f"{field} must be a text of at most {LONGEST_ID} characters")
    return value
