"""The agent's end of the line to its controller, which may be another after a break: docs/decisions/015."""

from __future__ import annotations

import array
import contextlib
import hmac
import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import presence
from wire import Item, Lines

if TYPE_CHECKING:
    from wire import Writer

READ_BYTES = 256 * 1024
HANDING_S = 1.0
REFUSED = b"no"
_MESSAGE_BYTES = 4096
_STREAMS = 3  # input, output, error


class Line:
    """Reads the controller's lines, and lets the same controller come back on other streams.

    Args:
        source: where its lines come from.
        writer: where ours go.
    """

    def __init__(self, source: int, writer: Writer) -> None:
        self._source: Optional[int] = source
        self._writer = writer
        self._lines = Lines()
        self._door: Optional[socket.socket] = None
        self._token = ""
        self._wait_s = 0.0
        self._gives_up_at: Optional[float] = None
        self._holder: Optional[socket.socket] = None
        self.heard = 0
        """The number of the last line that had one."""

    @property
    def descriptors(self) -> List[int]:
        """To be waited for."""
        door = [self._door.fileno()] if self._door is not None else []
        return ([self._source] if self._source is not None else []) + door

    def readable(self, ready: List[int]) -> bool:
        """Whether the controller has said something, or has closed its end."""
        return self._source is not None and self._source in ready

    def open_door(self, token: str, wait_s: float) -> bool:
        """Let who has the token come back, as long as the agent lives; whether that is possible here.

        Args:
            token: the controller's own.
            wait_s: after the end of our input.
        """
        door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            door.bind("\0" + door_name(os.getpid()))
            door.listen(4)
            door.setblocking(False)
        except OSError:
            door.close()
            return False
        self._door, self._token, self._wait_s = door, token, wait_s
        self._writer.keep()
        return True

    def read(self) -> Optional[List[Item]]:
        """What the controller has said, each line once; None where its end is closed."""
        assert self._source is not None  # noqa: S101 (readable was asked)
        try:
            data = os.read(self._source, READ_BYTES)
        except OSError:
            data = b""
        if not data or (self._writer.broken and self._door is None):
            return None
        return [item for item in self._lines.feed(data) if self._is_new(item)]

    def _is_new(self, item: Item) -> bool:
        number = item.get("n") if isinstance(item, dict) else None
        if not isinstance(number, int):
            return True
        if number <= self.heard:
            return False
        self.heard = number
        return True

    def wait(self) -> bool:
        """The controller's end is closed: whether to wait for another line."""
        if self._door is None or self._wait_s <= 0:
            return False
        if self._source is not None:
            os.close(self._source)
        self._source, self._gives_up_at = None, time.monotonic() + self._wait_s
        return True

    @property
    def wait_s(self) -> float:
        """How long there is to wait at most."""
        return 1.0 if self._gives_up_at is None else max(0.0, self._gives_up_at - time.monotonic())

    @property
    def given_up(self) -> bool:
        """Whether it was waited for long enough."""
        return self._gives_up_at is not None and time.monotonic() >= self._gives_up_at

    def rejoined(self) -> bool:
        """Look whether the controller has come back; then its streams are the line."""
        if self._door is None:
            return False
        try:
            asker, _ = self._door.accept()
        except OSError:
            return False
        asker.settimeout(HANDING_S)
        asked, streams = {}, []  # type: Tuple[Dict[str, Any], List[int]]
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if presence.uid_of(asker) in (0, os.geteuid()):
                asked, streams = _handed(asker)
        if len(streams) != _STREAMS or not hmac.compare_digest(
            str(asked.get("token")).encode(), self._token.encode()
        ):
            for stream in streams:
                os.close(stream)
            with contextlib.suppress(OSError):
                asker.send(REFUSED)
            asker.close()
            return False
        self._take(asker, streams, asked.get("heard"))
        return True

    def _take(self, holder: socket.socket, streams: List[int], heard: object) -> None:
        if self._source is not None:
            os.close(self._source)
        if self._holder is not None:
            self._holder.close()
        self._holder, self._gives_up_at = holder, None
        self._source, target, errors = streams
        for stream in (2, 1):  # a stray print goes where errors go, as before
            os.dup2(errors, stream)
        os.close(errors)
        self._lines = Lines()
        told = {"type": "reattached", "pid": os.getpid(), "heard": self.heard}
        with contextlib.suppress(OSError):  # a line that broke again is seen by whoever reads or writes next
            os.write(target, json.dumps(told).encode("ascii") + b"\n")
        again = self._writer.resume(target, heard if isinstance(heard, int) else 0)
        message = "The controller is back on another connection; %d lines were said again." % again
        self._writer.say({"type": "log", "message": message})

    def close(self, code: int) -> None:
        """Tell who holds the streams how the agent ends."""
        if self._door is not None:
            self._door.close()
        if self._holder is not None:
            with contextlib.suppress(OSError):
                self._holder.send(b"%d" % code)
            self._holder.close()


def door_name(pid: int) -> str:
    """The name in the kernel at which an agent's controller comes back."""
    return "%sline/%s" % (presence.PREFIX, presence.own_name(pid).rpartition("/")[2])


def _handed(asker: socket.socket) -> Tuple[Dict[str, Any], List[int]]:
    """What was asked, and the descriptors that came with it."""
    streams = array.array("i")
    room = socket.CMSG_SPACE(_STREAMS * streams.itemsize)
    data, extras, _, _ = asker.recvmsg(_MESSAGE_BYTES, room)
    for level, kind, content in extras:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            streams.frombytes(content[: len(content) - len(content) % streams.itemsize])
    for stream in streams:
        os.set_inheritable(stream, False)
    try:
        asked = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        asked = {}
    return (asked if isinstance(asked, dict) else {}), list(streams)
