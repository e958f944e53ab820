"""Gives each request an id: the client's `X-Request-ID`, or a fresh one; in the answer and in the access log."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

ENVIRON_KEY = "counter_service.request_id"
# What may stand in a log line: no quotes, no spaces, no end of it out of sight.
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


def with_request_ids(application: Application) -> Application:
    """Wrap a WSGI application."""

    def wrapped(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
        environ[ENVIRON_KEY] = request_id

        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> object:
            return start_response(status, [*headers, ("X-Request-ID", request_id)], *rest)

        return application(environ, start)

    return wrapped
