"""What checkouts left that could not come to their end: taken back by a thread that lives as long as there is any."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from shop.answers import RefusedError, UnansweredError
from shop.checkout import NOBODY, PENDING, Attempt

if TYPE_CHECKING:
    from shop.checkout import Checkout
    from shop.database import Database

_AGAIN_S = 1.0
_MOST_TRIES = 3600


class Leftovers:
    """Of one order service."""

    def __init__(self, database: Database, checkout: Checkout) -> None:
        self._database, self._checkout = database, checkout
        self._one = threading.Lock()

    def inherit(self) -> None:
        """At a worker's start, before its first request: what dead workers had on their way is nobody's, and taken back."""
        for row in self._database.rows(
            "SELECT DISTINCT worker FROM purchases WHERE state = ? AND worker <> ?", PENDING, NOBODY
        ):
            # Its own number: of another before it that had the same, for this one has had no request yet.
            if row["worker"] == os.getpid() or not _lives(row["worker"]):
                self._database.rows("UPDATE purchases SET worker = ? WHERE worker = ?", NOBODY, row["worker"])
        if self.waiting():
            self.begin()

    def waiting(self) -> list[Attempt]:
        """What is nobody's, oldest first."""
        rows = self._database.rows(
            "SELECT id, hold FROM purchases WHERE state = ? AND worker = ? ORDER BY number", PENDING, NOBODY
        )
        return [Attempt(row["id"], row["hold"]) for row in rows]

    def begin(self) -> None:
        """Take back, in a thread, unless one is at it."""
        if self._one.acquire(blocking=False):
            threading.Thread(target=self._take_back, name="leftovers", daemon=True).start()

    def _take_back(self) -> None:
        try:
            for _ in range(_MOST_TRIES):
                if not self._try():
                    return
                time.sleep(_AGAIN_S)
        finally:
            self._one.release()

    def _try(self) -> bool:
        """Whether any is left for another time."""
        left = False
        for attempt in self.waiting():
            try:
                self._checkout.take_back(attempt)
            except (UnansweredError, RefusedError) as error:
                logging.getLogger("gunicorn.error").warning(
                    "Order %s is still to be taken back: %s", attempt.order, error
                )
                left = True
        return left or bool(self.waiting())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
