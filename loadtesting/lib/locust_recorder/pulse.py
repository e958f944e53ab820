"""How this process is doing, for "Can this be trusted?": once a second, how late its event loop was, and its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent

from locust_recorder.clock import now

if TYPE_CHECKING:
    from locust_recorder.event_lines import EventLines
    from locust_recorder.users import Users

EVERY_NS = 1_000_000_000
RESOLUTION_S = 0.02
"""The loop is asked so often for a sign of life; what it takes longer is the delay."""


def beat(events: EventLines, users: Users, worker: int) -> None:
    """For ever."""
    told, delays = now(), []
    while True:
        before = now()
        gevent.sleep(RESOLUTION_S)
        after = now()
        delays.append(max(0, after - before - int(RESOLUTION_S * 1e9)))
        if after - told >= EVERY_NS:
            delays.sort()
            events.say(
                "pulse",
                worker=worker,
                **users.tally(),
                loop_ms=_ms(sum(delays) / len(delays)),
                loop_p99_ms=_ms(delays[int(len(delays) * 0.99)]),
                loop_max_ms=_ms(delays[-1]),
            )
            told, delays = after, []


def _ms(nanoseconds: float) -> float:
    return round(nanoseconds / 1e6, 2)
