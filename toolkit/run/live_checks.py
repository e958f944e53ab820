"""Checks that have a window, while the load runs: each window is looked at once, soon after its end, as it is afterwards.

What is looked at here decides nothing but whether to stop the load; the tables decide what held.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.checks.grammar import parse
from toolkit.checks.series import SECOND_NS, Window, window_at
from toolkit.checks.tags import fits
from toolkit.recording.jsonl import read_lines
from toolkit.run.live_requests import Requests, rows_of
from toolkit.run.live_servers import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from toolkit.checks.check import Check
    from toolkit.checks.series import Sample
    from toolkit.recording.layout import LoadFolder
    from toolkit.run.agent_session import AgentSession

LATE_NS = 2 * SECOND_NS
"""A record is written up to so long after its request ended; a line of metrics comes within a second."""
_MOST_LINES = 100_000


@dataclass(frozen=True)
class Failure:
    """A check that did not hold in a window."""

    entry: dict[str, Any]
    """Of `Manifest.checks`."""
    check: Check
    window: Window
    where: str = ""

    @property
    def words(self) -> str:
        """What was seen, in one line."""
        where = f" on {self.where}" if self.where else ""
        shown = self.check.unit.written(self.window.value)
        return f"{self.check.text}: {shown}{where} in the last {self.check.window_s} s"

    def badness(self) -> float:
        """The larger, the worse: orders several windows of one check."""
        return self.check.badness(self.window.value)

    def seen(self) -> dict[str, Any]:
        """As `aborted` in `Manifest.checks`."""
        window = self.window
        return {
            "value": window.value,
            "samples": window.samples,
            "from_ns": window.from_ns,
            "to_ns": window.to_ns,
            "where": self.where,
        }


@dataclass
class _Watched:
    """One check, what is known of it so far, and up to where it was looked at."""

    entry: dict[str, Any]
    check: Check
    source: Requests | Metrics
    next_ns: dict[Any, int] = field(default_factory=dict)
    """Of each series, where the next window begins."""
    told: bool = False


class LiveChecks:
    """Takes what comes, and looks at each window once it is over."""

    def __init__(self, entries: Sequence[dict[str, Any]]) -> None:
        self._watched = [
            _Watched(entry, check, Requests(check) if check.quantity.source == "requests" else Metrics(check))
            for entry in entries
            if (check := parse(entry["check"])).window_s and check.quantity.live
        ]
        self._lines: queue.SimpleQueue[tuple[str, dict[str, Any], int]] = queue.SimpleQueue()
        self._loads: dict[str, LoadFolder] = {}
        self._began_ns: int | None = None

    @property
    def any_of_requests(self) -> bool:
        """Whether records are wanted at all: reading them costs the generator's machine some CPU."""
        return any(isinstance(one.source, Requests) for one in self._watched)

    def follow(self, sessions: dict[str, AgentSession]) -> None:
        """Hear what the servers measure, where a check wants it."""
        if any(isinstance(one.source, Metrics) for one in self._watched):
            for name, session in sessions.items():
                session.listen(partial(self._hear, name, session))

    def taker(self, load: LoadFolder) -> Callable[[bytes], None] | None:
        """Takes the blocks of records of one load; None where no check wants them."""
        self._loads[load.name] = load
        return partial(self.take, load.name) if self.any_of_requests else None

    def take(self, load: str, block: bytes) -> None:
        """Records of requests that ended."""
        for row in rows_of(block):
            for one in self._watched:
                if isinstance(one.source, Requests):
                    one.source.take(load, row)

    def begin(self, now_ns: int) -> None:
        """The load has begun: what servers measured before is not of it."""
        self._began_ns = self._began_ns or now_ns

    def look(self, now_ns: int) -> list[Failure]:
        """Every check that did not hold in a window that is over, the first time that it is seen and, of those that stop the
        load, each time."""
        self._take_lines()
        found = []
        for one in self._watched:
            failures = self._failures(one, now_ns - LATE_NS)
            if failures and (one.entry.get("abort") or not one.told):
                one.told = True
                found.append(max(failures, key=Failure.badness))
        return found

    def _hear(self, server: str, session: AgentSession, line: dict[str, Any]) -> None:
        if self._lines.qsize() < _MOST_LINES:
            self._lines.put((server, line, session.offset_ns))

    def _take_lines(self) -> None:
        while not self._lines.empty():
            server, line, offset_ns = self._lines.get()
            for one in self._watched:
                if isinstance(one.source, Metrics):
                    one.source.take(server, line, offset_ns)

    def _failures(self, one: _Watched, until_ns: int) -> list[Failure]:
        """Of the windows that are over and were not looked at before."""
        length_ns = (one.check.window_s or 0) * SECOND_NS
        found = []
        for key, samples, from_ns, to_ns in self._series(one):
            times = [t_ns for t_ns, _ in samples]
            start = one.next_ns.setdefault(key, from_ns)
            while start + length_ns <= min(until_ns, to_ns):
                window = window_at(samples, times, one.check, start)
                if window is not None and not one.check.holds(window.value):
                    found.append(Failure(one.entry, one.check, window, _words(key)))
                start += SECOND_NS
            one.next_ns[key] = start
        if one.next_ns:
            one.source.forget(min(one.next_ns.values()))
        return found

    def _series(self, one: _Watched) -> Iterator[tuple[Any, Sequence[Sample], int, int]]:
        """Key, values, and from when to when windows may lie."""
        source = one.source
        if isinstance(source, Requests):
            if source.origin_ns is not None:
                yield (
                    None,
                    source.samples,
                    source.origin_ns,
                    source.last_ns + SECOND_NS * one.check.high_is_bad,
                )
            return
        for from_ns, to_ns in self._spans(one.check):
            for key, samples in source.series.items():
                yield (key, from_ns), list(samples), from_ns, to_ns

    def _spans(self, check: Check) -> list[tuple[int, int]]:
        """When a server's values count: while the phases last that the check names, else while the load does."""
        wanted = check.tag("phase")
        if wanted is None:
            return [] if self._began_ns is None else [(self._began_ns, 2**62)]
        ends: dict[tuple[str, Any], int] = {}
        starts: dict[tuple[str, Any], int] = {}
        for name, load in self._loads.items():
            for row in read_lines(load.events):
                if row.get("kind") in ("phase_started", "phase_ended") and fits(
                    "phase", wanted, [_phase(row)]
                ):
                    times = starts if row["kind"] == "phase_started" else ends
                    times[name, row.get("index")] = row["t_ns"]
        return [(start, ends.get(key, 2**62)) for key, start in starts.items()]


def _phase(row: dict[str, Any]) -> str:
    return str(row.get("phase") or int(row.get("index") or 0) + 1)


def _words(key: Any) -> str:  # noqa: ANN401 - as _series gives it
    if key is None:
        return ""
    (server, pid), _ = key
    return f"{server} worker {pid}" if pid else str(server)
