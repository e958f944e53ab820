"""A process of the load on another host, seen from here as one of ours: what it writes is written here as it comes."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.run.distant_process import DistantProcess
from toolkit.run.streamed import Streamed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.engines.base import Helper, Lent
    from toolkit.recording.layout import LoadFolder
    from toolkit.transports.base import Away, RemoteProcess

_PING_S = 10.0
_CLEAN_S = 10.0
_LOST = -signal.SIGHUP.value


class LentProcess(DistantProcess):
    """`returncode` is set once nothing of it is left on its host."""

    def __init__(
        self, host: Away, keeper: RemoteProcess, there: str, helper: Helper, lent: Lent, folder: LoadFolder
    ) -> None:
        super().__init__(helper.name, _PING_S)
        self.left_behind = ""
        self._host, self._keeper, self._there = host, keeper, there
        self._exit_code: int | None = None
        self._streamed = Streamed(folder, lent.process, helper.console)
        self.listen()

    def run(self, argv: Sequence[str], env: dict[str, str], lent: Lent, port: int) -> None:
        """Start the worker; `port` is where the tunnel begins.

        Raises:
            UnreachableError: the connection broke.
        """
        env = {**env, lent.port_variable: str(port), "TOOLKIT_CLOCK_OFFSET_NS": str(self._clock.offset_ns)}
        asked = {"argv": list(argv), "env": env, "cwd": lent.cwd, "process": lent.process}
        self._keeper.write(b"run " + json.dumps(asked).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        self._keeper.write(line)

    def _ask_time(self) -> None:
        self._write(b"t\n")  # a line that breaks here is not made anew

    def _cut(self) -> None:
        self._keeper.kill()

    def _silent(self) -> str:
        return f"What keeps a worker on {self._host.address} does not answer."

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
