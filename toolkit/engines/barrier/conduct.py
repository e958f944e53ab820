"""The engine's process, `python -m toolkit.engines.barrier.conduct`: populates, reads, releases the actions, reads again."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from toolkit.engines.barrier.asking import asked
from toolkit.engines.barrier.draw import drawn
from toolkit.engines.barrier.settings import VARIABLE, BarrierSettings
from toolkit.engines.barrier.state import read_state, require_fields
from toolkit.errors import ToolkitError
from toolkit.recording.consistency import ConsistencyHead
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import JsonLines

PROCESS = (sys.executable, "-m", "toolkit.engines.barrier.process")
CONNECT_S = 60.0
"""For all connections together."""
AHEAD_NS = 250_000_000
"""How long before the release every process is told of its instant."""


@dataclass
class _Releaser:
    """One releasing process."""

    number: int
    process: asyncio.subprocess.Process
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Conduct:
    """One scenario."""

    def __init__(self, settings: BarrierSettings) -> None:
        self._settings = replace(settings, token=secrets.token_hex(6))
        self._folder = self._settings.load_folder
        self._folder.consistency.path.mkdir(parents=True, exist_ok=True)
        self._events = JsonLines(self._folder.events)
        self._releasers: list[_Releaser] = []

    async def run(self) -> None:
        """Populate, act, verify.

        Raises:
            ToolkitError: before the first action: something cannot be populated or read.
        """
        await self._populate()
        before = await read_state(self._settings, self._folder.consistency.before)
        require_fields(self._settings, before)
        self._write_actions()
        try:
            if await self._act():
                await self._verify()
        finally:
            await self._end_releasers()
        self._event("done")

    async def _populate(self) -> None:
        for one in self._settings.populate:
            sending = self._settings.sending(one, self._settings.verify["timeout"])
            if one.get("body") is None:
                sending = replace(sending, body="")  # not the record, which is but a number
            for number in range(1, one["times"] + 1):
                try:
                    await asked(sending, {"number": number}, f"{self._settings.token}-populate")
                except ToolkitError as error:
                    raise ToolkitError(f"The service could not be populated: {error}") from None

    def _write_actions(self) -> None:
        act, verify = self._settings.act, self._settings.verify
        seed = act["seed"] if act["seed"] is not None else secrets.randbits(32)
        head = ConsistencyHead(
            actions=act["actions"],
            token=self._settings.token,
            seed=seed,
            processes=self._settings.processes,
            invariants=verify["invariants"],
            services={name: table["service"] for name, table in verify["read"].items()},
            keys={name: table["id_field"] for name, table in verify["read"].items()},
            success=act["success"],
        )
        lines = (json.dumps(one, ensure_ascii=False) for one in drawn(act, self._settings.token, seed))
        write_atomically(self._folder.consistency.actions, "".join(f"{line}\n" for line in lines))
        self._folder.consistency.write_head(head)

    async def _act(self) -> bool:
        """Release all actions; whether that came to pass."""
        count = self._settings.processes
        self._releasers = [await self._start(number) for number in range(1, count + 1)]
        ready = [asyncio.create_task(_line(one)) for one in self._releasers]
        _, late = await asyncio.wait(ready, timeout=CONNECT_S)
        for task in late:
            task.cancel()
        words = [{} if task in late else task.result() for task in ready]
        downs = [word.get("down") or "it was not ready in time" for word in words if not word.get("ready")]
        if downs:
            raise ToolkitError(f"No action was released: {downs[0]}.")
        self._tell_users(completed=False)
        self._event("phase_started", phase="act", index=0, duration_s=None)
        at_ns = time.time_ns() + AHEAD_NS
        for one in self._releasers:
            one.writer.write(json.dumps({"at_ns": at_ns}).encode() + b"\n")
        codes = await asyncio.gather(*(one.process.wait() for one in self._releasers))
        self._event("phase_ended", phase="act", index=0, duration_s=None)
        self._tell_users(completed=True)
        self._event("users_left")
        for one, code in zip(self._releasers, codes, strict=True):
            if code:
                how = (
                    f"was ended by {signal.Signals(-code).name}"
                    if code < 0
                    else f"ended with exit code {code}"
                )
                self._event(
                    "worker_error", message=f"releasing process {one.number} (PID {one.process.pid}) {how}"
                )
        return True

    async def _verify(self) -> None:
        await asyncio.sleep(self._settings.verify["settle"])
        try:
            await read_state(self._settings, self._folder.consistency.after)
        except ToolkitError as error:
            words = str(error).rstrip(".")
            self._event("worker_error", message=f"the state could not be read after the actions: {words}")

    async def _start(self, number: int) -> _Releaser:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *PROCESS,
                stdin=theirs.fileno(),
                env={**os.environ, VARIABLE: replace(self._settings, process=number).text()},
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        return _Releaser(number, process, reader, writer)

    async def _end_releasers(self) -> None:
        """Each ends by itself once its line is closed."""
        for one in self._releasers:
            one.writer.close()
        for one in self._releasers:
            try:
                await asyncio.wait_for(one.process.wait(), 5)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    one.process.kill()
                await one.process.wait()

    def _tell_users(self, *, completed: bool) -> None:
        users = self._settings.act["actions"]
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


async def _line(one: _Releaser) -> dict[str, Any]:
    try:
        line = await one.reader.readline()
        found: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
    except (OSError, ValueError):
        found = {}
    return found or {"down": f"releasing process {one.number} ended before it was ready"}


async def _until_stopped(conduct: Conduct) -> int:
    """The exit code: 0 at its end, 130 where it was stopped."""
    work = asyncio.create_task(conduct.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        return 130
    return 0


def main() -> int:
    """The exit code."""
    try:
        return asyncio.run(_until_stopped(Conduct(BarrierSettings.read(os.environ[VARIABLE]))))
    except ToolkitError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
