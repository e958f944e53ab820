"""A process of the load in a pod, seen from here as one of ours. The line to it may break and is made anew: the pod goes on."""

from __future__ import annotations

import base64
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from toolkit.engines.kubernetes.objects import CONTAINER, LIB, WORK
from toolkit.errors import ToolkitError
from toolkit.run.agent_clock import ClockOffset
from toolkit.run.pods import fate_of
from toolkit.run.streamed import CONSOLE, EVENTS, RECORDS, Streamed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.recording.layout import LoadFolder
    from toolkit.transports.kubectl import Kubectl
    from toolkit.transports.local import LocalProcess

SILENCE_S = 20.0
"""A pod says something four times a second."""
PATIENCE_S = 55.0
"""How long a line is made anew for; a pod that hears nothing for a minute ends by itself."""
_AGAIN_S = 1.0
_BEAT_S = 2.0
_PINGS = 8
_PING_S = 15.0
_LOST = -signal.SIGHUP.value
_UNTOLD = "what it began in its last moments is not counted"


class PodProcess:
    """As much of `subprocess.Popen` as the run needs."""

    def __init__(
        self, kubectl: Kubectl, pod: str, python: str, process: str, folder: LoadFolder, console: Path,
        on_break: Callable[..., None],
    ) -> None:  # fmt: skip
        self.returncode: int | None = None
        self.how = ""
        """How it ended, in words, where an exit code does not say it."""
        self.pod = pod
        self.draining = False
        """Whether Locust has ended there, and what it wrote is still on its way."""
        self._kubectl, self._python, self._process = kubectl, python, process
        self._statistics = folder.locust_json if process == "main" else None
        self._pieces: list[bytes] = []
        self._streamed = Streamed(folder, process, console)
        self._clock = ClockOffset()
        self._asked = 0
        self._answered = threading.Semaphore(0)
        self._heard = time.monotonic()
        self._ended = threading.Event()
        self._given_up = threading.Event()
        self._on_break = on_break
        self._line = self._dial()
        for target, name in ((self._read, "reads"), (self._beat, "beats")):
            threading.Thread(target=target, name=f"{pod} {name}", daemon=True).start()

    @property
    def offset(self) -> tuple[int, int]:
        """(nanoseconds that its clock is behind ours, ± how many)."""
        return self._clock.offset_ns, self._clock.error_ns

    def learn_clock(self) -> None:
        """Ask for the time there, some times.

        Raises:
            ToolkitError: it does not answer.
        """
        for _ in range(_PINGS):
            self._asked = self._clock.ping()
            self._say(b"t\n")
            if not self._answered.acquire(timeout=_PING_S):
                raise ToolkitError(
                    f"The pod {self.pod} does not answer: {self.how or 'nothing was heard of it'}."
                )

    def begin(self) -> None:
        """Let Locust start there."""
        self._say(b"go %d\n" % self._clock.offset_ns)

    def poll(self) -> int | None:
        """The exit code, or None while it runs; a line that fell silent is made anew."""
        if self.returncode is None and time.monotonic() > self._heard + SILENCE_S:
            self._line.kill()
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
            raise subprocess.TimeoutExpired(self.pod, timeout or 0.0)
        return self.returncode or 0

    def kill(self) -> None:
        """At once. It still tells what it wrote; who does not answer is hung up on."""
        self._say(b"kill\n")
        if not self._ended.wait(SILENCE_S / 2):
            self.hang_up()

    def hang_up(self) -> None:
        """Listen no more."""
        self._given_up.set()
        self._line.kill()

    def _dial(self) -> LocalProcess:
        had = self._streamed.had
        counts = (str(had[mark]) for mark in (RECORDS, EVENTS, CONSOLE))
        argv = (self._python, f"{LIB}/lent_line.py", WORK, self._process, *counts)
        return self._kubectl.exec(self.pod, CONTAINER, argv)

    def _say(self, line: bytes) -> None:
        with suppress(ToolkitError):  # the line broke, which its reader notices
            self._line.write(line)

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            self._say(b".\n")

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
                self._line.wait(_BEAT_S)
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
