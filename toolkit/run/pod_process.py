"""A process of the load in a pod, seen from here as one of ours. The line to it may break and is made anew: the pod goes on."""

from __future__ import annotations

import base64
import signal
import threading
import time
from typing import TYPE_CHECKING

from toolkit.engines.kubernetes.objects import CONTAINER, LIB, WORK
from toolkit.errors import ToolkitError
from toolkit.run.distant_process import DistantProcess
from toolkit.run.pods import fate_of
from toolkit.run.streamed import CONSOLE, EVENTS, RECORDS, Streamed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.recording.layout import LoadFolder
    from toolkit.transports.kubectl import Kubectl
    from toolkit.transports.local import LocalProcess

PATIENCE_S = 55.0
"""How long a line is made anew for; a pod that hears nothing for a minute ends by itself."""
_AGAIN_S = 1.0
_BYE_S = 2.0
_PING_S = 15.0
_LOST = -signal.SIGHUP.value
_UNTOLD = "what it began in its last moments is not counted"


class PodProcess(DistantProcess):
    """Its line is made anew while the pod runs; `on_break` is told."""

    def __init__(
        self, kubectl: Kubectl, pod: str, python: str, process: str, folder: LoadFolder, console: Path,
        on_break: Callable[..., None],
    ) -> None:  # fmt: skip
        super().__init__(pod, _PING_S)
        self.pod = pod
        self.draining = False
        """Whether Locust has ended there, and what it wrote is still on its way."""
        self._kubectl, self._python, self._process = kubectl, python, process
        self._statistics = folder.locust_json if process == "main" else None
        self._pieces: list[bytes] = []
        self._streamed = Streamed(folder, process, console)
        self._given_up = threading.Event()
        self._on_break = on_break
        self._line = self._dial()
        self.listen()

    def begin(self) -> None:
        """Let Locust start there."""
        self._say(b"go %d\n" % self._clock.offset_ns)

    def hang_up(self) -> None:
        """Listen no more."""
        self._given_up.set()
        super().hang_up()

    def _dial(self) -> LocalProcess:
        had = self._streamed.had
        counts = (str(had[mark]) for mark in (RECORDS, EVENTS, CONSOLE))
        argv = (self._python, f"{LIB}/lent_line.py", WORK, self._process, *counts)
        return self._kubectl.exec(self.pod, CONTAINER, argv)

    def _write(self, line: bytes) -> None:
        self._line.write(line)

    def _cut(self) -> None:
        self._line.kill()

    def _silent(self) -> str:
        return f"The pod {self.pod} does not answer: {self.how or 'nothing was heard of it'}."

    def _read(self) -> None:
        code: int | None = None
        try:
            while code is None and not self._given_up.is_set():
                code = self._listen()
                if code is None and not self._again():
                    break
        except OSError as error:  # our disk is full: its records are not whole
            self.how = f"could not be recorded ({error.strerror})"
        finally:
            self._line.kill()
            self._streamed.close()
            self.how = self.how or (
                "" if code is not None else f"was lost: nothing is heard of the pod {self.pod} any more"
            )
            lost = 1 if self._process == "main" else _LOST
            self.returncode = lost if code is None or self.how else code
            self._ended.set()

    def _listen(self) -> int | None:
        """Until the line ends: the exit code where it was told."""
        self._pieces = []
        for stream, line in self._line.whole_lines():
            self._heard = time.monotonic()
            if stream == "stderr":
                self._streamed.complain(line)
                continue
            word, rest = self._streamed.take(line)
            if word == b"d":
                self.draining = True
            elif word == b"j":
                self._pieces.append(base64.b64decode(rest))
            elif word == b"t" and rest.isdigit():
                self._clock.pong(self._asked, int(rest))
                self._answered.release()
            elif word == b"x":
                self._keep_statistics()
                self._say(b"bye\n")
                self._line.wait(_BYE_S)
                return int(rest)
        return None

    def _keep_statistics(self) -> None:
        if self._statistics is not None and self._pieces:
            self._statistics.write_bytes(b"".join(self._pieces))

    def _again(self) -> bool:
        """Make the line anew where the pod still runs; False where it does not, or cannot be reached for long."""
        broke = time.monotonic()
        while not self._given_up.wait(_AGAIN_S):
            try:
                fate = fate_of(self._kubectl, self.pod)
                if fate:
                    self.how = f"was lost: the pod {self.pod} {fate} ({_UNTOLD})"
                    return False
                self._line.kill()
                self._line = self._dial()
            except ToolkitError:
                if time.monotonic() > broke + PATIENCE_S:
                    return False
                continue
            self._heard = time.monotonic()
            self._on_break(pod=self.pod, silent_s=round(time.monotonic() - broke, 1))
            return True
        return False
