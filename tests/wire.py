"""A wire between two ports of this machine that can fall silent, be slow, or be cut."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.gunicorns import free_port

if TYPE_CHECKING:
    from types import TracebackType

_CHUNK = 65536
_TICK_S = 0.01


@dataclass
class _Way:
    """One direction of one connection."""

    source: socket.socket
    target: socket.socket
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    """(when it arrives, bytes); empty bytes are the end."""


class Wire:
    """Forwards TCP from a port of its own to `target_port`, both on 127.0.0.1.

    `silent`: nothing is forwarded, and nobody is told; new connections are accepted by the kernel, and silent too.
    `latency_s`: each way; may be set at any time.
    """

    def __init__(self, target_port: int, latency_s: float = 0.0) -> None:
        self.port = free_port()
        self.latency_s = latency_s
        self.silent = False
        self._target_port = target_port
        self._ways: list[_Way] = []
        self._ended = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def cut(self) -> None:
        """Reset every connection; the port stays open."""
        for way in list(self._ways):
            with contextlib.suppress(OSError):
                way.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            with contextlib.suppress(OSError):
                way.source.shutdown(socket.SHUT_RDWR)

    def _carry(self) -> None:
        while not self._ended.is_set():
            ready = self._selector.select(_TICK_S)
            if self.silent:
                self._ended.wait(_TICK_S)
                continue
            for key, _ in ready:
                if key.data is None:
                    self._accept()
                else:
                    self._hear(key.data)
            self._deliver()

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target_port), timeout=2)
        except OSError:
            near.close()
            return
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target in ((near, far), (far, near)):
            way = _Way(source, target)
            self._ways.append(way)
            self._selector.register(source, selectors.EVENT_READ, way)

    def _hear(self, way: _Way) -> None:
        try:
            data = way.source.recv(_CHUNK)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(way.source)
        way.waiting.append((time.monotonic() + self.latency_s, data))

    def _deliver(self) -> None:
        now = time.monotonic()
        for way in list(self._ways):
            while way.waiting and way.waiting[0][0] <= now:
                _, data = way.waiting.popleft()
                with contextlib.suppress(OSError):
                    if data:
                        way.target.settimeout(5)
                        way.target.sendall(data)
                    else:
                        way.target.shutdown(socket.SHUT_WR)
                        self._ways.remove(way)
                        self._close_if_done(way)

    def _close_if_done(self, ended: _Way) -> None:
        if not any(way.source is ended.target for way in self._ways):
            ended.source.close()
            ended.target.close()

    def close(self) -> None:
        """End it and every connection."""
        self._ended.set()
        self._thread.join(10)
        for way in self._ways:
            way.source.close()
            way.target.close()
        self._listener.close()
        self._selector.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
