"""JSON lines in and out: neither a bad line nor a silent network may stop the agent."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from typing import Any, Dict, Optional, Tuple, Union

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


class Writer:
    """Writes lines to a descriptor from a thread of its own: on a silent drop the pipe fills and a write hangs for ever.

    Once it `keep`s, each line has a number `n` and is held until the controller says that it has heard it: what a broken
    connection swallowed is said again on the next one (`resume`).
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._queue: deque[Tuple[int, bytes]] = (
            deque()
        )  # (number, line) to be written; number 0: not to be kept
        self._kept: deque[Tuple[int, bytes]] = deque()  # written, not yet heard
        self._writing: Optional[Tuple[int, bytes]] = None
        self._bytes = 0  # to be written
        self._kept_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._keeps = False
        self._said = 0
        self._turn = 0  # which descriptor it is
        self._thread = self._make_thread()
        self.broken = False  # the other side closed its end

    def _make_thread(self) -> threading.Thread:
        return threading.Thread(
            target=self._write, args=(self._descriptor, self._turn), name="writer", daemon=True
        )

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout_s)

    def is_alive(self) -> bool:
        """Whether the thread is at work."""
        return self._thread.is_alive()

    def keep(self) -> None:
        """From the next line on, number each and hold it until it is heard."""
        with self._changed:
            self._keeps = True

    def say(self, message: dict[str, Any], important: bool = True, lasting: bool = True) -> bool:
        """Queue one message; False where it was dropped because too much waits to be sent or heard.

        Args:
            message: what to say.
            important: dropped only where much more waits.
            lasting: worth saying again on the next connection.
        """
        with self._changed:
            number = self._said + 1 if self._keeps and lasting else 0
            told = dict(message, n=number) if number else message
            data = json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n"
            limit = HARD_LIMIT if important else QUEUE_LIMIT
            gone = self._closing or (self.broken and not number)
            if gone or self._bytes + self._kept_bytes + len(data) > limit:
                return False
            self._said += 1 if number else 0
            self._queue.append((number, data))
            self._bytes += len(data)
            self._changed.notify_all()
        return True

    def has_room(self) -> bool:
        """Whether a file part may be queued now."""
        with self._changed:
            return not self.broken and self._bytes < QUEUE_LIMIT // 4 and self._kept_bytes < QUEUE_LIMIT // 2

    def forget(self, heard: int) -> None:
        """The controller has heard every line up to this number."""
        with self._changed:
            while self._kept and self._kept[0][0] <= heard:
                self._kept_bytes -= len(self._kept.popleft()[1])
            self._changed.notify_all()

    def resume(self, descriptor: int, heard: int) -> int:
        """Go on at another descriptor with what was not heard; how many lines are said again.

        The thread that hangs on the old one is left to it: it ends, and closes it, when its write does.
        """
        with self._changed:
            again = [*self._kept, *([self._writing] if self._writing else [])]
            again = [item for item in again if item[0] > heard]
            self._queue = deque([*again, *(item for item in self._queue if item[0] > heard)])
            self._bytes, self._kept_bytes = sum(len(data) for _, data in self._queue), 0
            self._kept.clear()
            self._writing = None
            if not self._thread.is_alive() or self.broken:
                os.close(self._descriptor)
            self._turn += 1
            self._descriptor, self.broken = descriptor, False
            self._thread = self._make_thread()
            self._thread.start()
            self._changed.notify_all()
        return len(again)

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

    def _write(self, descriptor: int, turn: int) -> None:
        """Write queued lines until closed, broken, or another descriptor's turn has come."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue) or self._closing or turn != self._turn)
                if turn != self._turn:
                    os.close(descriptor)
                    return
                if not self._queue:
                    return
                self._writing = item = self._queue.popleft()
            try:
                _write_all(descriptor, item[1])
            except OSError:
                written = False
            else:
                written = True
            with self._changed:
                if turn != self._turn:
                    os.close(descriptor)
                    return
                self._account(item, written)
                self._changed.notify_all()
                if not written:
                    return

    def _account(self, item: Tuple[int, bytes], written: bool) -> None:
        self._writing = None
        if written:
            self._bytes -= len(item[1])
            if item[0]:
                self._kept.append(item)
                self._kept_bytes += len(item[1])
            return
        self.broken = True
        self._queue = deque(held for held in (item, *self._queue) if held[0])
        self._bytes = sum(len(data) for _, data in self._queue)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
