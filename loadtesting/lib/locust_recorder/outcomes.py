"""What became of a request, in the words of the records: status, error, sizes."""

from __future__ import annotations

import errno
from typing import Any
from urllib.parse import urlencode

from locust_recorder.rows import without_secrets

Outcome = tuple["int | None", "str | None", int, int, bool]
"""Status, error, bytes in, bytes out, and whether the user's file accepts a status of 400 or more."""
_LONGEST = 300
_LOWEST_ERROR = 400
_BY_STATUS = {"HTTPError", "LocustBadStatusCode"}
"""Raised by Locust for a status of 400 or more, which the record says already."""
_NAMES = {
    "RemoteDisconnected": "ECONNRESET",
    "HTTPConnectionClosed": "ECONNRESET",
    "ConnectTimeout": "ETIMEDOUT",
    "ConnectTimeoutError": "ETIMEDOUT",
    "ReadTimeout": "ETIMEDOUT",
    "ReadTimeoutError": "ETIMEDOUT",
    "Timeout": "ETIMEDOUT",
    "TimeoutError": "ETIMEDOUT",
    "timeout": "ETIMEDOUT",
    "gaierror": "ENOTFOUND",
    "NameResolutionError": "ENOTFOUND",
}
"""As Artillery's records name them, so that runs of both can be compared."""


def error_of(exception: Any, status: int | None) -> str | None:  # noqa: ANN401 - users fire events with whatever they like
    """The error of a record; None where there was none, or the status says it."""
    if exception is None:
        return None
    if not isinstance(exception, BaseException):
        return _text(str(exception))
    if status is not None:
        if type(exception).__name__ in _BY_STATUS and status >= 400:
            return None
        return _text(str(exception) or type(exception).__name__)
    return _code(exception) or _text(str(exception) or type(exception).__name__)


def _code(exception: BaseException) -> str | None:
    """The system's name of what went wrong, wherever in the chain it stands."""
    seen: set[int] = set()
    todo: list[Any] = [exception]
    named = None
    while todo:
        one = todo.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, OSError) and one.errno is not None and one.errno in errno.errorcode:
            return errno.errorcode[one.errno]
        named = named or _NAMES.get(type(one).__name__)
        todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        todo.append(getattr(one, "original", None))  # geventhttpclient's
    return named


def _text(text: str) -> str:
    return without_secrets(text.replace("\n", " "))[:_LONGEST]


def accepted(exception: Any, status: int | None) -> bool:  # noqa: ANN401 - users fire events with whatever they like
    """Whether Locust counts a status of 400 or more as a success, as after `response.success()`."""
    return exception is None and (status or 0) >= _LOWEST_ERROR


def status_of(response: Any) -> int | None:  # noqa: ANN401 - of either client
    """None where nothing answered."""
    return getattr(response, "status_code", None) or None


def bytes_in(response: Any, method: str) -> int | None:  # noqa: ANN401 - of either client
    """Body bytes as they came over the wire; None where nothing says how many those were."""
    if method == "HEAD":
        return 0
    headers = getattr(response, "headers", None)
    told = headers.get("content-length") if headers else None
    if told is not None and str(told).isdigit():
        return int(told)
    raw: Any = getattr(response, "raw", None)
    read = raw.tell() if hasattr(raw, "tell") else 0  # which does not count chunks
    return int(read) or None


def bytes_out(response: Any, payload: Any) -> int:  # noqa: ANN401 - of either client
    """Body bytes sent, of the first request where it was redirected."""
    history = getattr(response, "history", None)
    request = getattr(history[0] if history else response, "request", None)
    headers = getattr(request, "headers", None)
    told = headers.get("Content-Length") if headers else None
    if told is not None and str(told).isdigit():
        return int(told)
    if isinstance(payload, str):
        return len(payload.encode("utf-8", "replace"))
    if isinstance(payload, dict):
        return len(urlencode(payload, doseq=True))
    return len(payload) if isinstance(payload, (bytes, bytearray)) else 0
