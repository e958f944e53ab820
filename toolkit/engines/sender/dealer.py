"""Deals out the records of a file to the sending processes: each record to one of them, and on the disk before it is told."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from toolkit.recording.ledger import MarkFile

if TYPE_CHECKING:
    from array import array

    from toolkit.engines.sender.record_files import RecordIndex
    from toolkit.recording.ledger import Ledger

MOST_LEASED = 200
"""Records in one lease. One fsync is paid for each; of a machine that goes down so many of each process become unknown."""
_AHEAD_S = 1.0


class Dealer:
    """The order of the records and how far they are dealt out."""

    def __init__(
        self, index: RecordIndex, order: array[int], ledger: Ledger, processes: int, rate: float | None
    ) -> None:
        self._index = index
        self._order = order
        self._ledger = ledger
        self._processes = processes
        self._rate = rate
        self._began_ns = 0
        self._dealt = 0
        self._returned: deque[int] = deque()
        self._claims = MarkFile(ledger.claims)
        self._refused: set[int] = set()

    @property
    def left(self) -> int:
        """Records that nobody has claimed."""
        return len(self._order) - self._dealt + len(self._returned)

    def lease(self, process: str) -> list[list[Any]]:
        """Some records for a process, as supply.py takes them; empty where there is nothing left.

        Raises:
            OSError: the claim could not be written: nobody has these records.
        """
        numbers, first = self._next()
        if not numbers:
            return []
        self._claims.write(f"c {process} {' '.join(map(str, numbers))}\n")
        self._claims.sync()
        lines = [self._index.line(number) for number in numbers]
        due = [0 if first < 0 else self._due_ns(first + place) for place in range(len(numbers))]
        return [
            [number, line, due_ns, self._read(number)]
            for number, line, due_ns in zip(numbers, lines, due, strict=True)
        ]

    def refuse(self, number: int) -> None:
        """A record that a process cannot send: nobody can."""
        self._refused.add(number)

    def take_back(self, process: str) -> int:
        """After its end: what a process claimed and did not send is dealt out again. How many."""
        sent = self._ledger.sent_by(process)
        head = f"c {process} ".encode()
        back = []
        with self._ledger.claims.open("rb") as claims:
            for line in claims:
                if line.startswith(head):
                    back += [number for number in map(int, line[len(head) :].split()) if number not in sent]
        back = [number for number in back if number not in self._refused]
        self._returned.extend(back)
        return len(back)

    def close(self) -> None:
        """No more leases."""
        self._claims.close()
        self._index.close()

    def _next(self) -> tuple[list[int], int]:
        """Numbers, and the place of the first in the order; -1 for what came back, which is due at once."""
        if self._returned:
            return [self._returned.popleft() for _ in range(min(MOST_LEASED, len(self._returned)))], -1
        left = len(self._order) - self._dealt
        # Small towards the end, so that all processes have something to do; of a slow pace, what is due within a second.
        size = max(1, min(MOST_LEASED, left // (2 * self._processes)))
        if self._rate:
            size = min(size, max(1, int(self._rate * _AHEAD_S / self._processes)))
        first = self._dealt
        numbers = list(self._order[first : first + size])
        self._dealt += len(numbers)
        return numbers, first

    def _due_ns(self, place: int) -> int:
        """When the record at this place of the order is due, from the first lease on; 0: as soon as a connection is free."""
        if not self._rate:
            return 0
        self._began_ns = self._began_ns or time.time_ns()
        return self._began_ns + round(place / self._rate * 1e9)

    def _read(self, number: int) -> Any:  # noqa: ANN401 - a record, or what is no more one
        try:
            return self._index.read(number)
        except (ValueError, StopIteration, OSError):
            return None
