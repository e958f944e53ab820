"""The first process: it has no clients of its own."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from locust_recorder.event_lines import EventLines

from capacity_clients.process import READY
from capacity_clients.settings import ProcessSettings, Settings, environment_of

_READY_WITHIN_S = 60.0
_LEAVES_WITHIN_S = 2.0
_LOOK_S = 0.02


class Coordinator:
    """One cell of the matrix: so many clients, so many repetitions of each, so much time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events = EventLines(settings.events)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def check(self) -> int:
        """Whether a client could begin: the exit code, and on standard error what is wrong."""
        said, go = self._start()
        problem = self._ready(said)
        for pipe in go:
            os.close(pipe)
        self._end()
        sys.stderr.write(problem)
        return 1 if problem else 0

    def run(self) -> int:
        """Until all is done, the time is over, or a signal comes; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        said, go = self._start()
        problem = self._ready(said)
        if problem:
            self._end()
            sys.stderr.write(problem + "\n")
            return 1
        phase = {"phase": self._settings.phase, "index": 0}
        self._events.say("phase_started", **phase, duration_s=None)
        self._tell_users(0)
        for pipe in go:
            os.write(pipe, b"g")
        in_time = self._wait(time.monotonic() + self._settings.limit_s)
        self._end()
        self._events.say("phase_ended", **phase, duration_s=None)
        self._tell_users(self._settings.clients)
        self._events.say("users_left")
        if in_time:
            self._tell_deaths()
        if not self._stopped:
            wanted = self._settings.clients * self._settings.repetitions
            self._events.say("done", in_time=in_time, wanted=wanted, limit_s=self._settings.limit_s)
        return 0

    def _start(self) -> tuple[list[int], list[int]]:
        """Where each says that it is ready, and where it is told to go."""
        said, go = [], []
        for number, clients in enumerate(_spread(self._settings), 1):
            (reads, says), (waits, tells) = os.pipe(), os.pipe()
            process = ProcessSettings(f"p{number}", clients, says, waits)
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, str(Path(__file__).resolve().parent)],
                    env=environment_of(process),
                    pass_fds=(says, waits),
                    stdin=subprocess.DEVNULL,
                )
            )
            os.close(says)
            os.close(waits)
            said.append(reads)
            go.append(tells)
        return said, go

    def _ready(self, said: list[int]) -> str:
        """Wait for all; what one of them says is wrong, or empty."""
        until, waiting = time.monotonic() + _READY_WITHIN_S, dict.fromkeys(said, b"")
        while waiting:
            readable, _, _ = select.select(list(waiting), [], [], max(0.0, until - time.monotonic()))
            if not readable:
                return f"{len(waiting)} processes of clients were not ready within {_READY_WITHIN_S:.0f} s"
            for pipe in readable:
                read = os.read(pipe, 4096)
                waiting[pipe] += read
                if read:
                    continue
                text = waiting.pop(pipe).decode("utf-8", "replace").strip()
                if text != READY:
                    return text or "a process of clients ended before it was ready (see console.log)"
        return "it was stopped before all clients were ready" if self._stopped else ""

    def _wait(self, until: float) -> bool:
        """Whether all have ended by then."""
        while any(process.poll() is None for process in self._processes):
            if self._stopped or time.monotonic() >= until:
                return False
            time.sleep(_LOOK_S)
        return True

    def _end(self) -> None:
        """Whoever still runs writes what is under way, and leaves."""
        running = [process for process in self._processes if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _LEAVES_WITHIN_S
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _tell_deaths(self) -> None:
        for number, process in enumerate(self._processes, 1):
            if process.returncode:
                how = (
                    signal.Signals(-process.returncode).name
                    if process.returncode < 0
                    else f"exit code {process.returncode}"
                )
                message = f"process {number} of {len(self._processes)} of the clients ended early ({how})"
                self._events.say("worker_error", message=message)

    def _tell_users(self, completed: int) -> None:
        created = {self._settings.scenario: self._settings.clients}
        self._events.say(
            "users", created=created, completed=completed, failed=0, skipped=0, errors={}, unanswered={}
        )

    def _stop(self, *_: object) -> None:
        self._stopped = True


def _spread(settings: Settings) -> list[list[int]]:
    """The clients of each process: pytest has one session a process, functions share as many as there are cores."""
    numbers = list(range(1, settings.clients + 1))
    count = settings.clients if not settings.call else min(settings.clients, os.cpu_count() or 1)
    return [numbers[at::count] for at in range(count)]
