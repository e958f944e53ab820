"""Notices for the citizens in the hall, printed through the queue. The calls of this page are the ones that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, jsonify

from counter_service.accounts import database, logged_in
from counter_service.printing import PrintingQueue

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

notices = Blueprint("notices", __name__)


@notices.get("/api/notices")
@logged_in
def print_notices() -> ResponseReturnValue:
    """200 `{"job"}`, or for 2 % of the calls 500 and a traceback in the error log."""
    return jsonify(job=PrintingQueue(database()).publish("Please have your papers ready."))
