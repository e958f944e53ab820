"""Samples host, service and processes on the whole multiples of an interval of the wall clock, without drift."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, TypeVar

import clock
from host_metrics import Host
from process_metrics import Processes
from service_metrics import Service

if TYPE_CHECKING:
    from census import Census

Say = Callable[[Dict[str, Any]], bool]
Read = TypeVar("Read")


class Metrics:
    """Says a `metrics` line whenever it is time. A late sample carries its true time; one that is missed is missing.

    Args:
        interval_s: between two samples.
        census: whose processes.
        say: sends one message; it may be dropped.
        complain: takes a sentence for people, where a part cannot be read; once for each part.
    """

    def __init__(self, interval_s: float, census: Census, say: Say, complain: Callable[[str], None]) -> None:
        self._interval_s = interval_s
        self._census = census
        self._say, self._complain = say, complain
        self._host = Host(census.tree.arbiter.pid)
        self._service = Service(census.tree)
        self._processes = Processes()
        self._complained: set[str] = set()
        self._dropped = 0
        self._next = next_on_grid(clock.now(), interval_s)

    @property
    def wait_s(self) -> float:
        """How long the caller may sleep before the next `tick`."""
        # After the clock was set back the next sample must not wait until it has caught up.
        return min(max(0.0, self._next - clock.now()), self._interval_s)

    def tick(self) -> None:
        """Take a sample, if it is time."""
        now = clock.now()
        if self._next - now > self._interval_s:
            self._next = next_on_grid(now, self._interval_s)
        if now < self._next:
            return
        self._next = next_on_grid(now, self._interval_s)
        self._sample()

    def close(self) -> None:
        """Close the files."""
        self._host.close()
        self._service.close()

    def _sample(self) -> None:
        tree = self._census.tree
        line: Dict[str, Any] = {"type": "metrics", "t": clock.now_ns()}
        # The processes first: they change the fastest, and their time is the line's.
        line["processes"] = self._part("processes", lambda: self._processes.read(tree)) or []
        line["service"] = {}
        if not self._census.gone:
            line["service"] = self._part("service", lambda: self._service.read(tree, time.monotonic())) or {}
        line["host"] = self._part("host", self._host.read) or {}
        if not self._say(line):
            self._dropped += 1
        elif self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._complain("%d samples of the metrics were dropped: the network was too slow." % dropped)

    def _part(self, name: str, read: Callable[[], Read]) -> Optional[Read]:
        try:
            return read()
        except Exception as error:
            if name not in self._complained:
                self._complained.add(name)
                self._complain("Metrics of the %s: %s: %s" % (name, type(error).__name__, str(error)[:200]))
            return None


def next_on_grid(now: float, interval_s: float) -> float:
    """The next whole multiple of the interval after `now`."""
    following = (math.floor(now / interval_s) + 1) * interval_s
    return following if following > now else following + interval_s
