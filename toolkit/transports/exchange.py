"""What a local and a remote process share: chunks of two streams become lines, or a completed command."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.transports.base import Completed, RemoteProcess
from toolkit.transports.quoting import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CHUNK_BYTES = 65536
LINE_BYTES = 1 << 20
OUTPUT_BYTES = 8 << 20
SEND_S = 10.0
"""How long a write may go without a byte sent."""
LOOK_S = 0.25
"""How often a reader that waits looks whether its process was killed."""


class ChunkedProcess(RemoteProcess, Protocol):
    """A process whose two streams can be read as they come."""

    def chunks(self, deadline: float | None) -> Iterator[tuple[str, bytes]]:
        """Yield ("stdout" | "stderr", at most 64 KiB) until both streams have ended or it was killed.

        Raises:
            TimeoutError: `deadline` (of `time.monotonic`) has passed.
        """


class _Lines:
    """One stream, cut at newlines and at 1 MiB."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        searched = len(self._rest)
        self._rest += data
        start = 0
        while (end := self._rest.find(b"\n", max(start, searched))) >= 0:
            yield from _cut(bytes(self._rest[start:end]))
            start = end + 1
        del self._rest[:start]
        while len(self._rest) > LINE_BYTES:
            yield bytes(self._rest[:LINE_BYTES])
            del self._rest[:LINE_BYTES]

    def last(self) -> Iterator[bytes]:
        if self._rest:
            yield bytes(self._rest)


def _cut(line: bytes) -> Iterator[bytes]:
    yield line[:LINE_BYTES]
    for start in range(LINE_BYTES, len(line), LINE_BYTES):
        yield line[start : start + LINE_BYTES]


def split_lines(chunks: Iterable[tuple[str, bytes]], *, torn: bool = True) -> Iterator[tuple[str, bytes]]:
    """Lines without their newlines, each stream's in order; one without a newline comes at the end, where `torn`."""
    streams = {"stdout": _Lines(), "stderr": _Lines()}
    for name, data in chunks:
        for line in streams[name].feed(data):
            yield name, line
    for name, stream in streams.items() if torn else ():
        for line in stream.last():
            yield name, line


def run_to_end(
    process: ChunkedProcess, argv: Sequence[str], *, stdin: bytes, timeout_s: float, address: str
) -> Completed:
    """Feed a started process and keep what it says until it ends; whatever happens, nothing is left open.

    Raises:
        UnreachableError: it outlasted `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    kept = {"stdout": bytearray(), "stderr": bytearray()}
    feeder = threading.Thread(target=_feed, args=(process, stdin), name="stdin", daemon=True)
    feeder.start()
    try:
        for name, data in process.chunks(deadline):
            kept[name] += data[: OUTPUT_BYTES - len(kept[name])]
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        code = None
    finally:
        process.kill()
        feeder.join(SEND_S)
    if code is None:
        raise UnreachableError(
            f"{shown(argv)} on {address} did not end within {timeout_s:g} s.",
            "Look at the host: it may be overloaded, or the connection may hang.",
        )
    return Completed(tuple(argv), code, bytes(kept["stdout"]), bytes(kept["stderr"]))


def _feed(process: ChunkedProcess, stdin: bytes) -> None:
    """Write from a thread of its own: a command may answer much before it has read all."""
    try:
        if stdin:
            process.write(stdin)
        process.close_input()
    except ToolkitError:
        pass  # a command may end without reading its input; its exit code tells what it thinks of it
