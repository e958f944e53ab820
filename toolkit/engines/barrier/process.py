"""One releasing process, `python -m toolkit.engines.barrier.process`: conduct.py starts it and names the instant.

process → conduct  {"ready": connections} once all of its connections stand; {"down": why}
conduct → process  {"at_ns": the instant of release}
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.engines.barrier.settings import VARIABLE, BarrierSettings
from toolkit.engines.sender.connection import NoAnswerError, connect
from toolkit.engines.sender.requests import Requests
from toolkit.engines.sender.rows import RowFile
from toolkit.recording.jsonl import JsonLines, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.engines.sender.connection import Answer, Connection

CONNECTING = 64
"""Connections that are opened at the same time: a service's backlog may be short."""
_SPIN_NS = 12_000_000
"""The last of the wait is spent making ready and looking at the clock: a timer may come late."""
_CONNECT_TIMEOUT_S = 20.0


@dataclass
class _Action:
    id: str
    data: bytes
    url: str
    body_bytes: int
    connection: Connection


class Process:
    """This process's share of the actions, each on a connection of its own."""

    def __init__(self, settings: BarrierSettings) -> None:
        self._settings = settings
        self._sending = settings.sending(settings.act, settings.act["timeout"])
        folder = settings.load_folder
        self._told = JsonLines(folder.consistency.told(f"p{settings.process}"))
        self._rows = RowFile(folder.request_parts / f"p{settings.process}.jsonl")

    async def connected(self) -> list[_Action]:
        """Every request made and every connection opened.

        Raises:
            OSError: the service takes no more connections.
        """
        requests, gate = Requests(self._sending), asyncio.Semaphore(CONNECTING)
        lines = list(read_lines(self._settings.load_folder.consistency.actions))
        mine = lines[self._settings.process - 1 :: self._settings.processes]

        async def one(line: dict[str, Any]) -> _Action:
            prepared = requests.prepare({**line["values"], "id": line["id"]}, line["id"])
            async with gate:
                made = await connect(self._settings.target, self._sending.method, _CONNECT_TIMEOUT_S)
            return _Action(line["id"], prepared.data, prepared.url, prepared.body_bytes, made)

        return list(await asyncio.gather(*(one(line) for line in mine)))

    async def release(self, actions: list[_Action], instant: asyncio.Future[int]) -> None:
        """Wait for the instant, send everything, write down every answer."""
        gc.collect()
        gc.disable()
        with _first_in_line():
            at_ns = await instant
            await asyncio.sleep(max(0.0, (at_ns - _SPIN_NS - time.time_ns()) / 1e9))
            ready = [action for action in actions if action.connection.usable]
            gone = [action for action in actions if not action.connection.usable]
            coming = [action.connection.expect() for action in ready]
            while time.time_ns() < at_ns:
                pass
            starts = _send_all(ready)
        for action in ready:
            action.connection.limit(self._sending.timeout)
        for action in gone:
            self._told.append({"id": action.id, "unsent": True})
        await asyncio.gather(
            *(
                self._answered(action, at_ns, start_ns, answer)
                for action, start_ns, answer in zip(ready, starts, coming, strict=True)
            )
        )
        self._rows.close()
        self._told.close()

    async def _answered(
        self, action: _Action, at_ns: int, start_ns: int, coming: asyncio.Future[Answer]
    ) -> None:
        row = {
            "protocol": "http",
            "scenario": self._settings.scenario,
            "name": f"{self._sending.method} {self._sending.path.partition('?')[0]}",
            "method": self._sending.method,
            "url": action.url,
            "phase": "act",
            "intended_ns": min(at_ns, start_ns),
            "start_ns": start_ns,
            "bytes_out": action.body_bytes,
            "request_id": action.id,
            "user": action.id,
        }
        told: dict[str, Any] = {"id": action.id, "start_ns": start_ns}
        try:
            answer = await coming
        except NoAnswerError as error:
            problem = str(error)
            self._told.append({**told, "problem": problem})
            self._rows.write({**row, "end_ns": time.time_ns(), "error": problem, "bytes_in": 0})
        else:
            self._told.append({**told, "status": answer.status})
            self._rows.write({**row, **_of(answer, action.id)})
        finally:
            action.connection.close()


def _send_all(actions: list[_Action]) -> list[int]:
    """The starts. Nothing else here: what is done before the last one starts is its lateness."""
    clock, starts = time.time_ns, []
    for action in actions:
        starts.append(clock())
        action.connection.send_now(action.data)
    return starts


@contextmanager
def _first_in_line() -> Iterator[None]:
    """Ahead of other processes, where we may: a service on the same machine wakes with the first request, and its threads would
    take the processor before the last is sent. It waits, looks at the clock for some milliseconds, and sends.
    """
    policy, value = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:  # not permitted; the spread is printed as it came out
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, value)


def _of(answer: Answer, request_id: str) -> dict[str, Any]:
    other = answer.answered_id and answer.answered_id != request_id
    return {
        "first_byte_ns": answer.first_byte_ns,
        "end_ns": answer.end_ns,
        "status": answer.status,
        "bytes_in": answer.bytes_in,
        "answered_id": answer.answered_id if other else None,
    }


def _allow_files() -> None:
    """Each action holds a connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _watch(
    reader: asyncio.StreamReader, instant: asyncio.Future[int], work: asyncio.Task[None]
) -> None:
    """Pass on the instant; whoever tells it is gone when its line ends, and then nothing more is sent."""
    try:
        while line := await reader.readline():
            instant.set_result(int(json.loads(line)["at_ns"]))
    except (OSError, ValueError):  # gone while it was told that we are ready, or in the middle of a line
        pass
    finally:
        work.cancel()


async def main() -> int:
    """Release this process's share; the exit code."""
    settings = BarrierSettings.read(os.environ[VARIABLE])
    _allow_files()
    with socket.socket(fileno=0) as channel:
        reader, writer = await asyncio.open_connection(sock=channel)
        process = Process(settings)
        try:
            actions = await process.connected()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            writer.write(
                json.dumps({"down": f"not every connection could be opened: {reason}"}).encode() + b"\n"
            )
            await writer.drain()
            return 3
        instant: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(process.release(actions, instant))
        watching = asyncio.create_task(_watch(reader, instant, work))
        writer.write(json.dumps({"ready": len(actions)}).encode() + b"\n")
        try:
            await work
        except asyncio.CancelledError:
            return 1
        finally:
            watching.cancel()
        writer.close()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's to pass on
    sys.exit(asyncio.run(main()))
