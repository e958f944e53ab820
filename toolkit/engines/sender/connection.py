"""One HTTP/1.1 connection on which every request is sent once: no retry, no redirect, no pipelining.

A client library decides by itself to send again what it holds to be idempotent, when a kept connection turns out to be closed.
For records that must arrive once that is a fault.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

_CONTINUE = range(100, 200)
_SWITCHING = 101


class NoAnswerError(Exception):
    """The request was sent, perhaps in part, and there will be no whole answer; the text is a short code."""


@dataclass(frozen=True)
class Answer:
    """A whole answer. Times in UTC nanoseconds."""

    status: int
    bytes_in: int
    first_byte_ns: int
    end_ns: int
    answered_id: str
    """The X-Request-ID of the answer; empty where it has none."""
    body: bytes
    """Its beginning, as far as it was asked for."""


class Connection(asyncio.Protocol):
    """A connection; good for one request at a time."""

    def __init__(self, method: str, keep: int = 0) -> None:
        self._method = method
        self._keep = keep
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._first_byte_ns = 0
        self._bytes_in = 0
        self._body = b""
        self._id = ""
        self._has_length = False
        self._until_close = False

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, data: bytes, timeout_s: float) -> Answer:
        """Write a request and wait for its whole answer.

        Raises:
            NoAnswerError: none came: ETIMEDOUT, ECONNRESET or what could not be read.
        """
        if self._transport is None:
            raise NoAnswerError("ECONNRESET")
        self._reset()
        loop = asyncio.get_running_loop()
        self._answer = answer = loop.create_future()
        timer = loop.call_later(timeout_s, self._fail, "ETIMEDOUT")
        self._transport.write(data)
        try:
            found: Answer = await answer
        finally:
            timer.cancel()
        return found

    def close(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some of the answer."""
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked
            return
        if not self._first_byte_ns:
            self._first_byte_ns = time.time_ns()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._complete()
        except httptools.HttpParserError as error:
            self._fail(f"no HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed, by whomever; an answer without a length ends so."""
        self._transport = None
        if self._until_close and exc is None:
            self._complete()
        self._fail("ECONNRESET")

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        lower = name.lower()
        if lower == b"x-request-id":
            self._id = value.decode("latin-1")
        elif lower in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        """The body begins, where there is one."""
        status = self._parser.get_status_code()
        self._until_close = not self._has_length and status not in (204, 304) and status not in _CONTINUE
        if self._method == "HEAD":
            self._complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._bytes_in += len(body)
        if len(self._body) < self._keep:
            self._body += body[: self._keep - len(self._body)]

    def on_message_complete(self) -> None:
        """The answer is whole; what comes before it (100 Continue) is none."""
        if self._parser.get_status_code() not in _CONTINUE:
            self._complete()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._first_byte_ns = 0
        self._bytes_in = 0
        self._body = b""
        self._id = ""
        self._has_length = False
        self._until_close = False

    def _complete(self) -> None:
        if self._answer is None or self._answer.done():
            return
        status, now = self._parser.get_status_code(), time.time_ns()
        self._answer.set_result(
            Answer(status, self._bytes_in, self._first_byte_ns or now, now, self._id, self._body)
        )
        if self._until_close or self._method == "HEAD" or not self._parser.should_keep_alive():
            self.close()

    def _fail(self, code: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswerError(code))
        self.close()


async def connect(target: str, method: str, timeout_s: float, keep: int = 0) -> Connection:
    """A new connection to the host of a URL.

    Args:
        target: http:// or https://; a certificate must be good.
        method: of the requests on it.
        timeout_s: for connecting.
        keep: so many bytes of each body are kept.

    Raises:
        OSError: nothing listens, or the name or the certificate is not good.
    """
    parts = urlsplit(target)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    opening = asyncio.get_running_loop().create_connection(
        lambda: Connection(method, keep),
        parts.hostname or "",
        port,
        ssl=ssl.create_default_context() if secure else None,
    )
    try:
        _, made = await asyncio.wait_for(opening, timeout_s)
    except TimeoutError:
        raise ConnectionError(f"no connection within {timeout_s:g} s") from None
    return made
