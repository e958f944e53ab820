"""Of the load's records: `http`, `ws` (websockets and Socket.IO), and `requests` (all of them)."""

from __future__ import annotations

from toolkit.checks.quantity import DISTRIBUTION, EVENTS, HAPPENINGS, Quantity
from toolkit.checks.units import COUNT, SIZE, TIME

TAGS = ("phase", "name", "scenario", "method", "code")
PROTOCOLS: dict[str, tuple[str, ...]] = {"http": ("http",), "ws": ("ws", "socketio"), "requests": ()}
"""Family → protocols of the records; empty: any."""

_TIMES = (
    ("", "latency", "response time of the answered"),
    (".first_byte", "first_byte", "time to the first byte of the answer"),
    (".send_lag", "send_lag", "how late requests were sent"),
)
_EVENTS = (
    (
        ".errors",
        "errors",
        "no answer, a failed check of the scenario, or a status of 400 or more that it does not accept",
    ),
    (".unanswered", "unanswered", "no answer: refused, reset, timed out"),
    (".failed_checks", "failed_checks", "answered, but a capture, match or expectation did not hold"),
)


def _family(family: str) -> list[Quantity]:
    found = [
        Quantity(f"{family}{suffix}", meaning, TIME, DISTRIBUTION, "requests", measure, TAGS)
        for suffix, measure, meaning in _TIMES
    ]
    found += [
        Quantity(f"{family}{suffix}", meaning, COUNT, EVENTS, "requests", measure, TAGS)
        for suffix, measure, meaning in _EVENTS
    ]
    found.append(
        Quantity(f"{family}.bytes_in", "bytes of an answer", SIZE, DISTRIBUTION, "requests", "bytes_in", TAGS)
    )
    found.append(
        Quantity(f"{family}.ended", "requests that ended", COUNT, HAPPENINGS, "requests", "ended", TAGS)
    )
    return found


QUANTITIES = (
    *_family("http"),
    *_family("ws"),
    Quantity(
        "ws.ack",
        "from a message to its reply or acknowledgement",
        TIME,
        DISTRIBUTION,
        "requests",
        "ack",
        TAGS,
    ),
    Quantity("ws.connect", "time to connect", TIME, DISTRIBUTION, "requests", "connect", TAGS),
    *_family("requests"),
)
