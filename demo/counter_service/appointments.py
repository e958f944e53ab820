"""What a clerk loads and changes: counters, services, appointments, and which slots of a day are good."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, request

from counter_service.accounts import database, logged_in
from counter_service.database import SLOTS
from counter_service.scheduling import score_slots

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

appointments = Blueprint("appointments", __name__)

FIELDS = ("citizen", "service", "day", "slot")
LONGEST_FIELD = 200


class BadRequestError(ValueError):
    """The request cannot be understood; the text goes to the client."""


@appointments.errorhandler(BadRequestError)
def explain(problem: BadRequestError) -> ResponseReturnValue:
    """400 with what is wrong."""
    return jsonify(error=str(problem)), 400


@appointments.get("/api/hours")
def hours() -> ResponseReturnValue:
    """When the office is open; anybody may ask."""
    return jsonify(opens="08:00", closes="16:00")


@appointments.get("/api/counters")
@logged_in
def counters() -> ResponseReturnValue:
    """All counters."""
    return jsonify(database().rows("SELECT id, name, skill FROM counters"))


@appointments.get("/api/services")
@logged_in
def services() -> ResponseReturnValue:
    """All services."""
    return jsonify(database().rows("SELECT id, name, minutes FROM services"))


@appointments.get("/api/appointments")
@logged_in
def list_appointments() -> ResponseReturnValue:
    """The appointments of `?day=`, today's without one."""
    statement = "SELECT id, citizen, service, day, slot FROM appointments WHERE day = ? ORDER BY slot, id"
    return jsonify(database().rows(statement, _asked_day()))


@appointments.post("/api/appointments")
@logged_in
def create_appointment() -> ResponseReturnValue:
    """`{"citizen", "service", "day", "slot"}` → 201 with the same and its `id`."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object with citizen, service, day and slot")
    made = {field: _text(body, field) for field in FIELDS}
    made["day"] = _as_day(made["day"])
    statement = "INSERT INTO appointments (citizen, service, day, slot) VALUES (?, ?, ?, ?)"
    number = database().change(statement, *made.values()).lastrowid
    return jsonify(id=number, **made), 201


@appointments.delete("/api/appointments/<int:number>")
@logged_in
def delete_appointment(number: int) -> ResponseReturnValue:
    """204, or 404 where there is none."""
    if not database().change("DELETE FROM appointments WHERE id = ?", number).rowcount:
        return jsonify(error=f"there is no appointment {number}"), 404
    return "", 204


@appointments.get("/api/availability")
@logged_in
def availability() -> ResponseReturnValue:
    """Each slot of `?day=` with its score and the number of free counters."""
    day = _asked_day()
    booked = database().rows(
        "SELECT slot, count(*) AS taken FROM appointments WHERE day = ? GROUP BY slot", day
    )
    rated = score_slots(
        SLOTS,
        database().rows("SELECT id, skill FROM counters"),
        database().rows("SELECT id, minutes FROM services"),
        {row["slot"]: row["taken"] for row in booked},
    )
    return jsonify(day=day, slots=rated)


def _asked_day() -> str:
    return _as_day(request.args.get("day") or datetime.now(UTC).date().isoformat())


def _as_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadRequestError(f"day must look like 2031-12-24, not {text[:40]!r}") from None


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_FIELD:
        raise BadRequestError(f"{field} must be a text of 1 to {LONGEST_FIELD} characters, or a number")
    return value
