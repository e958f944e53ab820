"""Which websockets this worker holds, so that it can close them when it is told to stop.

A websocket keeps its thread for as long as the client likes. A worker that is asked to stop would wait for it and
be killed at the end of its grace.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class OpenSockets:
    """How to close each open websocket of this worker process, by any key that stands for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closers: dict[object, Callable[[], None]] = {}

    def add(self, key: object, close: Callable[[], None]) -> None:
        """Know a socket, and how to close it."""
        with self._lock:
            self._closers[key] = close

    def remove(self, key: object) -> None:
        """It is closed; harmless where it is unknown."""
        with self._lock:
            self._closers.pop(key, None)

    def close_all(self) -> None:
        """Close what is open now. For a worker that has stopped accepting."""
        with self._lock:
            closers = list(self._closers.values())
        for close in closers:
            close()
