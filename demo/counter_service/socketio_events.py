"""The Socket.IO side: the same echo and push as `/ws`, as events with acknowledgements."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from flask import request

if TYPE_CHECKING:
    from flask_socketio import SocketIO

    from counter_service.changes import ChangeFeed, Listener
    from counter_service.open_sockets import OpenSockets


def register(socketio: SocketIO, feed: ChangeFeed, open_sockets: OpenSockets) -> None:
    """Serve `/socket.io/`."""
    listeners: dict[str, Listener] = {}

    @socketio.on("connect")
    def connect() -> None:
        sid = _sid()
        open_sockets.add(sid, functools.partial(socketio.server.disconnect, sid))

    @socketio.on("disconnect")
    def disconnect(_reason: object = None) -> None:
        sid = _sid()
        open_sockets.remove(sid)
        if sid in listeners:
            feed.remove(listeners.pop(sid))

    @socketio.on("join")
    def join(_data: object = None) -> dict[str, Any]:
        sid = _sid()
        if sid not in listeners:
            listeners[sid] = functools.partial(socketio.emit, "changed", to=sid)
            feed.add(listeners[sid])
        return {"ok": True}

    @socketio.on("echo")
    def echo(data: object = None) -> dict[str, Any]:
        return {"ok": True, "data": data}

    @socketio.on("silent")
    def silent(_data: object = None) -> object:
        # Never acknowledged, whatever the client asked for: python-socketio's own answer to an event it does not know.
        return socketio.server.not_handled


def _sid() -> str:
    return str(getattr(request, "sid"))  # noqa: B009 - set by Flask-SocketIO, unknown to Flask's type
