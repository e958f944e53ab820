"""Opens the socket that SSH is then spoken over: TCP, or a ProxyCommand."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Protocol

from toolkit.errors import UnreachableError

if TYPE_CHECKING:
    from toolkit.transports.client_config import HostConfig

SILENCE_S = 15
"""After this long without an answer the connection counts as broken, as it does for the agent at the other end."""
_PROBE_S = 5
_LAST_WORDS = 500  # bytes of what a ProxyCommand says
_TCP_RXT_CONNDROPTIME = 0x80  # macOS's TCP_USER_TIMEOUT, in seconds; Python does not name it


def dial(config: HostConfig) -> socket.socket:
    """Connect by TCP.

    Raises:
        UnreachableError: the name is unknown, or nobody answers.
    """
    place = f"{config.hostname} port {config.port}"
    try:
        connection = socket.create_connection((config.hostname, config.port), timeout=config.timeout_s)
    except socket.gaierror as error:
        raise UnreachableError(
            f"The host {config.hostname!r} cannot be resolved: {error.strerror}.",
            "Check the spelling, or give it a HostName in ~/.ssh/config.",
        ) from None
    except ConnectionRefusedError:
        raise UnreachableError(
            f"{place} refuses the connection.", "Is its SSH server running, and is this its port?"
        ) from None
    except TimeoutError:
        raise UnreachableError(
            f"{place} did not answer within {config.timeout_s:g} s.",
            "Is the host up, and does a firewall let you in?",
        ) from None
    except OSError as error:
        raise UnreachableError(f"{place} cannot be reached: {error.strerror or error}.") from None
    except UnicodeError:
        raise UnreachableError(f"{config.hostname!r} is no host name.") from None
    tune(connection)
    return connection


def tune(connection: socket.socket) -> None:
    """Small packets at once (a round trip drops from 48 to 4 ms), and a silent network noticed."""
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (
            socket.IPPROTO_TCP,
            getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None)),
            _PROBE_S,
        ),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", None), _PROBE_S),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", None), SILENCE_S // _PROBE_S),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", None), SILENCE_S * 1000),
    ]
    if sys.platform == "darwin":
        options.append((socket.IPPROTO_TCP, _TCP_RXT_CONNDROPTIME, SILENCE_S))
    for level, option, value in options:
        if option is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(level, option, value)


class Stream(Protocol):
    """What SSH is spoken over: a socket, or a channel of a jump host's connection."""

    def send(self, data: bytes, /) -> int: ...  # noqa: D102
    def recv(self, size: int, /) -> bytes: ...  # noqa: D102
    def settimeout(self, timeout: float | None, /) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Line:
    """A stream that is given up when nothing could be sent over it for `SILENCE_S`.

    paramiko tries for ever, holding a lock that even closing a channel needs. TCP notices a silent network by itself on
    some systems; nobody else notices a ProxyCommand or a jump host that stands still.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._stuck_since = 0.0
        self._closed = False  # paramiko looks at it

    def send(self, data: bytes) -> int:
        """Send some of it.

        Raises:
            TimeoutError: nothing yet; try again.
            ConnectionAbortedError: nothing for too long; the stream is closed.
        """
        try:
            sent = self._stream.send(data)
        except TimeoutError:
            now = time.monotonic()
            self._stuck_since = self._stuck_since or now
            if now - self._stuck_since < SILENCE_S:
                raise
            self.close()
            raise ConnectionAbortedError from None
        self._stuck_since = 0.0
        return sent

    @property
    def closed(self) -> bool:
        """Whether it was hung up or given up."""
        return self._closed

    def recv(self, size: int) -> bytes:
        """Receive some."""
        return self._stream.recv(size)

    def settimeout(self, timeout: float | None) -> None:
        """How long `send` and `recv` wait."""
        self._stream.settimeout(timeout)

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        self._stream.close()


class ProxyCommand:
    """A command that carries the connection, and our end of it.

    Args:
        connection: our end.
        process: the command.
        errors: its standard error, unbuffered.
    """

    def __init__(
        self, connection: socket.socket, process: subprocess.Popen[bytes], errors: IO[bytes]
    ) -> None:
        self.connection = connection
        self._process = process
        self._errors = errors
        self._said = bytearray()
        # It may talk as long as the connection lives: read all of it, keep the end.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._errors as stream:
            while data := stream.read(4096):
                self._said += data
                del self._said[:-_LAST_WORDS]

    def outcome(self) -> str:
        """How it ended and what it said last, in words; waits a moment for an end that is near."""
        try:
            code: int | None = self._process.wait(1)
        except subprocess.TimeoutExpired:
            code = None
        self._reader.join(0.5)
        words = " ".join(bytes(self._said).decode(errors="replace").split())
        said = "".join(character if character.isprintable() else "?" for character in words)
        how = "still runs" if code is None else f"ended with {code}"
        return f"{how} and said: {said}" if said else how

    def close(self) -> None:
        """Hang up and end the command."""
        self.connection.close()
        with contextlib.suppress(OSError):
            self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(2)
        self._reader.join(0.5)


def dial_by_command(config: HostConfig) -> ProxyCommand:
    """Start a ProxyCommand on a socket pair (paramiko's own splits words and leaves its child behind).

    Raises:
        UnreachableError: the shell could not be started.
    """
    ours, theirs = socket.socketpair()
    hears, says = os.pipe()
    errors = os.fdopen(hears, "rb", buffering=0)
    try:
        with theirs, os.fdopen(says, "wb"):
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {config.proxy_command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=says,
                start_new_session=True,
            )
    except OSError as error:
        ours.close()
        errors.close()
        raise UnreachableError(
            f"The ProxyCommand of {config.alias} cannot be started: {error.strerror}."
        ) from None
    return ProxyCommand(ours, process, errors)
