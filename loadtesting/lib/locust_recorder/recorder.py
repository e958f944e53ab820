"""One a process: begins calls, takes finished ones, and writes them."""

from __future__ import annotations

import gc
import uuid
from typing import TYPE_CHECKING, Any

from locust_recorder.clock import clock, now
from locust_recorder.outcomes import Outcome, accepted, bytes_in, bytes_out, error_of, status_of
from locust_recorder.part import Part
from locust_recorder.rows import line

if TYPE_CHECKING:
    from locust_recorder.event_lines import EventLines
    from locust_recorder.phases import Phases
    from locust_recorder.rows import Beginning, Times
    from locust_recorder.settings import Settings
    from locust_recorder.users import Users

_TOGETHER = 500
HTTP = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"})


class Call:
    """One request of Locust's own clients, from its beginning until Locust reports it."""

    __slots__ = (
        *(
            "_recorder",
            "broken",
            "bytes_in",
            "bytes_out",
            "first_byte",
            "intended",
            "method",
            "name",
            "phase",
        ),
        *("request_id", "returned", "settled", "start", "status", "url", "user"),
    )

    def __init__(self, recorder: Recorder, user: Any, method: str, url: str, late_ns: int) -> None:  # noqa: ANN401 - Locust's User
        self._recorder = recorder
        self.user, self.method, self.url = user, method, url
        self.phase = recorder.phases.label
        self.request_id: str = recorder.new_id()
        self.first_byte: int | None = None
        self.returned: int | None = None
        self.status: int | None = None
        self.broken: BaseException | None = None
        """Why nothing answered, as the client says it."""
        self.bytes_in: int | None = None
        self.bytes_out = 0
        self.name = ""
        """As the user's file names it; empty where it does not."""
        self.settled = False
        self.start = now()
        self.intended = self.start - late_ns

    def __del__(self) -> None:
        # A response that nobody reported: its user was stopped, or did not use `with` (which catch_response needs).
        if not self.settled:
            self._recorder.unreported(self)


