"""What checkouts left that could not come to their end: taken back by a thread of each worker of the order service."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from typing import TYPE_CHECKING

from shop.answers import RefusedError, UnansweredError
from shop.checkout import NOBODY, PENDING, Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from shop.checkout import Checkout
    from shop.database import Database

_LOG = logging.getLogger("gunicorn.error")
_AGAIN_S = 1.0
_LOOK_S = 5.0


class Leftovers:
    """Of one order service."""

    def __init__(self, database: Database, checkout: Checkout) -> None:
        self._database, self._checkout = database, checkout
        self._more = threading.Event()

    def watch(self) -> None:
        """From a worker's start on, before its first request: what dead workers had on their way is nobody's, and taken back."""
        # Its own number: of another before it that had the same, for this one has had no request yet.
        self._inherit(lambda worker: worker == os.getpid() or not _lives(worker))
        threading.Thread(target=self._watch, name="leftovers", daemon=True).start()

    def wake(self) -> None:
        """There may be some now."""
        self._more.set()

    def waiting(self) -> list[Attempt]:
        """What is nobody's, oldest first."""
        rows = self._database.rows(
            "SELECT id, hold FROM purchases WHERE state = ? AND worker = ? ORDER BY number", PENDING, NOBODY
        )
        return [Attempt(row["id"], row["hold"]) for row in rows]

    def _inherit(self, has_ended: Callable[[int], bool]) -> None:
        statement = "SELECT DISTINCT worker FROM purchases WHERE state = ? AND worker <> ?"
        for row in self._database.rows(statement, PENDING, NOBODY):
            if has_ended(row["worker"]):
                self._database.rows("UPDATE purchases SET worker = ? WHERE worker = ?", NOBODY, row["worker"])

    def _watch(self) -> None:
        while True:
            self._more.clear()
            try:
                # A worker may be told to end after its successor has started, and be killed in the middle of a checkout.
                self._inherit(lambda worker: not _lives(worker))
                left = self._take_back()
            except sqlite3.Error as error:
                _LOG.warning("Nothing could be taken back: %s", error)
                left = True
            self._more.wait(_AGAIN_S if left else _LOOK_S)

    def _take_back(self) -> bool:
        """Whether any is left for another time."""
        left = False
        for attempt in self.waiting():
            try:
                self._checkout.take_back(attempt)
            except (UnansweredError, RefusedError) as error:
                _LOG.warning("Order %s is still to be taken back: %s", attempt.order, error)
                left = True
        return left


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
