"""What is counted of a service's sockets, and how little is asked where there are very many."""

from __future__ import annotations

import socket
import time
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

service_metrics = import_module("service_metrics")
sockdiag = import_module("sockdiag")
sockets = import_module("sockets")

HERE = b"\x7f\0\0\x01".ljust(16, b"\0")
ELSEWHERE = b"\x0a\0\0\x01".ljust(16, b"\0")
NOW = time.monotonic() + 1000
TREE = SimpleNamespace(arbiter=SimpleNamespace(pid=1), pids=[1, 2])


class Source:
    """Sockets by state; remembers what was asked for."""

    def __init__(self) -> None:
        self.found: dict[int, list[tuple[bytes, int, int]]] = {}  # state → (host, port, inode)
        self.asked: list[tuple[int, int, tuple[int, ...]]] = []
        self.unix: tuple[int, int] | None = None
        self.fails = False

    def tcp(self, family: int, port: int, states: tuple[int, ...]) -> Iterator[Any]:
        self.asked.append((family, port, states))
        if self.fails:
            raise OSError("no netlink here")
        for state in states:
            for host, own_port, inode in self.found.get(state, []):
                if family == socket.AF_INET and port in (0, own_port):
                    yield sockdiag.Entry(state, host, own_port, 4, 128, inode)

    def tcp_states(
        self, family: int, port: int, states: tuple[int, ...], hosts: set[bytes] | None
    ) -> dict[int, int]:
        found = [one.state for one in self.tcp(family, port, states) if hosts is None or one.host in hosts]
        return {state: found.count(state) for state in states}

    def unix_queue(self, inode: int, name: bytes) -> tuple[int, int] | None:
        return self.unix

    def unix_accepted(self, name: bytes) -> int:
        return 5

    def close(self) -> None:
        pass


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Source]:
    """A service that listens on 127.0.0.1:80, and its sockets."""
    source = Source()
    listener = sockets.Listener(socket.AF_INET, HERE[:4], 80, b"", 7)
    monkeypatch.setattr(service_metrics, "_source", lambda pid: source)
    monkeypatch.setattr(service_metrics, "listeners_of", lambda tree: [listener])
    monkeypatch.setattr(
        service_metrics, "ControlGroup", lambda pid: SimpleNamespace(read=dict, close=lambda: None)
    )
    monkeypatch.setattr(sockets, "held", lambda pid: {100, 200})
    return service_metrics.Service(TREE), source


def test_each_state_has_its_name(scene: tuple[Any, Source]) -> None:
    service, source = scene
    for state in range(1, 12):
        source.found[state] = [(HERE, 80, 0)] * state
    source.found[sockdiag.LISTEN] = [(HERE, 80, 7), (HERE, 80, 8)]
    assert service.read(TREE, NOW) == {
        "accept_queue": 4,  # another gunicorn's socket on the same port is not ours
        "accept_queue_limit": 128,
        "connections": 1,
        "connections_syn_recv": 3,
        "connections_fin_wait": 4 + 5 + 11,
        "connections_close_wait": 8 + 9,
        "connections_time_wait": 6,
        "connections_out": 0,
    }


def test_ours_and_others_and_those_that_go_out(scene: tuple[Any, Source]) -> None:
    service, source = scene
    source.found[sockdiag.ESTABLISHED] = [
        (HERE, 80, 100),  # came in
        (ELSEWHERE, 80, 300),  # another program, the same port on another address
        (HERE, 5432, 200),  # went out, and is held by a worker
        (HERE, 5433, 999),  # somebody else's
    ]
    told = service.read(TREE, NOW)
    assert (told["connections"], told["connections_out"]) == (1, 1)


def test_thousands_that_wait_are_asked_for_by_themselves(scene: tuple[Any, Source]) -> None:
    service, source = scene
    source.found[sockdiag.TIME_WAIT] = [(HERE, 80, 0)] * (service_metrics.MANY_WAIT + 1)
    assert service.read(TREE, NOW)["connections_time_wait"] == service_metrics.MANY_WAIT + 1
    source.asked.clear()
    told = service.read(TREE, NOW + 100)
    assert told["connections_time_wait"] == service_metrics.MANY_WAIT + 1
    assert [states for _, port, states in source.asked if sockdiag.TIME_WAIT in states] == [
        (sockdiag.TIME_WAIT,)
    ]
    source.found[sockdiag.TIME_WAIT] = []
    service.read(TREE, NOW + 200)
    source.asked.clear()
    assert service.read(TREE, NOW + 300)["connections_time_wait"] == 0
    assert len([1 for _, port, states in source.asked if port]) == 2, "the queue, and all the rest in one"


def test_what_costs_much_is_not_asked_for_each_time(scene: tuple[Any, Source]) -> None:
    service, source = scene
    service.read(TREE, NOW)
    service._counting.next_at = service._out.next_at = NOW + 50
    told = service.read(TREE, NOW + 1)
    assert "connections" not in told, "left out, not repeated"
    assert "connections_out" not in told
    assert "accept_queue" not in told, "nothing listens: not 0"
    source.found[sockdiag.LISTEN] = [(HERE, 80, 7)]
    assert service.read(TREE, NOW + 2)["accept_queue"] == 4


def test_a_unix_socket_counts_those_that_wait_as_connections(
    scene: tuple[Any, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, source = scene
    unix = sockets.Listener(socket.AF_UNIX, b"", 0, b"/run/web.sock", 9)
    monkeypatch.setattr(service_metrics, "listeners_of", lambda tree: [unix])
    source.unix = (3, 64)
    told = service.read(TREE, NOW)
    assert told == {"accept_queue": 3, "accept_queue_limit": 64, "connections": 8, "connections_out": 0}


def test_without_netlink_the_tables_are_read(
    scene: tuple[Any, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, source = scene

    class Tables(Source):
        def __init__(self, pid: int) -> None:
            super().__init__()
            self.found[sockdiag.LISTEN] = [(HERE, 80, 7)]

    monkeypatch.setattr(service_metrics, "SocketTables", Tables)
    source.fails = True
    service.read(TREE, NOW)
    assert service.read(TREE, NOW + 100)["accept_queue"] == 4
    assert len(source.asked) == 1, "netlink is not tried again"
