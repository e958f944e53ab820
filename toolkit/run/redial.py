"""A connection that can be made anew after it broke, without asking anybody for a secret a second time."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.transports.address import parse_address
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.transports.base import Completed, ConnectOptions, RemoteProcess, Transport

REDIAL_S = 4.0
"""To connect again, for each step of it: the agent waits for a limited time only."""


class LastingTransport:
    """A host; each call goes over the latest connection.

    Args:
        first: the connection.
        dial: opens another one.
    """

    def __init__(self, first: Transport, dial: Callable[[], Transport]) -> None:
        self._current = first
        self._dial = dial
        self._closed = False
        self._guard = threading.Lock()

    @property
    def address(self) -> str:
        """See `Transport.address`."""
        return self._current.address

    def redial(self) -> None:
        """Connect anew, and let the old connection go.

        Raises:
            UnreachableError: not yet; try again.
            ToolkitError: the host refuses us now.
        """
        fresh = self._dial()
        with self._guard:
            old, self._current = self._current, fresh
            closed = self._closed
        # Closing waits for a network that is silent.
        threading.Thread(target=old.close, name="hang up", daemon=True).start()
        if closed:  # the run ended meanwhile
            fresh.close()

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Completed:
        """See `Transport.run`."""
        return self._current.run(argv, stdin=stdin, timeout_s=timeout_s)

    def start(self, argv: Sequence[str]) -> RemoteProcess:
        """See `Transport.start`."""
        return self._current.start(argv)

    def put(self, data: bytes, path: str, mode: int) -> None:
        """See `Transport.put`."""
        self._current.put(data, path, mode)

    def exists(self, path: str) -> bool:
        """See `Transport.exists`."""
        return self._current.exists(path)

    def close(self) -> None:
        """See `Transport.close`."""
        with self._guard:
            self._closed = True
        self._current.close()


def open_lasting(address: str, options: ConnectOptions) -> Transport:
    """As `open_transport`; over SSH a connection that can be made anew."""
    known = _Remembered(options.password) if options.password is not None else None
    first = open_transport(address, replace(options, password=known))
    if parse_address(address).scheme != "ssh":
        return first
    again = replace(options, timeout_s=min(options.timeout_s or REDIAL_S, REDIAL_S))

    def dial() -> Transport:
        return open_transport(address, replace(again, password=known.again() if known is not None else None))

    return LastingTransport(first, dial)


def redial_of(transport: Transport) -> Callable[[], None] | None:
    """How to make its connection anew; None where it cannot be."""
    return transport.redial if isinstance(transport, LastingTransport) else None


class _Remembered:
    """Answers questions for secrets, and remembers the last answer to each for as long as the run goes on."""

    def __init__(self, ask: Callable[[str], str | None]) -> None:
        self._ask = ask
        self._answers: dict[str, str] = {}

    def __call__(self, question: str) -> str | None:
        answer = self._ask(question)
        if answer is not None:
            self._answers[question] = answer
        return answer

    def again(self) -> Callable[[str], str | None]:
        """Answers each question once more, and nothing that was not asked before: nobody waits at a terminal now."""
        left = dict(self._answers)
        return lambda question: left.pop(question, None)
