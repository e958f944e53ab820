"""A change reaches everybody who listens, on both kinds of websocket, from whichever worker made it."""

from __future__ import annotations

import contextlib
import json
import queue
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import socketio  # type: ignore[import-untyped]
import websocket

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from toolkit.demo.service import DemoState

APPOINTMENT = {"citizen": "Ada", "service": "Passport", "day": "2031-05-07", "slot": "09:00"}
LISTENERS = 16


def _websocket(demo: DemoState) -> websocket.WebSocket:
    return websocket.create_connection(demo.url.replace("http", "ws") + "/ws", timeout=10)


def _ask(connection: websocket.WebSocket, message: object) -> Any:
    connection.send(message if isinstance(message, str) else json.dumps(message))
    return json.loads(connection.recv())


def _workers_with_connections(demo: DemoState) -> int:
    """How many workers hold an established connection."""
    workers = psutil.Process(demo.gunicorn_pid).children()
    return sum(
        any(held.status == psutil.CONN_ESTABLISHED for held in worker.net_connections("tcp"))
        for worker in workers
    )


@pytest.fixture
def plain(demo: DemoState) -> Iterator[list[websocket.WebSocket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(contextlib.closing(_websocket(demo))) for _ in range(LISTENERS)]


@pytest.fixture
def events(demo: DemoState) -> Iterator[list[tuple[socketio.Client, queue.Queue[Any]]]]:
    clients: list[tuple[socketio.Client, queue.Queue[Any]]] = []
    for _ in range(LISTENERS):
        client, heard = socketio.Client(reconnection=False), queue.Queue[Any]()
        client.on("changed", heard.put)
        client.connect(demo.url, transports=["websocket"])
        clients.append((client, heard))
    yield clients
    for client, _ in clients:
        client.disconnect()


def test_echo_carries_the_id_and_the_data(demo: DemoState) -> None:
    with contextlib.closing(_websocket(demo)) as connection:
        assert _ask(connection, {"type": "echo", "id": 7, "data": {"ä": [1, None]}}) == {
            "type": "echo",
            "id": 7,
            "data": {"ä": [1, None]},
        }


@pytest.mark.parametrize("message", ["not JSON", "[]", '{"type": "dance", "id": 3}', "{}"])
def test_a_message_that_makes_no_sense_is_answered_and_the_socket_stays(
    demo: DemoState, message: str
) -> None:
    with contextlib.closing(_websocket(demo)) as connection:
        assert _ask(connection, message)["type"] == "error"
        assert _ask(connection, {"type": "echo", "id": 1})["type"] == "echo"


def test_a_change_is_pushed_to_all_websockets_of_all_workers(
    demo: DemoState, clerk: httpx.Client, plain: list[websocket.WebSocket]
) -> None:
    for number, connection in enumerate(plain):
        assert _ask(connection, {"type": "subscribe", "id": number}) == {"type": "subscribed", "id": number}
    assert _workers_with_connections(demo) > 2, "this would prove nothing: all listeners are at one worker"
    number = clerk.post("/api/appointments", json=APPOINTMENT).json()["id"]
    clerk.delete(f"/api/appointments/{number}")
    for connection in plain:
        assert [json.loads(connection.recv()) for _ in range(2)] == [
            {"type": "changed", "appointment": number, "change": "created"},
            {"type": "changed", "appointment": number, "change": "deleted"},
        ]


def test_a_change_is_pushed_to_all_socket_io_clients_of_all_workers(
    demo: DemoState, clerk: httpx.Client, events: list[tuple[socketio.Client, queue.Queue[Any]]]
) -> None:
    for client, _ in events:
        assert client.call("join", timeout=10) == {"ok": True}
    assert _workers_with_connections(demo) > 2, "this would prove nothing: all listeners are at one worker"
    number = clerk.post("/api/appointments", json=APPOINTMENT).json()["id"]
    clerk.delete(f"/api/appointments/{number}")
    for _, heard in events:
        pushed = [heard.get(timeout=10) for _ in range(2)]
        assert [(event["appointment"], event["change"]) for event in pushed] == [
            (number, "created"),
            (number, "deleted"),
        ]


def test_who_did_not_ask_is_not_told(demo: DemoState, clerk: httpx.Client) -> None:
    with contextlib.closing(_websocket(demo)) as silent, contextlib.closing(_websocket(demo)) as listening:
        _ask(listening, {"type": "subscribe", "id": 1})
        clerk.post("/api/appointments", json=APPOINTMENT)
        assert json.loads(listening.recv())["type"] == "changed"
        assert _ask(silent, {"type": "echo", "id": 2})["type"] == "echo"


def test_socket_io_echo_is_acknowledged_and_silent_never_is(demo: DemoState) -> None:
    client = socketio.Client(reconnection=False)
    client.connect(demo.url, transports=["websocket"])
    try:
        assert client.call("echo", {"a": 1}, timeout=10) == {"ok": True, "data": {"a": 1}}
        with pytest.raises(socketio.exceptions.TimeoutError):
            client.call("silent", {"a": 1}, timeout=0.5)
        assert client.call("echo", timeout=10)["ok"], "the connection is as good as before"
    finally:
        client.disconnect()
