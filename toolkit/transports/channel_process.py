"""A command at the other end of an SSH channel."""

from __future__ import annotations

import contextlib
import select
import threading
import time
from typing import TYPE_CHECKING, Protocol

from toolkit.errors import UnreachableError
from toolkit.transports.exchange import CHUNK_BYTES, LOOK_S, SEND_S, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator


class Channel(Protocol):
    """What is used of paramiko's channel, which is imported in one file only."""

    closed: bool
    eof_received: bool
    status_event: threading.Event

    def fileno(self) -> int: ...  # noqa: D102
    def recv_ready(self) -> bool: ...  # noqa: D102
    def recv(self, nbytes: int) -> bytes: ...  # noqa: D102
    def recv_stderr_ready(self) -> bool: ...  # noqa: D102
    def recv_stderr(self, nbytes: int) -> bytes: ...  # noqa: D102
    def recv_exit_status(self) -> int: ...  # noqa: D102
    def sendall(self, s: bytes) -> None: ...  # noqa: D102
    def settimeout(self, timeout: float | None) -> None: ...  # noqa: D102
    def shutdown_write(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class ChannelProcess:
    """One command. Write from any thread; read from one."""

    def __init__(self, channel: Channel, address: str) -> None:
        self._channel = channel
        self._address = address
        channel.settimeout(SEND_S)
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)
        self._killed = threading.Event()
        self._writing = threading.Lock()

    def write(self, data: bytes) -> None:
        """Send to its standard input; see `RemoteProcess.write`."""
        if not self._writing.acquire(timeout=SEND_S):
            raise self._stuck()
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise self._stuck() from None
        except (OSError, EOFError):
            raise UnreachableError(
                f"A command on {self._address} no longer reads its input: it or the connection ended."
            ) from None
        finally:
            self._writing.release()

    def _stuck(self) -> UnreachableError:
        return UnreachableError(f"A command on {self._address} read nothing of its input for {SEND_S:g} s.")

    def close_input(self) -> None:
        """Let it see the end of its input."""
        with contextlib.suppress(OSError, EOFError):  # the connection ended, and its input with it
            self._channel.shutdown_write()

    def chunks(self, deadline: float | None) -> Iterator[tuple[str, bytes]]:
        """Yield both streams as they come; see `ChunkedProcess.chunks`.

        One is never read to its end before the other: the second would fill the channel's window and all would hang.
        """
        channel = self._channel
        while not self._killed.is_set():
            wait_s = LOOK_S if deadline is None else min(LOOK_S, deadline - time.monotonic())
            if wait_s <= 0:
                raise TimeoutError
            self._poll.poll(wait_s * 1000)
            if self._killed.is_set():
                return
            ended = channel.eof_received or channel.closed  # asked first: nothing comes after it
            quiet = True
            if channel.recv_ready():
                quiet = False
                yield "stdout", channel.recv(CHUNK_BYTES)
            if channel.recv_stderr_ready():
                quiet = False
                yield "stderr", channel.recv_stderr(CHUNK_BYTES)
            if ended and quiet:
                return

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Yield lines of both streams; see `RemoteProcess.lines`."""
        return split_lines(self.chunks(None))

    def wait(self, timeout_s: float) -> int | None:
        """The exit code; -1 where a signal or a broken connection ended it; None where it still runs."""
        if not self._channel.status_event.wait(timeout_s):
            return None
        return self._channel.recv_exit_status()

    def kill(self) -> None:
        """Close the channel. The command sees the end of its input and a broken pipe, nothing more."""
        self._killed.set()
        with contextlib.suppress(OSError, EOFError):  # nothing left to close
            self._channel.close()
