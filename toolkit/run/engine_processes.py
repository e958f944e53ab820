"""The processes of one engine: its first, which decides when it is over, and those beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from toolkit.engines.leash import dies_with_parent
from toolkit.recording.jsonl import JsonLines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from toolkit.engines.base import Helper, Launch
    from toolkit.recording.layout import LoadFolder
    from toolkit.run.lending import Lending

STOP_S = 5.0
"""Where a launch says nothing else."""
_LAST_EVENTS_BYTES = 64 * 1024
_HELPERS_LEAVE_S = 10.0
"""A master tells its workers to go; those that stay longer are ended."""


class Ours(subprocess.Popen[bytes]):
    """A process here, in a session of its own."""

    stop_s = STOP_S

    def kill(self) -> None:
        """The whole session."""
        os.killpg(self.pid, signal.SIGKILL)


class Process(Protocol):
    """One of an engine's, here or on a host that lends its CPU."""

    returncode: int | None

    def poll(self) -> int | None:
        """The exit code; None while it runs."""

    def send_signal(self, _number: int, /) -> None:
        """Ask it to end."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """

    def kill(self) -> None:
        """End it, and what it has started."""


@dataclass
class EngineProcesses:
    """Started together, ended together, each in a session of its own. `poll` is to be called a few times a second."""

    main: Process
    helpers: list[tuple[Helper, Process]]
    folder: LoadFolder
    _main_ended: float = 0.0
    _told: set[str] = field(default_factory=set)
    _ending: bool = False

    @property
    def pids(self) -> list[int]:
        """Of those that run here, the first one's first."""
        everyone = (self.main, *(process for _, process in self.helpers))
        return [process.pid for process in everyone if isinstance(process, Ours)]

    @property
    def exit_code(self) -> int | None:
        """Of the first; None while it runs."""
        return self.main.returncode

    def poll(self) -> bool:
        """Whether any of them runs. Notes helpers that are gone before their time, and ends those that outstay the first."""
        main_runs = self.main.poll() is None
        running = [process for _, process in self.helpers if process.poll() is None]
        if main_runs:
            self._note_lost()
            return True
        if not self._main_ended:
            self._main_ended = time.monotonic()
            how = getattr(self.main, "how", "")
            if how and not self._ending:
                self._say(f"the master {how}")
        if self.main.returncode == 0:
            self._note_lost()  # one may be lost while it tells its last
        stays = time.monotonic() > self._main_ended + _HELPERS_LEAVE_S
        if stays and all(getattr(process, "draining", False) for process in running):
            stays = False  # they have ended; what they did is on its way, and counts
        if running and (self.main.returncode != 0 or stays):
            self._ending = True
            end_processes(running)
            return False
        return bool(running)

    def end(self) -> None:
        """See `end_all`."""
        end_all([self])

    def _note_lost(self) -> None:
        for helper, process in self.helpers:
            if process.returncode is None or helper.name in self._told or self._ending:
                continue
            self._told.add(helper.name)
            if process.returncode >= 0 and _is_stopping(self.folder):
                continue  # its master told it to go
            how = getattr(process, "how", "") or _how(process.returncode)
            self._say(f"{helper.name} {how} before the end of the load")

    def _say(self, message: str) -> None:
        lines = JsonLines(self.folder.events)
        lines.append({"t_ns": time.time_ns(), "kind": "worker_error", "message": message})
        lines.close()

    def about_to_end(self) -> None:
        """It was asked to end: helpers that go now are not lost."""
        self._ending = True


def start_engine(
    launch: Launch, folder: LoadFolder, environment: dict[str, str], lending: Lending | None = None
) -> EngineProcesses:
    """Start all of them, each with its own variables laid over `environment`; of what runs on another host that host's are below.

    Raises:
        OSError, ToolkitError: one could not be started; none is left running.
    """
    main = _started(launch.argv, {**environment, **launch.env}, launch.cwd, folder.console)
    main.stop_s = launch.stop_s
    started: list[Process] = []
    try:
        for one in launch.helpers:
            if one.lent is not None and lending is not None:
                started.append(lending.start(one, one.lent, folder))
            else:
                started.append(_started(one.argv, {**environment, **one.env}, launch.cwd, one.console))
    except BaseException:
        end_processes([main, *started])
        raise
    return EngineProcesses(main, list(zip(launch.helpers, started, strict=True)), folder)


def end_all(engines: Sequence[EngineProcesses]) -> None:
    """SIGINT to all, as a person would; then, to those that stay, the whole session that each was started in."""
    for engine in engines:
        engine.about_to_end()
    end_processes(
        [
            process
            for engine in engines
            for process in (engine.main, *(helper for _, helper in engine.helpers))
            if process.poll() is None
        ]
    )


def end_processes(processes: Sequence[Process]) -> None:
    """As `end_all`."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    for process in processes:
        try:
            process.wait(max(0.0, asked + getattr(process, "stop_s", STOP_S) - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(argv: Sequence[str], env: dict[str, str], cwd: Path, output: Path) -> Ours:
    with output.open("ab") as console:
        return Ours(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is ours to pass on, once
            preexec_fn=dies_with_parent(),
        )


def _is_stopping(folder: LoadFolder) -> bool:
    try:
        with folder.events.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_EVENTS_BYTES))
            return b'"kind":"stopping"' in file.read()
    except OSError:
        return False


def _how(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    number = -exit_code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"was ended by {name}"
