"""JSON lines in and out: neither a bad line nor a silent network may stop the agent."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from typing import Any, Dict, Union

from faults import Fault

Item = Union[Dict[str, Any], Fault]  # in annotations alone 3.7 could not evaluate it

LINE_LIMIT = 1024 * 1024
QUEUE_LIMIT = 4 * 1024 * 1024  # unsent bytes beyond which unimportant lines are dropped
HARD_LIMIT = 16 * 1024 * 1024  # and beyond which every line is: the network has been silent for long


class Lines:
    """Cuts a stream of bytes into JSON objects; a bad line becomes a `Fault` in its place."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False  # inside a line that was too long

    def feed(self, data: bytes) -> list[Item]:
        """Every object or `Fault` completed by `data`, in order."""
        found: list[Item] = []
        self._rest += data
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if not newline:
                break
            self._rest = rest
            if self._skipping:
                self._skipping = False
            elif len(line) > LINE_LIMIT:
                found.append(_too_long())
            elif line.strip():
                found.append(decoded(line))
        if len(self._rest) > LINE_LIMIT:
            if not self._skipping:
                found.append(_too_long())
            self._skipping = True
            self._rest = b""
        return found


def _too_long() -> Fault:
    return Fault("protocol", "A line was longer than 1 MiB and was thrown away.")


def decoded(line: bytes) -> Item:
    """The object in one line, or a `Fault` that says what is wrong with it."""
    try:
        message = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return Fault("protocol", "A line was not JSON.")
    if not isinstance(message, dict) or not isinstance(message.get("op"), str):
        return Fault("protocol", 'A line was not an object with an "op".')
    return message


class Writer(threading.Thread):
    """Writes lines to a descriptor from its own thread: on a silent drop the pipe fills and a write hangs for ever."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(name="writer", daemon=True)
        self._descriptor = descriptor
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self.broken = False  # the other side closed its end

    def say(self, message: dict[str, Any], important: bool = True) -> bool:
        """Queue one message; False where it was dropped because too much waits to be sent."""
        data = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
        with self._changed:
            limit = HARD_LIMIT if important else QUEUE_LIMIT
            if self.broken or self._closing or self._bytes + len(data) > limit:
                return False
            self._queue.append(data)
            self._bytes += len(data)
            self._changed.notify_all()
        return True

    def has_room(self) -> bool:
        """Whether a file part may be queued now."""
        with self._changed:
            return not self.broken and self._bytes < QUEUE_LIMIT // 4

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is written; False where it was not within `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self.broken or self._bytes == 0, timeout_s)
            return self._bytes == 0

    def close(self, timeout_s: float) -> None:
        """Write what waits, within bounds, and stop. The thread is a daemon: it may be left hanging."""
        self.flush(timeout_s)
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def run(self) -> None:
        """Write queued lines until closed or broken."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue) or self._closing)
                if not self._queue:
                    return
                data = self._queue.popleft()
            try:
                _write_all(self._descriptor, data)
            except OSError:
                with self._changed:
                    self.broken = True
                    self._queue.clear()
                    self._bytes = 0
                    self._changed.notify_all()
                return
            with self._changed:
                self._bytes -= len(data)
                self._changed.notify_all()


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
