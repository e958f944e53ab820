"""The transport for a service on this machine: `local:`."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, UnreachableError, UsageError
from toolkit.transports.exchange import CHUNK_BYTES, LOOK_S, SEND_S, run_to_end, split_lines
from toolkit.transports.quoting import check_argv, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.transports.address import Address
    from toolkit.transports.base import Completed, ConnectOptions

_CLOSE_S = 5.0


class LocalProcess:
    """A child in a session of its own, which no Ctrl-C in the terminal reaches."""

    def __init__(self, argv: Sequence[str]) -> None:
        check_argv(argv)
        self._shown = shown(argv)
        # By the shell, so that a missing program is what it is over SSH: exit code 127 and a line on stderr.
        self._child = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@"', "sh", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        if not (self._child.stdin and self._child.stdout and self._child.stderr):  # pragma: no cover
            raise AssertionError
        self._stdin, self._stdout, self._stderr = self._child.stdin, self._child.stdout, self._child.stderr
        os.set_blocking(self._stdin.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ, "stdout")
        self._selector.register(self._stderr, selectors.EVENT_READ, "stderr")
        self._killed = threading.Event()
        self._writing = threading.Lock()
        self._reading = threading.Lock()

    def write(self, data: bytes) -> None:
        """Send to its standard input; see `RemoteProcess.write`."""
        if not self._writing.acquire(timeout=SEND_S):
            raise self._stuck()
        try:
            self._write(memoryview(data))
        finally:
            self._writing.release()

    def _write(self, data: memoryview) -> None:
        deadline = time.monotonic() + SEND_S
        while data:
            if self._stdin.closed or self._killed.is_set():
                raise self._gone()
            try:
                data = data[os.write(self._stdin.fileno(), data[:CHUNK_BYTES]) :]
                deadline = time.monotonic() + SEND_S
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._stuck() from None
                poll = select.poll()
                poll.register(self._stdin, select.POLLOUT)
                poll.poll(LOOK_S * 1000)
            except OSError:
                raise self._gone() from None

    def _gone(self) -> UnreachableError:
        return UnreachableError(f"{self._shown} on local: no longer reads its input.")

    def _stuck(self) -> UnreachableError:
        return UnreachableError(f"{self._shown} on local: read nothing of its input for {SEND_S:g} s.")

    def close_input(self) -> None:
        """Let it see the end of its input."""
        with self._writing:
            self._stdin.close()

    def chunks(self, deadline: float | None) -> Iterator[tuple[str, bytes]]:
        """Yield both streams as they come; see `ChunkedProcess.chunks`."""
        while True:
            wait_s = LOOK_S if deadline is None else min(LOOK_S, deadline - time.monotonic())
            if wait_s <= 0:
                raise TimeoutError
            # Held for one look only, so that `kill` may close the streams between two.
            with self._reading:
                if self._killed.is_set() or not self._selector.get_map():
                    break
                ready = self._read_ready(wait_s)
            yield from ready
        self._close_outputs()

    def _read_ready(self, wait_s: float) -> list[tuple[str, bytes]]:
        found = []
        for key, _ in self._selector.select(wait_s):
            data = os.read(key.fd, CHUNK_BYTES)
            if data:
                found.append((str(key.data), data))
            else:
                self._selector.unregister(key.fileobj)
        return found

    def _close_outputs(self) -> None:
        with self._reading:
            self._selector.close()
            self._stdout.close()
            self._stderr.close()

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Yield lines of both streams; see `RemoteProcess.lines`."""
        return split_lines(self.chunks(None))

    def whole_lines(self) -> Iterator[tuple[str, bytes]]:
        """As `lines`, without what was cut off at the end of a stream: it may be half a line."""
        return split_lines(self.chunks(None), torn=False)

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, -1 for a signal, or None where it still runs."""
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        with contextlib.suppress(OSError):
            self.close_input()
        return code if code >= 0 else -1

    def hang_up(self) -> None:
        """What a process over SSH sees when the connection ends: no more input, nobody reading its output."""
        self._killed.set()
        with contextlib.suppress(OSError):
            self.close_input()
        self._close_outputs()

    def kill(self) -> None:
        """End it with SIGKILL, wait for it, and close its streams. Its own children are theirs to end."""
        self._killed.set()
        with contextlib.suppress(OSError):
            self._child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_CLOSE_S)
        self.hang_up()


class LocalTransport:
    """This machine, with the rights of whoever started the toolkit."""

    def __init__(self) -> None:
        self._started: list[LocalProcess] = []

    @property
    def address(self) -> str:
        """`local:`."""
        return "local:"

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Completed:
        """Run argv to its end; see `Transport.run`."""
        return run_to_end(self._start(argv), argv, stdin=stdin, timeout_s=timeout_s, address=self.address)

    def start(self, argv: Sequence[str]) -> LocalProcess:
        """Start argv; see `Transport.start`."""
        process = self._start(argv)
        self._started.append(process)
        return process

    def _start(self, argv: Sequence[str]) -> LocalProcess:
        try:
            return LocalProcess(argv)
        except OSError as error:
            raise UnreachableError(
                f"{shown(argv)} could not be started on this machine: {error.strerror}."
            ) from None

    def put(self, data: bytes, path: str, mode: int) -> None:
        """Write a new file; see `Transport.put`."""
        try:
            descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode
            )
        except OSError as error:
            raise ToolkitError(f"{path} on local: could not be made: {error.strerror}.") from None
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)  # the umask took its part of it
                file.write(data)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 - the path is a server's, not one of ours
            raise ToolkitError(f"{path} on local: could not be written: {error.strerror}.") from None

    def exists(self, path: str) -> bool:
        """Look; see `Transport.exists`."""
        return os.path.lexists(path)

    def close(self) -> None:
        """Let every process that was started see the end of its input, and end those that stay.

        Over SSH they would be left alone; here they would be left over.
        """
        for process in self._started:
            process.hang_up()
        deadline = time.monotonic() + _CLOSE_S
        for process in self._started:
            process.wait(max(0.0, deadline - time.monotonic()))
            process.kill()
        self._started = []


def open_local(address: Address, options: ConnectOptions) -> LocalTransport:
    """The transport for `local:`.

    Raises:
        UsageError: the address names a host.
    """
    del options
    if address.host:
        raise UsageError(f"local: takes no host, and {address.host!r} was given.", "Write local: alone.")
    return LocalTransport()
