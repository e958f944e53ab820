"""The line to one agent: a thread that reads, a thread that writes and keeps the heartbeat, and questions with answers."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.run.agent_clock import ClockOffset
from toolkit.run.agent_errors import error_of
from toolkit.run.agent_trust import plain, read_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.transports.base import RemoteProcess

HEARTBEAT_S = 2.0
_LAST_WORDS = 12
_ASK_AGAIN_S = 0.1
_BUSY_S = 40.0
_EXIT_WAIT_S = 2.0
_STRANGE_LINES_LOGGED = 50
_NOISE_BYTES = 4096
# Answers that the reader must take in before the next line: that is what gives the log blocks behind it their names.
_HEARD_TOO = ("watching",)


class AgentLink:
    """Talks to one started agent.

    Args:
        process: the agent.
        address: of its host, for messages.
        on_message: gets every message that answers nothing, in the reader's thread; what it raises ends the link.
        log: takes one line of text.
        silence_s: after so long without a word the agent counts as lost.
    """

    def __init__(
        self,
        process: RemoteProcess,
        address: str,
        on_message: Callable[[dict[str, Any]], None],
        log: Callable[[str], None],
        silence_s: float,
    ) -> None:
        self.clock = ClockOffset()
        self.lost = ""
        """Why the agent is gone; empty while it is there."""
        self.exit_code: int | None = None
        self._process, self._address, self._on_message, self._log = process, address, on_message, log
        self._silence_s = silence_s
        self._outbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._asked = ""
        self._asking = threading.Lock()
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._greeted = False
        self._leaving = False
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._strange = 0
        self._heard = time.monotonic()
        self._threads = [
            threading.Thread(target=target, name=f"agent {name} {address}", daemon=True)
            for target, name in ((self._read, "reader"), (self._write, "writer"))
        ]

    def start(self, first: bytes = b"") -> None:
        """Start both threads; `first` goes out before anything else and is kept nowhere.

        Raises:
            UnreachableError: the process is gone already.
        """
        if first:
            self._process.write(first)
        for thread in self._threads:
            thread.start()

    def say(self, message: dict[str, Any]) -> None:
        """Queue a message that has no answer."""
        self._outbox.put(message)

    def ask(
        self,
        message: dict[str, Any],
        answer: str,
        timeout_s: float,
        give_up: Callable[[], str] | None = None,
    ) -> dict[str, Any]:
        """Send a message and wait for its answer of type `answer`.

        Args:
            message: an op.
            answer: the type of its answer.
            timeout_s: how long to wait.
            give_up: asked again and again meanwhile: why not to wait any longer, else an empty text.

        Raises:
            ToolkitError: of the kind of the agent's error; or it was given up, with why.
            UnreachableError: the agent is gone, or said nothing to it within `timeout_s`.
        """
        with self._asking:
            while not self._answers.empty():
                self._answers.get_nowait()
            self._asked = answer
            try:
                self._check_lost()
                self._outbox.put(message)
                return self._await(answer, str(message.get("op")), timeout_s, give_up)
            finally:
                self._asked = ""

    def measure_clock(self, times: int, timeout_s: float) -> None:
        """Exchange pings one after another.

        Raises:
            UnreachableError: the agent is gone, or does not answer.
        """
        for _ in range(times):
            self.ask({"op": "ping"}, "pong", timeout_s)

    def last_words(self) -> str:
        """The last lines that came on standard error, on one line."""
        return plain(" / ".join(self._last_words), 1500)

    def wait_ended(self, timeout_s: float) -> bool:
        """Whether the agent's streams end within `timeout_s`."""
        return self._ended.wait(timeout_s)

    def leave(self) -> None:
        """From here on the end of the agent is what is wanted, not a loss."""
        self._leaving = True

    def close(self, timeout_s: float) -> None:
        """Let the agent see the end of its input, wait for its end, then cut the line. Never raises."""
        self._leaving = True
        self._outbox.put(None)
        self._process.close_input()
        self._ended.wait(timeout_s)
        self._process.kill()
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(timeout_s)

    def _await(
        self, answer: str, op: str, timeout_s: float, give_up: Callable[[], str] | None
    ) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            try:
                message = self._answers.get(timeout=left_s if give_up is None else min(left_s, _ASK_AGAIN_S))
            except queue.Empty:
                if give_up is not None and (why := give_up()):
                    raise ToolkitError(why) from None
                if time.monotonic() < deadline:
                    continue
                said = f" It said: {self.last_words()}" if self._last_words else ""
                raise UnreachableError(
                    f"The agent on {self._address} did not answer {op!r} within {timeout_s:.0f} s.{said}",
                    "agent.log in the run folder may say more; look at the load of that host.",
                ) from None
            if message is None:
                self._check_lost()
            elif message["type"] == "error":
                raise error_of(message, self._address)
            elif message["type"] == answer:
                return message

    def _check_lost(self) -> None:
        if self.lost:
            raise UnreachableError(
                f"The agent on {self._address} is gone: {self.lost}.",
                "agent.log in the run folder may say more.",
            )

    def _lose(self, reason: str) -> None:
        with self._guard:
            if self.lost or self._leaving:
                self._answers.put(None)
                return
            self.lost = reason
        self._log(f"lost: {reason}")
        self._answers.put(None)
        try:
            self._on_message({"type": "lost", "reason": reason})
        except (ToolkitError, OSError, ValueError) as error:
            self._log(f"while saying so: {error}")

    def _read(self) -> None:
        reason = ""
        try:
            for stream, line in self._process.lines():
                if stream == "stderr":
                    self._hear_words(line)
                else:
                    self._hear(line)
        except ToolkitError as error:
            reason = error.message.rstrip(".")
        except OSError as error:
            reason = f"this side cannot write what it sends ({error.strerror or error})"
        except Exception as error:  # noqa: BLE001 - a thread that dies unseen would leave the run waiting
            reason = f"its messages could not be handled ({type(error).__name__}: {plain(str(error), 300)})"
        self.exit_code = self._process.wait(_EXIT_WAIT_S)
        self._ended.set()
        self._lose(reason or self._end_reason())

    def _end_reason(self) -> str:
        code = "without an exit code" if self.exit_code in (None, -1) else f"with exit code {self.exit_code}"
        words = self.last_words()
        return f"it ended {code}" + (f" and said: {words}" if words else "")

    def _hear_words(self, line: bytes) -> None:
        text = plain(line.decode("utf-8", "replace").strip(), 1000)
        if text:
            self._last_words.append(text)
            self._log(f"stderr: {text}")

    def _hear(self, line: bytes) -> None:
        message = read_message(line) if self._greeted else _greeting(line)
        if message is None:
            # Before the greeting that is somebody's shell profile; after it, nothing that we asked for.
            self._strange += 1
            if self._strange <= _STRANGE_LINES_LOGGED and line.strip():
                self._log(f"not of the protocol: {plain(line.decode('utf-8', 'replace'), 200)}")
            return
        self._greeted = True
        self._heard = time.monotonic()
        if message["type"] == "pong" and not self.clock.pong(message.get("t0"), message.get("t")):
            return
        if message["type"] in _HEARD_TOO:
            self._on_message(message)
        if message["type"] == self._asked or (message["type"] == "error" and self._error_answers()):
            self._answers.put(message)
        elif message["type"] not in {"pong", *_HEARD_TOO}:
            self._on_message(message)

    def _error_answers(self) -> bool:
        """Whether an error is the answer to what was asked; while stopping, a recorder's fault is not."""
        return self._asked not in {"", "pong", "stopped"}

    def _write(self) -> None:
        looked = time.monotonic()
        while not self._ended.is_set():
            try:
                message = self._outbox.get(timeout=HEARTBEAT_S)
            except queue.Empty:
                message = {"op": "ping"}
            if message is None or self.lost:
                return
            now = time.monotonic()
            if now - looked > 3 * HEARTBEAT_S:
                self._heard = now  # this side slept, or was stopped: the silence was ours
            looked = now
            # The agent answers one thing after another: while it looks at processes it does not answer pings.
            allowed_s = max(self._silence_s, _BUSY_S) if self._asked not in {"", "pong"} else self._silence_s
            if self._greeted and now - self._heard > allowed_s:
                self._lose(f"no sign of life for {now - self._heard:.0f} s")
                return
            if not self._send(message):
                return

    def _send(self, message: dict[str, Any]) -> bool:
        if message["op"] == "ping":
            message = {**message, "t0": self.clock.ping()}
        try:
            self._process.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        except UnreachableError as error:
            # Its end, which the reader is about to see, says more than a broken pipe does.
            if not self._ended.wait(_EXIT_WAIT_S):
                self._lose(error.message.rstrip("."))
            return False
        return True


def _greeting(line: bytes) -> dict[str, Any] | None:
    """The agent's first word in a line: a shell profile may have begun it without ending it."""
    start = line.find(b"{")
    while start >= 0:
        message = read_message(line[start:])
        if message is not None and message["type"] in {"hello", "error"}:
            return message
        start = line.find(b"{", start + 1, _NOISE_BYTES)
    return None
