"""The gateway: one address for the three services, by the first part of the path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urllib3
from counter_service.request_ids import ENVIRON_KEY
from flask import Blueprint, Response, current_app, jsonify, request

from shop.answers import MissingError, body
from shop.services import Service, over_http, pool

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

SERVICES = {"stock": "stock", "payment": "payment", "orders": "order"}
"""First part of a path → service."""
_PASSED_ON = ("Content-Type", "Accept")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# A checkout asks two services and may have to take back from both, each within services.ANSWER_WITHIN_S.
_ANSWER_WITHIN_S = 45.0

gateway = Blueprint("gateway", __name__)


def open_gateway(app: Flask, addresses: dict[str, str]) -> None:
    """Have `app` pass on to these addresses, by service."""
    app.extensions["shop.addresses"] = addresses
    app.extensions["shop.pool"] = pool()
    app.register_blueprint(gateway)


@gateway.post("/populate")
def populate() -> ResponseReturnValue:
    """`{"items", "stock", "price", "users", "credit"}` → 201: what was there in all three services is gone, ids begin at 1."""
    asked = body()
    made: dict[str, int] = {}
    for part, name in SERVICES.items():
        address = current_app.extensions["shop.addresses"][name]
        service = Service(name, over_http(address, current_app.extensions["shop.pool"]))
        made |= service.ask("POST", f"/{part}/populate", asked)
    return jsonify(made), 201


@gateway.route("/<part>", methods=_METHODS)
@gateway.route("/<part>/<path:_rest>", methods=_METHODS)
def pass_on(part: str, _rest: str = "") -> Response:
    """As it came, and its answer as it comes; 502 where the service is not there, 504 where it takes too long."""
    if part not in SERVICES:
        raise MissingError("there is no such service")
    name = SERVICES[part]
    headers = {field: request.headers[field] for field in _PASSED_ON if field in request.headers}
    try:
        answer = current_app.extensions["shop.pool"].request(
            request.method,
            # As it stands in the request line: decoded and encoded again it may be another.
            current_app.extensions["shop.addresses"][name] + request.environ["RAW_URI"],
            body=request.get_data() or None,
            headers={**headers, "X-Request-ID": request.environ[ENVIRON_KEY]},
            redirect=False,
            timeout=urllib3.Timeout(connect=2.0, read=_ANSWER_WITHIN_S),
        )
    except urllib3.exceptions.ReadTimeoutError:
        return _failed(504, f"{name} took more than {_ANSWER_WITHIN_S:.0f} s")
    except urllib3.exceptions.HTTPError as error:
        return _failed(502, f"{name} did not answer: {type(error).__name__}")
    return Response(answer.data, answer.status, content_type=answer.headers.get("Content-Type"))


def _failed(status: int, text: str) -> Response:
    answer: Response = jsonify(error=text)
    answer.status_code = status
    return answer
