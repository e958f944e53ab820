"""What the recorder changes in Locust, each with its reason. Where the insides look different the load runs on without it, and
events.jsonl says so as a `worker_error`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gevent import GreenletExit, getcurrent

from locust_recorder.clock import now
from locust_recorder.recorder import answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust_recorder.recorder import Recorder
    from locust_recorder.users import Users

_ID = "X-Request-ID"


def install(recorder: Recorder, users: Users) -> None:
    """All of them."""
    all_of_them: tuple[tuple[str, Callable[[], None]], ...] = (
        ("requests of HttpUser", lambda: _patch_http(recorder)),
        ("requests of FastHttpUser", lambda: _patch_fast(recorder)),
        ("users", lambda: _patch_users(users)),
        ("waits", lambda: _patch_waits(users)),
    )
    for what, patch in all_of_them:
        try:
            patch()
        except (ImportError, AttributeError) as error:
            recorder.events.say("worker_error", message=f"this Locust is not understood: {what} ({error})")


def _patch_http(recorder: Recorder) -> None:
    """An id goes out with each request; its beginning and first byte are nobody else's to know."""
    from locust.clients import HttpSession

    send = HttpSession._send_request_safe_mode

    def recorded(self: Any, method: Any, url: Any, **given: Any) -> Any:  # noqa: ANN401 - as Locust's
        call = recorder.begin(self.user, method, url)
        call.name = getattr(self, "explicit_name", None) or ""
        given["headers"] = _with_id(call, given.get("headers"), self.headers)
        response = _sent(recorder, call, lambda: send(self, method, url, **given))
        answered(call, response, given.get("data"))
        if call.status and not response.history:
            call.first_byte = min(now(), call.start + int(response.elapsed.total_seconds() * 1e9))
        return response

    HttpSession._send_request_safe_mode = recorded


def _patch_fast(recorder: Recorder) -> None:
    """As of HttpUser; this client returns with the head of the response, and its user may be stopped while the body comes."""
    from locust.contrib.fasthttp import FastHttpSession

    send, request = FastHttpSession._send_request_safe_mode, FastHttpSession.request

    def recorded(self: Any, method: Any, url: Any, **given: Any) -> Any:  # noqa: ANN401 - as Locust's
        call = getcurrent().toolkit_call = recorder.begin(self.user, method, url)
        given["headers"] = _with_id(call, given.get("headers"), self.client.default_headers)
        payload = given.get("payload")
        response = _sent(recorder, call, lambda: send(self, method, url, **given))
        answered(call, response, payload)
        if call.status:
            call.first_byte = call.returned
        return response

    def whole(self: Any, method: Any, url: Any, *rest: Any, **given: Any) -> Any:  # noqa: ANN401 - as Locust's
        try:
            return request(self, method, url, *rest, **given)
        except GreenletExit as error:
            call = getattr(getcurrent(), "toolkit_call", None)
            if call is not None:
                recorder.broke_off(call, error)
            raise

    FastHttpSession._send_request_safe_mode = recorded
    FastHttpSession.request = whole


def _sent(recorder: Recorder, call: Any, send: Callable[[], Any]) -> Any:  # noqa: ANN401 - of either client
    try:
        return send()
    except BaseException as error:
        recorder.broke_off(call, error)
        raise


def _with_id(call: Any, headers: Any, always: Any) -> dict[Any, Any]:  # noqa: ANN401 - any mapping
    """With the request's own id where the user's file sets none; its own dictionary stays as it is."""
    found = dict(headers) if headers else {}
    for given in (found, always or {}):
        for name, value in given.items():
            if str(name).lower() == "x-request-id":
                call.request_id = str(value)
                return found
    found[_ID] = call.request_id
    return found


def _patch_users(users: Users) -> None:
    """Locust says how many users there are, not who came and went."""
    from locust import User

    start = User.start

    def started(self: Any, *given: Any, **more: Any) -> Any:  # noqa: ANN401 - as Locust's
        greenlet = start(self, *given, **more)
        users.came(self, greenlet)
        return greenlet

    User.start = started


def _patch_waits(users: Users) -> None:
    """A wait that ends late makes the next request late: the generator's own part of the send lag."""
    from locust import TaskSet

    sleep = TaskSet._sleep

    def slept(self: Any, seconds: float) -> None:  # noqa: ANN401 - Locust's TaskSet
        planned = now() + int(seconds * 1e9)
        sleep(self, seconds)
        users.waited(self.user, planned)

    TaskSet._sleep = slept
