"""One HTTP/1.1 connection on which every request is sent once: no retry, no redirect, no pipelining.

A client library decides by itself to send again what it holds to be idempotent, when a kept connection turns out to be closed.
For records that must arrive once that is a fault.
"""

from __future__ import annotations

import asyncio
import os
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
        self._handle = -1
        """Of the socket; -1 where what is written must be encrypted first."""

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
        answer = self.expect()
        self.limit(timeout_s)
        self._transport.write(data)
        return await answer

    # The three steps of `ask`, for who prepares many connections and then sends on all of them at once.

    def expect(self) -> asyncio.Future[Answer]:
        """What the next answer will come in, or the error that `ask` raises; before the request is sent."""
        self._reset()
        self._answer = answer = asyncio.get_running_loop().create_future()
        return answer

    def send_now(self, data: bytes) -> None:
        """Hand a request to the system with one call, past what asyncio does around it; for the first on a connection."""
        if self._transport is None:
            self._fail("ECONNRESET")
            return
        sent = 0
        if self._handle >= 0:
            try:
                sent = os.write(self._handle, data)
            except OSError:  # full or gone: the transport knows what to do
                sent = 0
        if sent < len(data):
            self._transport.write(data[sent:])

    def limit(self, timeout_s: float) -> None:
        """Fail what is expected after so long."""
        if self._answer is not None and not self._answer.done():
            timer = asyncio.get_running_loop().call_later(timeout_s, self._fail, "ETIMEDOUT")
            self._answer.add_done_callback(lambda _: timer.cancel())

    def close(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            if transport.get_extra_info("sslcontext") is None:
                self._handle = transport.get_extra_info("socket").fileno()

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
