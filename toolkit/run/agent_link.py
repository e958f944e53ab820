"""Talks with one agent: questions with answers, what it says by itself, and how it ended."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.run.agent_ears import Ears
from toolkit.run.agent_errors import error_of
from toolkit.run.agent_line import AgentLine
from toolkit.run.agent_trust import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.run.agent_clock import ClockOffset
    from toolkit.run.agent_mending import Mender
    from toolkit.transports.base import RemoteProcess

_LAST_WORDS = 12
_ASK_AGAIN_S = 0.1
_STRANGE_LINES_LOGGED = 50
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
        self.lost = ""
        """Why the agent is gone; empty while it is there."""
        self._address, self._on_message, self._log = address, on_message, log
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._asked = ""
        self._asking = threading.Lock()
        self._guard = threading.Lock()
        self._leaving = False
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._strange = 0
        ears = Ears(self._hear, self._hear_words, self._hear_strange, self._over, lambda: self._asked)
        self._line = AgentLine(process, ears, silence_s)

    @property
    def clock(self) -> ClockOffset:
        """How far the agent's clock is from ours."""
        return self._line.clock

    @property
    def exit_code(self) -> int | None:
        """The agent's, once it has ended; None where nobody knows."""
        return self._line.exit_code

    @property
    def broken(self) -> bool:
        """Whether its connection broke, and is being mended."""
        return self._line.broken

    def start(self, first: bytes = b"") -> None:
        """Start to talk; `first` goes out before anything else and is kept nowhere.

        Raises:
            UnreachableError: the process is gone already.
        """
        self._line.start(first)

    def mend_with(self, mender: Mender) -> None:
        """From here on a connection that breaks is mended."""
        self._line.mend_with(mender)

    def say(self, message: dict[str, Any]) -> None:
        """Queue a message that has no answer."""
        self._line.say(message)

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
                self._line.say(message)
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
        return self._line.ended.wait(timeout_s)

    def leave(self) -> None:
        """From here on the end of the agent is what is wanted, not a loss."""
        self._leaving = True

    def close(self, timeout_s: float) -> None:
        """Let the agent see the end of its input, wait for its end, then cut the line. Never raises."""
        self._leaving = True
        self._line.close(timeout_s)

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
        if self.lost or self._line.ended.is_set():
            raise UnreachableError(
                f"The agent on {self._address} is gone: {self.lost or self._end_reason()}.",
                "agent.log in the run folder may say more.",
            )

    def _over(self, reason: str) -> None:
        reason = reason or self._end_reason()
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

    def _end_reason(self) -> str:
        code = "without an exit code" if self.exit_code in (None, -1) else f"with exit code {self.exit_code}"
        words = self.last_words()
        return f"it ended {code}" + (f" and said: {words}" if words else "")

    def _hear_words(self, line: bytes) -> None:
        text = plain(line.decode("utf-8", "replace").strip(), 1000)
        if text:
            self._last_words.append(text)
            self._log(f"stderr: {text}")

    def _hear_strange(self, line: bytes) -> None:
        self._strange += 1
        if self._strange <= _STRANGE_LINES_LOGGED and line.strip():
            self._log(f"not of the protocol: {plain(line.decode('utf-8', 'replace'), 200)}")

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "bye":
            self._line.parting = True
        if message["type"] in _HEARD_TOO:
            self._on_message(message)
        if message["type"] == self._asked or (message["type"] == "error" and self._error_answers()):
            self._answers.put(message)
        elif message["type"] not in {"pong", *_HEARD_TOO}:
            self._on_message(message)

    def _error_answers(self) -> bool:
        """Whether an error is the answer to what was asked; while stopping, a recorder's fault is not."""
        return self._asked not in {"", "pong", "stopped"}
