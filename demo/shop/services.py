"""How a service asks another: by HTTP, in bounded time, under the id of the request that it answers itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import urllib3
from counter_service.request_ids import ENVIRON_KEY
from flask import has_request_context, request

from shop.answers import RefusedError, UnansweredError

Send = Callable[[str, str, "dict[str, Any] | None"], "tuple[int, Any]"]
"""(method, path, JSON body) → (status, JSON answer).

Raises:
    UnansweredError: nothing that can be read came back.
"""
ANSWER_WITHIN_S = 10.0
_CONNECT_WITHIN_S = 2.0
_CONNECTIONS = 128
_LOWEST_ERROR, _LOWEST_FAILURE = 400, 500


def pool() -> urllib3.PoolManager:
    """Connections that are kept. Opens none before it is used, so that it may be made before a fork."""
    timeout = urllib3.Timeout(connect=_CONNECT_WITHIN_S, read=ANSWER_WITHIN_S)
    # Asked once: whether to ask again is for the checkout to say.
    return urllib3.PoolManager(maxsize=_CONNECTIONS, retries=False, timeout=timeout)


def over_http(address: str, connections: urllib3.PoolManager) -> Send:
    """To the service at `address`."""

    def send(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        headers = {"X-Request-ID": request.environ.get(ENVIRON_KEY, "")} if has_request_context() else {}
        try:
            answer = connections.request(method, address + path, json=body, headers=headers)
            return answer.status, answer.json() if answer.data else None
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise UnansweredError(f"{address} did not answer: {type(error).__name__}") from error

    return send


class Service:
    """Another service, by its name in this shop."""

    def __init__(self, name: str, send: Send) -> None:
        self.name, self._send = name, send

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
        """Its answer.

        Raises:
            RefusedError: it refused, and nothing was changed there.
            UnansweredError: it is not known whether anything was.
        """
        status, said = self._send(method, path, body)
        if status >= _LOWEST_FAILURE:
            raise UnansweredError(f"{self.name} answered {status}")
        if status >= _LOWEST_ERROR:
            raise RefusedError(
                str(said.get("error")) if isinstance(said, dict) else f"{self.name} answered {status}"
            )
        return said
