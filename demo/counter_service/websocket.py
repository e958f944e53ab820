"""The plain websocket `/ws`: JSON messages, each answered under its own id."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

from simple_websocket import ConnectionClosed, Server

if TYPE_CHECKING:
    from flask_sock import Sock

    from counter_service.changes import ChangeFeed
    from counter_service.open_sockets import OpenSockets

GOING_AWAY = 1001


class Client:
    """One connection. Both its own thread and the feed's send on it, which the library leaves to us to keep apart."""

    def __init__(self, connection: Server) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Send one JSON message.

        Raises:
            OSError: the client has gone.
        """
        with self._sending:
            try:
                self._connection.send(json.dumps(message))
            except ConnectionClosed as gone:
                raise ConnectionResetError("the websocket is closed") from gone

    def close(self) -> None:
        """Say goodbye and hear no more, so that the threads that serve this client end now."""
        with self._sending:
            try:
                self._connection.close(GOING_AWAY, "the service stops")
                self._connection.sock.shutdown(socket.SHUT_RD)
            except (ConnectionClosed, OSError):
                return


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """What is said in reply to one message of a client."""
    replies = {"echo": "echo", "subscribe": "subscribed"}
    kind = message.get("type")
    if kind not in replies:
        return {"type": "error", "id": message.get("id"), "message": 'type must be "echo" or "subscribe"'}
    reply = {"type": replies[kind], "id": message.get("id")}
    return {**reply, "data": message.get("data")} if kind == "echo" else reply


def understood(text: str | bytes) -> dict[str, Any]:
    """The JSON object in a message, an empty one where there is none."""
    try:
        message = json.loads(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def register(sock: Sock, feed: ChangeFeed, open_sockets: OpenSockets) -> None:
    """Serve `/ws`."""

    @sock.route("/ws")
    def serve(connection: Server) -> None:
        client = Client(connection)
        open_sockets.add(client, client.close)
        try:
            while True:
                message = understood(connection.receive())
                if message.get("type") == "subscribe":
                    feed.add(client.send)
                client.send(answer(message))
        except OSError:
            return
        finally:
            feed.remove(client.send)
            open_sockets.remove(client)
