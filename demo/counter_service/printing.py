"""A client of the printing queue that loses the queue every now and then, as such clients do.

The queue is pretended, its failure is not: a real socket times out, and the goodbye to the broken peer breaks the
pipe. What reaches the log is a chained traceback that names neither the request nor the cause at first sight.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counter_service.database import Database

FAILS_EVERY = 50
FIRST_FAILURE = 10
ANSWER_WITHIN_S = 0.1


class PrintingQueue:
    """Hands notices to the printers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, notice: str) -> int:
        """Queue one notice; its job number.

        Job 10, 60, 110 … of the whole service fails: 2 % of all, exactly, and one early, for short runs.

        Raises:
            BrokenPipeError: the queue fell silent, while handling its TimeoutError.
        """
        job = self._next_job()
        with _Connection(lost=job % FAILS_EVERY == FIRST_FAILURE) as connection:
            connection.send(b"PRINT %d %s\n" % (job, notice.encode()))
            connection.wait_for_receipt()
        return job

    def _next_job(self) -> int:
        numbered = self._database.rows(
            "UPDATE print_jobs SET issued = issued + 1 WHERE id = 1 RETURNING issued"
        )
        return int(numbered[0]["issued"])


class _Connection:
    """One exchange with the queue, which sits at the other end of a socket pair."""

    def __init__(self, *, lost: bool) -> None:
        self._lost = lost

    def __enter__(self) -> _Connection:
        self._ours, self._theirs = socket.socketpair()
        self._ours.settimeout(ANSWER_WITHIN_S)
        if not self._lost:
            self._theirs.sendall(b"QUEUED\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._theirs.close()

    def send(self, message: bytes) -> None:
        self._ours.sendall(message)

    def wait_for_receipt(self) -> bytes:
        try:
            return self._ours.recv(64)
        except TimeoutError:
            self._theirs.close()
            self.cancel()
            raise

    def cancel(self) -> None:
        self.send(b"CANCEL\n")
