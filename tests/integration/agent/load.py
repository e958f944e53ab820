"""Requests without a pause for the agent's own tests."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gunicorns import Gunicorn


class Load:
    """Asks for the hot function without a pause, from two threads, until it is left."""

    def __init__(self, gunicorn: Gunicorn) -> None:
        self._gunicorn = gunicorn
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(2)]
        self.answered: set[int] = set()

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                self.answered.add(self._gunicorn.get())
            except OSError:
                self._over.wait(0.05)  # a worker was killed under the request

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
