"""The engine's process, `python -m toolkit.engines.sender.deal`: reads the file, starts the senders and deals out records."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolkit.engines.sender.dealer import Dealer
from toolkit.engines.sender.opening import open_records
from toolkit.engines.sender.settings import VARIABLE, SendSettings
from toolkit.engines.sender.supply import LONGEST_LINE
from toolkit.errors import ToolkitError
from toolkit.recording.jsonl import JsonLines
from toolkit.recording.layout import LoadFolder

PROCESS = (sys.executable, "-m", "toolkit.engines.sender.process")


@dataclass
class _Sender:
    """One sending process, as the dealer sees it."""

    name: str
    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    wants: bool = False
    idle: bool = False
    """It holds nothing while it waits."""
    gone: bool = False
    down: str = ""

    def say(self, message: dict[str, Any]) -> None:
        if not self.writer.is_closing():
            self.writer.write(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


class Deal:
    """One file on its way."""

    def __init__(self, settings: SendSettings) -> None:
        self._settings = settings
        self._folder = LoadFolder(Path(settings.folder))
        self._events = JsonLines(self._folder.events)
        self._senders: list[_Sender] = []
        self._stopped = False
        opened = open_records(settings, self._folder.ledger)
        self._token = opened.head.token
        self._dealer = Dealer(
            opened.index, opened.order, self._folder.ledger, settings.processes, settings.rate
        )
        self._invalid = JsonLines(self._folder.ledger.invalid)
        if opened.invalid:
            self._event("note", message=f"{opened.invalid} records of {settings.file} cannot be sent")

    async def run(self) -> int:
        """Send all of it; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        self._event("phase_started", phase="send", index=0, duration_s=None)
        self._tell_users(completed=False)
        self._senders = [await self._start(f"p{number}") for number in range(1, self._settings.processes + 1)]
        await asyncio.gather(*(self._serve(sender) for sender in self._senders))
        self._event("phase_ended", phase="send", index=0, duration_s=None)
        self._tell_users(completed=True)
        self._event("users_left")
        left = self._dealer.left
        if left and not self._stopped:
            why = "; ".join(dict.fromkeys(sender.down for sender in self._senders if sender.down))
            self._event(
                "worker_error", message=f"{left} records were not sent: {why or 'no sender was left'}"
            )
        self._event("done")
        self._dealer.close()
        return 0

    async def _start(self, name: str) -> _Sender:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *PROCESS,
                stdin=theirs.fileno(),
                env={**os.environ, VARIABLE: replace(self._settings, name=name).text()},
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
        sender = _Sender(name, process, reader, writer)
        sender.say({"token": self._token})
        return sender

    async def _serve(self, sender: _Sender) -> None:
        """Answer one process until it is gone."""
        while line := await _line_of(sender):
            message = json.loads(line)
            if "refused" in message:
                self._dealer.refuse(message["refused"])
                self._invalid.append(
                    {"record": message["refused"], "line": message["line"], "problem": message["problem"]}
                )
            elif "down" in message:
                sender.down = message["down"]
            elif message.get("want"):
                sender.wants, sender.idle = True, False
            else:
                sender.idle = True
            self._deal_out()
        code = await sender.process.wait()
        sender.gone = True
        sender.writer.close()
        self._note_end(sender, code)
        self._deal_out()

    def _deal_out(self) -> None:
        alive = [sender for sender in self._senders if not sender.gone]
        for sender in alive:
            if sender.wants and not self._stopped and (records := self._dealer.lease(sender.name)):
                sender.wants = sender.idle = False
                sender.say({"records": records})
        # Not before all are idle: one that dies now gives back what it holds, and the others are still there to send it.
        if len(alive) and all(sender.wants and sender.idle for sender in alive):
            self._end(alive)

    def _end(self, senders: list[_Sender]) -> None:
        for sender in senders:
            sender.wants = False
            sender.say({"end": True})

    def _stop(self) -> None:
        self._stopped = True
        self._end([sender for sender in self._senders if not sender.gone])

    def _note_end(self, sender: _Sender, code: int) -> None:
        back = self._dealer.take_back(sender.name)
        if code == 0 or self._stopped:
            return
        if sender.down:
            self._event("note", message=f"sending process {sender.name} ended: {sender.down}")
            return
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        sender.down = f"sending process {sender.name} (PID {sender.process.pid}) {how}"
        self._event(
            "worker_error",
            message=f"{sender.down}; {back} records that it had claimed and not sent went back",
        )

    def _tell_users(self, *, completed: bool) -> None:
        users = self._settings.processes * self._settings.connections
        self._event(
            "users",
            created={self._settings.scenario: users},
            completed=users if completed else 0,
            failed=0,
            skipped=0,
            errors={},
            unanswered={},
        )

    def _event(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        self._events.append({"t_ns": time.time_ns(), "kind": kind, **details})


async def _line_of(sender: _Sender) -> bytes:
    try:
        line = await sender.reader.readline()
    except OSError:
        return b""
    return line if line.endswith(b"\n") else b""


def main() -> int:
    """The exit code: 0 where it came to its end, 2 where the file or the earlier run is not good."""
    try:
        return asyncio.run(Deal(SendSettings.read(os.environ[VARIABLE])).run())
    except ToolkitError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"Error: the ledger cannot be written: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
