"""One sending process, `python -m toolkit.engines.sender.process`: deal.py starts it and deals out records over descriptor 0."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.engines.sender.connection import NoAnswerError, connect
from toolkit.engines.sender.requests import Requests
from toolkit.engines.sender.rows import RowFile
from toolkit.engines.sender.settings import VARIABLE, SendSettings
from toolkit.engines.sender.supply import LONGEST_LINE, Supply
from toolkit.recording.layout import LoadFolder
from toolkit.recording.ledger import MarkFile

if TYPE_CHECKING:
    from toolkit.engines.sender.connection import Answer, Connection
    from toolkit.engines.sender.requests import Prepared
    from toolkit.engines.sender.supply import Claim

GIVE_UP_S = 10.0
"""A target that refuses connections for so long is down."""
_LONGEST_PAUSE_S = 1.0
DOWN = 3
"""The exit code of a process that gave up."""


class TargetDownError(Exception):
    """Nothing can be sent any more."""


class Process:
    """Sends what it claims, on several connections."""

    def __init__(self, settings: SendSettings, token: str, supply: Supply) -> None:
        self._settings = settings
        self._token = token
        self._supply = supply
        folder = LoadFolder(Path(settings.folder))
        self._requests = Requests(settings)
        self._marks = MarkFile(folder.ledger.marks(settings.name))
        self._rows = RowFile(folder.request_parts / f"{settings.name}.jsonl")
        self._connected = time.monotonic()

    async def run(self) -> None:
        """Send until there is nothing left.

        Raises:
            TargetDownError: the target refuses connections.
            OSError: the ledger cannot be written.
        """
        try:
            async with asyncio.TaskGroup() as users:
                for number in range(1, self._settings.connections + 1):
                    users.create_task(self._user(f"{self._settings.name}-{number}"))
        finally:
            self._rows.close()
            self._marks.close()

    async def _user(self, name: str) -> None:
        connection: Connection | None = None
        previous_ns, again = 0, False
        try:
            while (claim := await self._supply.take(again=again)) is not None:
                again = True
                prepared = self._prepared(claim)
                if prepared is None:
                    continue
                if claim.due_ns:
                    await asyncio.sleep(max(0.0, (claim.due_ns - time.time_ns()) / 1e9))
                intended_ns = claim.due_ns or previous_ns or time.time_ns()
                if connection is None or not connection.usable:
                    connection = await self._connected_again()
                if connection is None:
                    return
                await self._send(connection, claim, prepared, name, intended_ns)
                previous_ns = time.time_ns()
        finally:
            if connection is not None:
                connection.close()

    def _prepared(self, claim: Claim) -> Prepared | None:
        """Its request; None where there can be none, which the dealer is told."""
        if claim.record is None:
            self._supply.refuse(claim, "it is no longer where it was: the file changed during the run")
            return None
        try:
            return self._requests.prepare(claim.record, f"{self._token}-{claim.number}")
        except ValueError as error:
            self._supply.refuse(claim, str(error))
            return None

    async def _send(
        self, connection: Connection, claim: Claim, prepared: Prepared, user: str, intended_ns: int
    ) -> None:
        start_ns = time.time_ns()
        # Before the first byte: whoever reads the ledger after a kill must never take what was sent for unsent.
        self._marks.write(f"s {claim.number} {claim.line} {start_ns}\n")
        row = {
            "protocol": "http",
            "scenario": self._settings.scenario,
            "name": f"{self._settings.method} {self._settings.path.partition('?')[0]}",
            "method": self._settings.method,
            "url": prepared.url,
            "phase": "send",
            "intended_ns": min(intended_ns, start_ns),
            "start_ns": start_ns,
            "bytes_out": prepared.body_bytes,
            "request_id": f"{self._token}-{claim.number}",
            "user": user,
        }
        try:
            answer = await connection.ask(prepared.data, self._settings.timeout)
        except NoAnswerError as error:
            self._marks.write(f"u {claim.number} {_one_line(str(error))}\n")
            self._rows.write({**row, "end_ns": time.time_ns(), "error": str(error), "bytes_in": 0})
        else:
            self._marks.write(f"a {claim.number} {answer.status}\n")
            self._rows.write({**row, **_of(answer, row["request_id"])})

    async def _connected_again(self) -> Connection | None:
        """A new connection; None where the run is over meanwhile. What is claimed stays unsent until there is one."""
        pause_s, settings = 0.05, self._settings
        while True:
            try:
                made = await connect(settings.target, settings.method, settings.timeout)
            except OSError as error:
                if time.monotonic() - self._connected > GIVE_UP_S:
                    reason = error.strerror or str(error) or type(error).__name__
                    raise TargetDownError(
                        f"the target refused connections for {GIVE_UP_S:.0f} s: {reason}"
                    ) from None
            else:
                self._connected = time.monotonic()
                return made
            if self._supply.over:
                return None
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)


def _of(answer: Answer, request_id: object) -> dict[str, Any]:
    other = answer.answered_id and answer.answered_id != request_id
    return {
        "first_byte_ns": answer.first_byte_ns,
        "end_ns": answer.end_ns,
        "status": answer.status,
        "bytes_in": answer.bytes_in,
        "answered_id": answer.answered_id if other else None,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split()) or "unknown"


async def main() -> int:
    """Send all there is to claim; the exit code."""
    settings = SendSettings.read(os.environ[VARIABLE])
    with socket.socket(fileno=0) as channel:
        reader, writer = await asyncio.open_connection(sock=channel, limit=LONGEST_LINE)
        token = await Supply.hello(reader)
        if token is None:
            return 1
        supply = Supply(reader, writer, settings.connections)
        listening = asyncio.create_task(supply.listen())
        down = ""
        try:
            await Process(settings, token, supply).run()
        except* TargetDownError as group:
            down = str(group.exceptions[0])
        except* OSError as group:
            down = f"the ledger cannot be written: {group.exceptions[0]}"
        if down:
            supply.tell({"down": down})
        listening.cancel()
        with suppress(OSError):
            await writer.drain()
        writer.close()
    return DOWN if down else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the dealer's to pass on
    sys.exit(asyncio.run(main()))
