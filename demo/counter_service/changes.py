"""Tells this worker's listeners about every appointment that changes, whichever worker changed it.

The workers share nothing but the database, so each one looks into the table of changes: by one thread, five times a
second, and only while somebody listens.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counter_service.database import Database

LOOK_EVERY_S = 0.2

Listener = Callable[[dict[str, Any]], None]
"""Gets `{"type": "changed", "appointment": 7, "change": "created"}`; an OSError means that its client has gone."""

log = logging.getLogger(__name__)


class ChangeFeed:
    """One for each worker process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._thread: threading.Thread | None = None
        self._seen = 0

    def add(self, listener: Listener) -> None:
        """From now on tell `listener`: no change that is made after this returns is missed."""
        with self._lock:
            self._listeners.add(listener)
            if self._thread is None:
                self._seen = self._newest()
                self._thread = threading.Thread(target=self._follow, name="changes", daemon=True)
                self._thread.start()

    def remove(self, listener: Listener) -> None:
        """Tell it no more; harmless where it is not listening."""
        with self._lock:
            self._listeners.discard(listener)

    def _newest(self) -> int:
        return int(self._database.rows("SELECT coalesce(max(id), 0) AS newest FROM changes")[0]["newest"])

    def _follow(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            with self._lock:
                if not self._listeners:
                    self._thread = None
                    break
            try:
                self._tell()
            except Exception:
                log.exception("The changes could not be read; trying again.")
        self._database.close()

    def _tell(self) -> None:
        statement = "SELECT id, appointment, change FROM changes WHERE id > ? ORDER BY id"
        for row in self._database.rows(statement, self._seen):
            self._seen = row.pop("id")
            with self._lock:
                listeners = list(self._listeners)
            for listener in listeners:
                try:
                    listener({"type": "changed", **row})
                except OSError:
                    self.remove(listener)
