"""Puts the service together."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from flask import Flask, request
from flask_sock import Sock
from flask_socketio import SocketIO

from counter_service import socketio_events, websocket
from counter_service.accounts import accounts
from counter_service.appointments import appointments
from counter_service.bodies import bodies
from counter_service.changes import ChangeFeed
from counter_service.database import Database, prepare
from counter_service.games import games
from counter_service.messages import messages
from counter_service.notices import notices
from counter_service.open_sockets import OpenSockets
from counter_service.request_ids import ENVIRON_KEY, with_request_ids


class CounterService(Flask):
    """Flask, with the request's id in the first line of each traceback."""

    def log_exception(self, exc_info: object) -> None:
        """Write the exception that turns into a 500."""
        where = f"{request.method} {request.path}"
        self.logger.error(
            "Exception on %s, request %s", where, request.environ.get(ENVIRON_KEY), exc_info=exc_info
        )


def create_app(database_path: str) -> CounterService:
    """The service on the database at `database_path`, which is made where it is missing."""
    database = Database(Path(database_path))
    prepare(database.path)
    app = CounterService("counter_service", static_folder=None)
    _log_to_gunicorn()
    open_sockets = OpenSockets()
    app.extensions["counter_service.database"] = database
    app.extensions["counter_service.open_sockets"] = open_sockets

    for blueprint in (accounts, appointments, notices, messages, games, bodies):
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", view_func=healthz)

    feed = ChangeFeed(database)
    websocket.register(Sock(app), feed, open_sockets)
    # Events run on the connection's own thread, in their order: one thread less for each. Long polling would need
    # each client to come back to the same worker, which nothing here sees to.
    socketio = SocketIO(
        app, async_mode="threading", async_handlers=False, transports=["websocket"], manage_session=False
    )
    socketio_events.register(socketio, feed, open_sockets)
    app.wsgi_app = with_request_ids(app.wsgi_app)  # type: ignore[method-assign]
    return app


def healthz() -> tuple[str, dict[str, str]]:
    """Whether the service answers; costs next to nothing."""
    return "ok", {"Content-Type": "text/plain"}


def start_idle_threads(count: int) -> None:
    """Threads that only wait, for measuring what they cost a profiler."""
    never = threading.Event()
    for number in range(count):
        threading.Thread(target=never.wait, name=f"idle-{number}", daemon=True).start()


def _log_to_gunicorn() -> None:
    ours, gunicorns = logging.getLogger("counter_service"), logging.getLogger("gunicorn.error")
    if gunicorns.handlers:
        ours.handlers, ours.level, ours.propagate = gunicorns.handlers, logging.INFO, False
