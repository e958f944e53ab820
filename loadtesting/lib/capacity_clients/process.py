"""One process of clients: gets ready, waits for the others, repeats, and leaves when it is told to."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from capacity_clients import calling, testing
from capacity_clients.repetitions import Repetitions

if TYPE_CHECKING:
    from capacity_clients.settings import ProcessSettings, Settings

READY = "ready"


class ClientProcess:
    """The clients of one process."""

    def __init__(self, settings: Settings, process: ProcessSettings) -> None:
        self._settings, self._process = settings, process
        self._record = Repetitions(settings, process.name)
        self._told = False

    def run(self) -> int:
        """All repetitions; the exit code."""
        signal.signal(signal.SIGTERM, self._leave)
        # Ctrl-C goes to the whole group: the coordinator decides.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self._settings.call:
            try:
                once = calling.load(self._settings)
            except calling.CannotCallError as error:
                self._wait(str(error))
                return 1
            if self._wait(""):
                calling.repeat(once, self._process.clients, self._settings.repetitions, self._record)
        else:
            testing.repeat(self._settings, self._process.clients[0], self._record, self._wait)
        return 0

    def _wait(self, problem: str) -> bool:
        """Say that all is ready, or what is wrong; True when all others are ready too."""
        if self._told:
            return False
        self._told = True
        os.write(self._process.said, (problem.replace("\n", " ") or READY).encode() + b"\n")
        os.close(self._process.said)
        if problem or os.read(self._process.go, 1) != b"g":
            return False
        threading.Thread(target=self._follow, daemon=True).start()
        return True

    def _follow(self) -> None:
        """The coordinator holds the other end of the pipe as long as it lives."""
        os.read(self._process.go, 1)
        self._leave()

    def _leave(self, *_: object) -> None:
        # In a handler of the main thread, which waits for the others: none of them can be made to end otherwise.
        self._record.cut_off()
        os._exit(0)
