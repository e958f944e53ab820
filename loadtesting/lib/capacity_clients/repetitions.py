"""The records of one process: a line for each repetition, and those that are under way when the time is over."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from locust_recorder.clock import clock, now
from locust_recorder.part import Part
from locust_recorder.rows import line, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity_clients.settings import Settings

CUT_OFF = "interrupted"
_LONGEST = 300
_ANSWERED = 0  # as of a websocket: there is no code, but it came to its end


class Repetitions:
    """Writes each repetition as it ends."""

    def __init__(self, settings: Settings, process: str) -> None:
        method = "CALL" if settings.call else "TEST"
        url = "python:" + settings.name
        self._kind = ("call", settings.scenario, settings.name, method, url, settings.phase)
        self._part = Part(settings.parts, process)
        self._lock = threading.RLock()
        self._begun: dict[int, int] = {}
        self.stopped = False

    def begin(self, client: int) -> bool:
        """One more; False where none is to begin any more."""
        with self._undisturbed():
            if self.stopped:
                return False
            self._part.begin()
            self._begun[client] = now()
        return True

    def end(self, client: int, error: str | None) -> None:
        """It came to its end; `error` says how it failed."""
        at = now()
        with self._undisturbed():
            if client not in self._begun:
                return  # it was cut off
            self._write(client, at, _ANSWERED, error)

    def cut_off(self) -> None:
        """What is under way is written as it is; nothing begins any more."""
        at = now()
        with self._lock:
            self.stopped = True
            for client in list(self._begun):
                self._write(client, at, None, CUT_OFF)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Neither by another thread nor by the signal to leave, whose handler writes what is under way."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            with self._lock:
                yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _write(self, client: int, at: int, status: int | None, error: str | None) -> None:
        clock.reanchor()
        start, end = clock.utc(self._begun.pop(client)), clock.utc(at)
        first = None if status is None else end
        text = None if error is None else without_secrets(error)[:_LONGEST]
        outcome = (status, text, None, None, False)  # what a repetition sends and gets is not seen
        self._part.write([line(self._kind, (start, start, first, end), outcome, None, f"c{client}", None)])


def short(error: BaseException) -> str:
    """An exception as one line: its type and the first line of its message."""
    lines = str(error).strip().splitlines()
    name = type(error).__name__
    return f"{name}: {lines[0]}" if lines else name
