"""One record → the bytes of its HTTP request."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from toolkit.engines.sender.template import fields_of, filled, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toolkit.engines.sender.settings import SendSettings

AGENT = "gunicorn-load-profile-toolkit-sender"


@dataclass(frozen=True)
class Prepared:
    """A request, ready to be written."""

    data: bytes
    url: str
    """Without user-info and without the query."""
    body_bytes: int


class Requests:
    """Makes the requests of one plan."""

    def __init__(self, settings: SendSettings) -> None:
        parts = urlsplit(settings.target)
        self._settings = settings
        self._prefix = parts.path.rstrip("/")
        self._host = parts.netloc.rpartition("@")[2]
        self._headers = {"User-Agent": AGENT, "Accept": "*/*", **settings.headers}
        if parts.username is not None and not any(
            name.lower() == "authorization" for name in settings.headers
        ):
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        self._names = {name.lower() for name in self._headers}
        self._fixed = "" if fields_of(dict(self._headers)) else _lines(self._headers)

    @property
    def fields(self) -> set[str]:
        """Every field of a record that the plan names."""
        settings = self._settings
        return set().union(*map(fields_of, (settings.path, settings.headers, settings.body)))

    def prepare(self, record: dict[str, Any], request_id: str) -> Prepared:
        """The request for one record.

        Raises:
            MissingFieldError: the record lacks a field.
            ValueError: a value cannot stand where it should, as a line break in a header.
        """
        settings = self._settings
        path = self._prefix + text_of(settings.path, record, quoted=True)
        body, kind = self._body(record)
        headers = self._fixed or _lines({name: text_of(text, record) for name, text in self._headers.items()})
        own = f"X-Request-ID: {request_id}\r\n"
        if body or settings.method in {"POST", "PUT", "PATCH"}:
            own += f"Content-Length: {len(body)}\r\n"
            if kind and "content-type" not in self._names:
                own += f"Content-Type: {kind}\r\n"
        head = f"{settings.method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}{own}\r\n"
        url = settings.base.removesuffix(self._prefix) + path.partition("?")[0]
        return Prepared(head.encode("latin-1") + body, url, len(body))

    def _body(self, record: dict[str, Any]) -> tuple[bytes, str]:
        settings = self._settings
        if isinstance(settings.body, str):
            return text_of(settings.body, record).encode(), "text/plain; charset=utf-8"
        if settings.body is None and settings.method in {"GET", "HEAD", "DELETE", "OPTIONS"}:
            return b"", ""
        content = record if settings.body is None else filled(settings.body, record)
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), "application/json"


def _lines(headers: Mapping[str, str]) -> str:
    for name, value in headers.items():
        if any(character in f"{name}{value}" for character in "\r\n\0"):
            raise ValueError(f"a line break would stand in the header {name}")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise ValueError(f"the header {name} would hold what no header can") from None
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