class Recorder:
    """Keeps rows for a moment and writes them together: between two requests a user's own code has the processor's caches."""

    def __init__(self, given: Settings, events: EventLines, users: Users, phases: Phases) -> None:
        self.events, self.users, self.phases = events, users, phases
        self.part = Part(given.parts, given.process)
        self._rows: list[str] = []
        self._ids = uuid.uuid4().hex[:19]
        self._lost = 0

    def new_id(self) -> str:
        """In the shape of a UUID; random but for its end, which counts."""
        self.part.begin()
        known = self._ids
        return f"{known[:8]}-{known[8:12]}-4{known[12:15]}-a{known[15:18]}-{self.part.began:012x}"

    def begin(self, user: Any, method: Any, url: Any) -> Call:  # noqa: ANN401 - Locust's User; str or bytes
        """A request of one of Locust's clients starts now."""
        return Call(self, user, _text(method).upper(), _text(url), self.users.take_late_ns(user))

    def broke_off(self, call: Call, error: BaseException) -> None:
        """Neither answered nor failed: its user was stopped meanwhile, or its own code raised."""
        stopped = type(error).__name__ == "GreenletExit"
        text = "interrupted" if stopped else error_of(error, None)
        self._settle(call, _name(call), now(), (call.status, text, 0, call.bytes_out, False), None)

    def reported(self, call: Call, event: dict[str, Any]) -> None:
        """Locust reports it: what it says is what counts."""
        response, method = event.get("response"), call.method
        status = status_of(response)
        end = max(call.start + int(float(event["response_time"]) * 1e6), call.first_byte or 0)
        size = call.bytes_in if call.bytes_in is not None else int(event.get("response_length") or 0)
        error = event.get("exception")
        outcome = (
            *(status, error_of(error, status), size if status else 0, call.bytes_out),
            accepted(error, status),
        )
        headers = getattr(response, "headers", None)
        answered = headers.get("x-request-id") if headers else None
        self._settle(
            call,
            f"{method} {event['name']}",
            end,
            outcome,
            answered if answered != call.request_id else None,
        )

    def unreported(self, call: Call) -> None:
        """It has ended, but nobody says how it went."""
        error = None if call.status else error_of(call.broken, None) or "interrupted"
        outcome = (call.status, error, call.bytes_in or 0, call.bytes_out, False)
        self._settle(call, _name(call), call.returned or now(), outcome, None)

    def foreign(self, event: dict[str, Any]) -> None:
        """An event that another client than Locust's own fired: a user's own protocol."""
        self.part.begin()
        end = now()
        took = int(float(event.get("response_time") or 0) * 1e6)
        kind = str(event["request_type"])
        response, error = event.get("response"), event.get("exception")
        status = status_of(response)
        if status is None and error is None:
            status = 0
        user = self.users.current()
        http = kind.upper() in HTTP
        self._add(
            ("http" if http else kind.lower(), _scenario(user), f"{kind} {event['name']}", kind.upper(),
             str(event.get("url") or ""), self.phases.label),
            (end - took, end - took, None, end),
            (status, error_of(error, status), int(event.get("response_length") or 0), 0, accepted(error, status)),
            None,
            user,
            None,
        )  # fmt: skip

    def flush(self) -> None:
        """Write what there is."""
        rows, self._rows = self._rows, []
        clock.reanchor()
        if not rows:
            return
        try:
            self.part.write(rows)
        except OSError as error:  # nothing that goes wrong here may end a user of the load
            self._lost += len(rows)
            if self._lost == len(rows):
                self.events.say("worker_error", message=f"request records were lost: {error}")

    def close(self) -> None:
        """Settle what nobody reported, and write."""
        for one in gc.get_objects():
            if type(one) is Call and not one.settled:
                self.unreported(one)
        self.flush()

    def _settle(
        self,
        call: Call,
        name: str,
        end: int,
        outcome: Outcome,
        answered_id: str | None,
    ) -> None:
        if call.settled:
            return
        call.settled = True
        self._add(
            ("http", _scenario(call.user), name, call.method, call.url, call.phase),
            (call.intended, call.start, call.first_byte, end),
            outcome,
            call.request_id,
            call.user,
            answered_id,
        )

    def _add(
        self,
        kind: Beginning,
        times: Times,
        outcome: Outcome,
        request_id: str | None,
        user: Any,  # noqa: ANN401 - Locust's User
        answered: str | None,
    ) -> None:
        intended, start, first_byte, end = times
        spelt = (
            clock.utc(intended),
            clock.utc(start),
            None if first_byte is None else clock.utc(first_byte),
            clock.utc(end),
        )
        self._rows.append(line(kind, spelt, outcome, request_id, self.users.name_of(user), answered))
        if len(self._rows) >= _TOGETHER:
            self.flush()


def answered(call: Call, response: Any, payload: Any) -> None:  # noqa: ANN401 - of either client
    """The client has returned: with the whole answer, its head, or what went wrong."""
    call.returned = now()
    call.status = status_of(response)
    call.broken = getattr(response, "error", None)
    call.bytes_in = bytes_in(response, call.method) if call.status else 0
    call.bytes_out = bytes_out(response, payload)
    response.toolkit_call = call


def _scenario(user: Any) -> str:  # noqa: ANN401 - Locust's User
    return type(user).__name__ if user is not None else "(no user)"


def _name(call: Call) -> str:
    return f"{call.method} {call.name or _path(call.url)}"


def _text(value: Any) -> str:  # noqa: ANN401 - str or bytes
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _path(url: str) -> str:
    """As Locust calls a request that has no name of its own."""
    rest = url.split("://", 1)[-1]
    return "/" + rest.partition("/")[2].split("#", 1)[0] if "://" in url else url
