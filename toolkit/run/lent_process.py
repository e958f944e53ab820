"""A process of the load on another host, seen from here as one of ours: what it writes is written here as it comes."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.run.agent_clock import ClockOffset
from toolkit.run.streamed import Streamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.engines.base import Helper, Lent
    from toolkit.recording.layout import LoadFolder
    from toolkit.transports.base import Away, RemoteProcess

SILENCE_S = 20.0
"""Its keeper says something four times a second."""
_BEAT_S = 2.0
_PINGS = 8
_PING_S = 10.0
_CLEAN_S = 10.0
_LOST = -signal.SIGHUP.value


class LentProcess:
    """As much of `subprocess.Popen` as the run needs. `returncode` is set once nothing of it is left on its host."""

    def __init__(
        self, host: Away, keeper: RemoteProcess, there: str, helper: Helper, lent: Lent, folder: LoadFolder
    ) -> None:
        self.returncode: int | None = None
        self.how = ""
        """How it ended, in words, where an exit code does not say it."""
        self.left_behind = ""
        self._host, self._keeper, self._there = host, keeper, there
        self._clock = ClockOffset()
        self._answered = threading.Semaphore(0)
        self._heard = time.monotonic()
        self._ended = threading.Event()
        self._exit_code: int | None = None
        self._streamed = Streamed(folder, lent.process, helper.console)
        for target, name in ((self._read, "reads"), (self._beat, "beats")):
            threading.Thread(target=target, name=f"{helper.name} {name}", daemon=True).start()

    @property
    def offset(self) -> tuple[int, int]:
        """(nanoseconds that its host's clock is behind ours, ± how many)."""
        return self._clock.offset_ns, self._clock.error_ns

    def learn_clock(self) -> None:
        """Ask for the time there, some times.

        Raises:
            ToolkitError: it does not answer.
        """
        for _ in range(_PINGS):
            self._asked = self._clock.ping()
            self._keeper.write(b"t\n")
            if not self._answered.acquire(timeout=_PING_S):
                raise ToolkitError(f"What keeps a worker on {self._host.address} does not answer.")

    def run(self, argv: Sequence[str], env: dict[str, str], lent: Lent, port: int) -> None:
        """Start the worker; `port` is where the tunnel begins.

        Raises:
            UnreachableError: the connection broke.
        """
        env = {**env, lent.port_variable: str(port), "TOOLKIT_CLOCK_OFFSET_NS": str(self._clock.offset_ns)}
        asked = {"argv": list(argv), "env": env, "cwd": lent.cwd, "process": lent.process}
        self._keeper.write(b"run " + json.dumps(asked).encode() + b"\n")

    def poll(self) -> int | None:
        """The exit code, or None while it runs; a host that fell silent is given up."""
        if self.returncode is None and time.monotonic() > self._heard + SILENCE_S:
            self._keeper.kill()
        return self.returncode

    def send_signal(self, _number: int) -> None:
        """As Ctrl-C would; what stays for long is ended there."""
        self._say(b"stop\n")

    def wait(self, timeout: float | None = None) -> int:
        """The exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(self._there, timeout or 0.0)
        return self.returncode or 0

    def kill(self) -> None:
        """At once. Its keeper still tells what it wrote; who does not answer is hung up on."""
        self._say(b"kill\n")
        if not self._ended.wait(_CLEAN_S):
            self._keeper.kill()

    def _say(self, line: bytes) -> None:
        with suppress(ToolkitError):  # the connection broke, which its reader notices
            self._keeper.write(line)

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            self._say(b".\n")

    def _read(self) -> None:
        try:
            for stream, line in self._keeper.lines():
                self._heard = time.monotonic()
                if stream == "stderr":
                    self._streamed.complain(line)
                else:
                    self._learn(*self._streamed.take(line))
        except OSError as error:  # our disk is full: its records are not whole
            self.how = f"could not be recorded ({error.strerror})"
        finally:
            self._streamed.close()
            self._end()

    def _learn(self, word: bytes, rest: bytes) -> None:
        if not rest.lstrip(b"-").isdigit():
            return
        if word == b"t":
            self._clock.pong(self._asked, int(rest))
            self._answered.release()
        elif word == b"x":
            self._exit_code = int(rest)

    def _end(self) -> None:
        self._keeper.kill()
        if self._exit_code is None:
            self.how = self.how or f"was lost: nothing is heard of {self._host.address} any more"
        self.left_behind = _cleaned(self._host, self._there)
        self.returncode = _LOST if self._exit_code is None or self.how else self._exit_code
        self._ended.set()


def _cleaned(host: Away, folder: str) -> str:
    """What is still there at the end, in a sentence; empty where nothing is."""
    try:
        if not host.exists(folder):
            return ""
        if host.run(["rm", "-rf", folder], timeout_s=_CLEAN_S).exit_code == 0:
            return ""
    except ToolkitError:
        pass
    return f"{host.address}: whether {folder} is gone could not be seen; its keeper removes it when it hears nothing more."
