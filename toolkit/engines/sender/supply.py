"""The sending process's end of the line to the dealer: JSON lines, a lease of records at a time.

dealer → process   {"token"} first; {"records": [[number, line, due_ns, record], …]}; {"end": true}
process → dealer   {"want": true} when it runs low; {"idle": true} when it holds nothing while it waits;
                   {"refused": number, "line", "problem"}; {"down": why} before it gives up
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass
from typing import Any

LONGEST_LINE = 1 << 30
"""Of what the dealer says: a lease of records."""


@dataclass(frozen=True)
class Claim:
    """One record that is this process's to send."""

    number: int
    line: int
    due_ns: int
    """When it is to be sent; 0: at once."""
    record: dict[str, Any] | None
    """None where the file changed since it was looked through."""


class Supply:
    """Claims records ahead of need, so that no connection waits for the dealer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, users: int) -> None:
        self._reader, self._writer = reader, writer
        self._users = self._low = users
        self._claims: deque[Claim] = deque()
        self._busy = 0
        self._asked = False
        self._arrived = asyncio.Condition()
        self.over = False
        """Whether nothing more will come: all is sent, the run was stopped, or the dealer is gone."""

    @staticmethod
    async def hello(reader: asyncio.StreamReader) -> str | None:
        """The dealer's first word, the token of the run; None where it is gone."""
        line = await reader.readline()
        return str(json.loads(line)["token"]) if line.endswith(b"\n") else None

    async def take(self, *, again: bool) -> Claim | None:
        """The next record; None where there will be none. Who takes `again` has done with the one before."""
        self._busy -= again
        while not self._claims and not self.over:
            self._ask()
            if not self._busy:
                self.tell({"idle": True})
            async with self._arrived:
                await self._arrived.wait_for(lambda: bool(self._claims) or self.over)
        if not self._claims:
            return None
        self._busy += 1
        claim = self._claims.popleft()
        if len(self._claims) < self._low:
            self._ask()
        return claim

    def refuse(self, claim: Claim, problem: str) -> None:
        """A record that cannot be sent."""
        self.tell({"refused": claim.number, "line": claim.line, "problem": problem})

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to the dealer."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def listen(self) -> None:
        """Take in what the dealer says, until it says that it is over."""
        while not self.over:
            try:
                line = await self._reader.readline()
                message: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"end": True}
            except (OSError, ValueError):
                message = {"end": True}
            async with self._arrived:
                self._asked = False
                if message.get("end"):
                    self.over = True
                    # What is claimed and not sent goes back to the dealer, or to whoever resumes the run.
                    self._claims.clear()
                records = message.get("records", ())
                # A lease is on the disk before it is told, which may take a while: half of one is asked for ahead.
                self._low = max(self._users, len(records) // 2)
                self._claims.extend(Claim(*one) for one in records)
                self._arrived.notify_all()

    def _ask(self) -> None:
        if not self._asked and not self.over:
            self._asked = True
            self.tell({"want": True})
