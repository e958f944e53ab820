"""The line to one agent: a thread that reads, one that writes and keeps the heartbeat, and mends the line where it broke."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.run.agent_clock import ClockOffset
from toolkit.run.agent_ears import Ears, as_line, greeting
from toolkit.run.agent_numbers import Numbers
from toolkit.run.agent_trust import plain, read_message

if TYPE_CHECKING:
    from toolkit.run.agent_mending import Mender
    from toolkit.transports.base import RemoteProcess

HEARTBEAT_S = 2.0
MEND_AFTER_S = 6.0
"""Of silence: the agent waits longer than that for us to come back (its grace), and three heartbeats are none by chance."""

_LOOK_S = 0.5
_EXIT_WAIT_S = 2.0
_BUSY_S = 40.0
_AT_ONCE = ("", "pong", "stopped", "bye")  # while it is asked for these the agent answers pings as ever
_WAKE = {"op": ""}


class AgentLine:
    """Carries lines both ways over a started agent's streams.

    Args:
        process: the agent.
        ears: who is told what comes.
        silence_s: after so long without a word the agent counts as lost.
    """

    def __init__(self, process: RemoteProcess, ears: Ears, silence_s: float) -> None:
        self.clock = ClockOffset()
        self.numbers = Numbers()
        self.exit_code: int | None = None
        self.ended = threading.Event()
        self.greeted = False
        self.parting = False
        """The end of the agent is what is wanted now: nothing is mended any more."""
        self.heard_at = time.monotonic()
        self._process, self._ears, self._silence_s = process, ears, silence_s
        self._mender: Mender | None = None
        self._outbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._broken = ""
        self._turn = 0
        self._hearing = threading.Lock()
        self._joining: queue.Queue[dict[str, Any]] | None = None
        self._writer = threading.Thread(target=self._write, name="agent writer", daemon=True)
        self._reader = self._reader_of(process, 0)

    def start(self, first: bytes) -> None:
        """Start both threads; `first` goes out before anything else and is kept nowhere.

        Raises:
            UnreachableError: the process is gone already.
        """
        if first:
            self._process.write(first)
        self._reader.start()
        self._writer.start()

    def say(self, message: dict[str, Any]) -> None:
        """Queue a line."""
        self._outbox.put(message)

    def mend_with(self, mender: Mender) -> None:
        """From here on a line that breaks is mended."""
        self._mender = mender

    @property
    def broken(self) -> bool:
        """Whether it is being mended."""
        return bool(self._broken) and not self.ended.is_set()

    def close(self, timeout_s: float) -> None:
        """Let the agent see the end of its input, wait for its end, then cut the line. Never raises."""
        self.parting = True
        self._outbox.put(None)
        self._process.close_input()
        self.ended.wait(timeout_s)
        self._process.kill()
        for thread in (self._reader, self._writer):
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(timeout_s)

    # -- reading

    def _reader_of(self, process: RemoteProcess, turn: int) -> threading.Thread:
        return threading.Thread(target=self._read, args=(process, turn), name="agent reader", daemon=True)

    def _read(self, process: RemoteProcess, turn: int) -> None:
        reason = ""
        try:
            for stream, line in process.lines():
                with self._hearing:
                    if turn != self._turn:
                        return  # another line has taken its place
                    self._take(stream, line)
        except ToolkitError as error:
            reason = error.message.rstrip(".")
        except OSError as error:
            reason = f"this side cannot write what it sends ({error.strerror or error})"
        except Exception as error:  # noqa: BLE001 - a thread that dies unseen would leave the run waiting
            reason = f"its messages could not be handled ({type(error).__name__}: {plain(str(error), 300)})"
        self._read_all(process, turn, reason)

    def _read_all(self, process: RemoteProcess, turn: int, reason: str) -> None:
        """Nothing more comes from this process."""
        code = process.wait(_EXIT_WAIT_S)
        with self._hearing:
            if turn != self._turn:
                return
            joining = self._joining
            if joining is None:
                self.exit_code = code
        if joining is not None:
            joining.put({"type": "ended", "code": code})
        elif not reason and code in {None, -1} and self._mendable:
            self._broken = "the connection ended"
            self._outbox.put(_WAKE)
        else:
            self.end(reason)

    def _take(self, stream: str, line: bytes) -> None:
        if stream == "stderr":
            self._ears.words(line)
            return
        if self._joining is not None:
            answer = greeting(line, ("reattached", "error"))
            if answer is not None:
                self._joining.put(answer)
                self._joining = None if answer["type"] == "reattached" else self._joining
            return
        message = read_message(line) if self.greeted else greeting(line, ("hello", "error"))
        if message is None:
            # Before the greeting that is somebody's shell profile; after it, nothing that we asked for.
            self._ears.strange(line)
            return
        self.greeted = True
        self.heard_at = time.monotonic()
        if not self.numbers.is_new(message):
            return
        if self._mender is not None and self.numbers.to_be_told(len(line)):
            self._outbox.put({"op": "ping"})
        if message["type"] == "pong":
            self.numbers.heard_by_agent(message.get("heard"))
            if not self.clock.pong(message.get("t0"), message.get("t")):
                return
        self._ears.message(message)

    # -- writing

    def _write(self) -> None:
        looked = said = time.monotonic()
        while not self.ended.is_set():
            try:
                message = self._outbox.get(timeout=_LOOK_S)
            except queue.Empty:
                message = {"op": "ping"} if time.monotonic() - said > HEARTBEAT_S - _LOOK_S else _WAKE
            if message is None:
                return
            now = time.monotonic()
            said = now if message["op"] else said
            if now - looked > 3 * HEARTBEAT_S:
                self.heard_at = now  # this side slept, or was stopped: the silence was ours
            self._broken = self._broken or self._silence(now)
            if self._broken and not self._mend():
                return
            looked = time.monotonic()
            if message["op"] and not self._send(message):
                return

    def _silence(self, now: float) -> str:
        quiet_s = now - self.heard_at
        allowed_s = self._allowed_s()
        if self._mendable and self._ears.asked() in _AT_ONCE:
            allowed_s = max(1.5 * HEARTBEAT_S, min(MEND_AFTER_S, self._silence_s * 0.4))
        return f"no sign of life for {quiet_s:.0f} s" if self.greeted and quiet_s > allowed_s else ""

    def _allowed_s(self) -> float:
        # The agent answers one thing after another: while it looks at processes it does not answer pings.
        idle = self._ears.asked() in {"", "pong"}
        return self._silence_s if idle else max(self._silence_s, _BUSY_S)

    def _send(self, message: dict[str, Any]) -> bool:
        """Send one line; False where the line has ended by that."""
        if message["op"] == "ping":
            message = {**message, "t0": self.clock.ping(), "heard": self.numbers.heard}
        elif self._mender is not None:
            message = self.numbers.said(message)
        try:
            self._process.write(as_line(message))
        except UnreachableError as error:
            # Its end, which the reader is about to see, says more than a broken pipe does.
            if self.ended.wait(_EXIT_WAIT_S):
                return False
            if self._mendable:
                self._broken = self._broken or error.message.rstrip(".")
                self._outbox.put(_WAKE)
                return True
            self.end(error.message.rstrip("."))
            return False
        return True

    # -- mending

    @property
    def _mendable(self) -> bool:
        return self._mender is not None and self.greeted and not self.parting

    def _mend(self) -> bool:
        """Come back to the agent on another connection; False where the line has ended."""
        mender = self._mender
        if mender is None or not self._mendable:
            self.end(self._broken)
            return False
        with self._hearing:
            self._turn += 1  # what the old connection still brings is said again on the new one
        quiet_since = self.heard_at
        mender.broke(self._broken, time.monotonic() - quiet_since)
        threading.Thread(
            target=self._process.kill, daemon=True
        ).start()  # may wait for a network that is silent
        until = quiet_since + self._allowed_s() + HEARTBEAT_S
        why = ""
        while not why and not self.parting:
            joined, why = mender.attempt(self._join)
            if joined:
                mender.mended(time.monotonic() - quiet_since)
                self.heard_at = time.monotonic()
                self._broken = ""
                return all(self._send_again(message) for message in self.numbers.unheard())
            if time.monotonic() > until:
                why = f"{self._broken}, and it could not be reached again: {mender.last_problem}"
            elif not why:
                mender.pause()
        self.end(why or self._broken)
        return False

    def _join(self, process: RemoteProcess, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Ask a fresh process for the agent's streams; its answer, or `ended` with its exit code, or `silent`."""
        answers: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._hearing:
            self._turn += 1
            self._joining = answers
            self._process = process
        self._reader = self._reader_of(process, self._turn)
        self._reader.start()
        try:
            process.write(as_line({**request, "heard": self.numbers.heard}))
            answer = answers.get(timeout=timeout_s)
        except (queue.Empty, UnreachableError):
            answer = {"type": "silent"}
        if answer["type"] == "reattached":
            self.numbers.heard_by_agent(answer.get("heard"))
            return answer
        with self._hearing:
            self._turn += 1
            self._joining = None
        threading.Thread(target=process.kill, daemon=True).start()
        return answer

    def _send_again(self, message: dict[str, Any]) -> bool:
        try:
            self._process.write(as_line(message))
        except UnreachableError as error:  # broken once more: the next turn of the writer sees to it
            self._broken = error.message.rstrip(".")
            self._outbox.put(_WAKE)
        return True

    def end(self, reason: str) -> None:
        """No more lines will come; a second call does nothing."""
        if not self.ended.is_set():
            self.ended.set()
            self._ears.over(reason)
