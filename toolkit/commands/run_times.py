"""Times of a run as people write them: offsets (`00:02:10`, `90s`, `1m30s`), UTC clock times, names of phases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.analysis.windows_slices import WHOLE, Window
from toolkit.errors import UsageError
from toolkit.plan.places import known_instead
from toolkit.plan.quantities import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

_OFFSET = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[T ])?(\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:Z| ?UTC)?")
_FORMS = "write an offset into the run (00:02:10, 90s, 1m30s) or a UTC time (14:32:10Z, 2026-11-21T14:32:10Z)"


@dataclass(frozen=True)
class NamedWindow:
    """A window and what it is called."""

    window: Window
    words: str


@dataclass(frozen=True)
class RunTimes:
    """Reads times of one run; all results are seconds since its time 0, whole milliseconds."""

    zero_ms: int
    """Milliseconds since 1970 of time 0."""
    phases: list[dict[str, Any]]
    """As `Results.phases`."""
    first_s: float
    """Where what was recorded begins, and where it ends."""
    last_s: float

    def moment(self, text: str) -> float:
        """Seconds since time 0.

        Raises:
            UsageError: it is no time.
        """
        given = text.strip()
        sign = -1 if given.startswith("-") else 1
        plain = given.removeprefix("-")
        if found := _OFFSET.fullmatch(plain):
            hours, minutes, seconds = int(found[1] or 0), int(found[2]), float(found[3])
            return sign * round(hours * 3600 + minutes * 60 + seconds, 3)
        if _PLAIN.fullmatch(plain):
            return sign * round(float(plain), 3)
        if sign > 0 and (found := _CLOCK.fullmatch(given)):
            return self._clock(found, text)
        try:
            return sign * round(parse_duration(plain), 3)
        except ValueError:
            raise UsageError(f"{text!r} is no time: {_FORMS}.") from None

    def window(self, start: str | None, end: str | None) -> NamedWindow:
        """[start, end); a side that is not given is where the recording begins or ends.

        Raises:
            UsageError: one is no time, or it ends before it starts.
        """
        start_s = None if start is None else self.moment(start)
        end_s = None if end is None else self.moment(end)
        if start_s is not None and end_s is not None and end_s <= start_s:
            raise UsageError(f"The window from {start} to {end} ends before it starts.")
        if start_s is None and end_s is None:
            return NamedWindow(WHOLE, "whole run")
        start_s = self.first_s if start_s is None else start_s
        end_s = self.last_s if end_s is None else end_s
        if end_s <= start_s:
            span = f"from {offset(self.first_s)} to {offset(self.last_s)}"
            raise UsageError(
                f"Nothing was recorded {f'from {start} on' if end is None else f'up to {end}'}: only {span}."
            )
        return NamedWindow(Window(start_s, end_s), f"{offset(start_s)} – {offset(end_s)}")

    def phase(self, name: str) -> NamedWindow:
        """From the start of the first phase of this name to the end of the last; `load/phase` names that of one scenario.

        Raises:
            UsageError: there is no such phase.
        """
        found = [phase for phase in self.phases if name in _names(phase)]
        if not found:
            if not self.phases:
                raise UsageError(f"There is no phase {name!r}: no load was driven in this run.")
            known = list(dict.fromkeys(str(phase["name"]) for phase in self.phases))
            raise UsageError(f"There is no phase {name!r} in this run: {known_instead(name, known)}")
        if between := self._between(found):
            times = [
                f"{offset(self._second(one['start_ns']))}-{offset(self._second(one['end_ns']))}"
                for one in found
            ]
            raise UsageError(
                f"{name!r} is the name of {len(found)} phases with {between!r} between them: {', '.join(times)}.",
                "Name one of them by its times.",
            )
        start_s = min(self._second(phase["start_ns"]) for phase in found)
        end_s = max(self._second(phase["end_ns"]) for phase in found)
        return NamedWindow(Window(start_s, end_s), f"{name} ({offset(start_s)} – {offset(end_s)})")

    def _between(self, found: list[dict[str, Any]]) -> str:
        """The name of another phase of the same load that lies between two of these; empty where there is none."""
        for load in {phase["load"] for phase in found}:
            its = sorted(
                (phase for phase in self.phases if phase["load"] == load), key=lambda phase: phase["start_ns"]
            )
            places = [at for at, phase in enumerate(its) if phase in found]
            others = [its[at] for at in range(places[0], places[-1]) if at not in places]
            if others:
                return str(others[0]["name"])
        return ""

    def pair(self, text: str) -> tuple[NamedWindow, NamedWindow]:
        """`A:B`, each the name of a phase or FROM-TO; a colon may also stand in either.

        Raises:
            UsageError: it cannot be read, or in more than one way.
        """
        readings = list(self._readings(text))
        if not readings:
            colons = [at for at, character in enumerate(text) if character == ":"]
            if not colons:
                raise UsageError(
                    f"--diff {text}: write A:B, as in --diff warmup:peak or --diff 10s-40s:60s-90s; A is the base."
                )
            self._explain(text, colons[0])
        if len(readings) > 1:
            raise UsageError(
                f"--diff {text} can be read in more than one way.", "Use windows such as 10s-40s:60s-90s."
            )
        return readings[0]

    def cut(
        self, pair: tuple[NamedWindow, NamedWindow], start: str | None, end: str | None
    ) -> tuple[NamedWindow, NamedWindow]:
        """Both windows, each cut to [start, end) where it reaches into it, and whole where it lies elsewhere.

        Raises:
            UsageError: one is no time, or neither window reaches into it.
        """
        if start is None and end is None:
            return pair
        limit = self.window(start, end)
        cut = [self._cut(one, limit) for one in pair]
        if cut[0] is None and cut[1] is None:
            raise UsageError(
                f"Neither window of --diff reaches into {limit.words}.", "Leave out --from and --to."
            )
        return cut[0] or pair[0], cut[1] or pair[1]

    def _cut(self, one: NamedWindow, limit: NamedWindow) -> NamedWindow | None:
        starts = [window.start_s for window in (one.window, limit.window) if window.start_s is not None]
        ends = [window.end_s for window in (one.window, limit.window) if window.end_s is not None]
        start_s, end_s = max(starts, default=self.first_s), min(ends, default=self.last_s)
        if end_s <= start_s:
            return None
        return NamedWindow(Window(start_s, end_s), f"{one.words}, of it {offset(start_s)} – {offset(end_s)}")

    def _readings(self, text: str) -> Iterator[tuple[NamedWindow, NamedWindow]]:
        for at, character in enumerate(text):
            if character == ":":
                try:
                    yield self.named(text[:at]), self.named(text[at + 1 :])
                except UsageError:
                    continue

    def _explain(self, text: str, colon: int) -> None:
        """Raise what is wrong with the first part of `A:B` that cannot be read."""
        self.named(text[:colon])
        self.named(text[colon + 1 :])

    def named(self, text: str) -> NamedWindow:
        """A phase, or FROM-TO.

        Raises:
            UsageError: it is neither.
        """
        if any(text in _names(phase) for phase in self.phases):
            return self.phase(text)
        given = text.strip()
        # A time before the load has a sign of its own: -4s-20s, -4--1.
        at = given.find("-", 1)
        if at > 0 and given[at + 1 :]:
            try:
                return self.window(given[:at], given[at + 1 :])
            except UsageError:
                if _PLAIN.match(given.removeprefix("-")):
                    raise
        return self.phase(text)

    def _clock(self, found: re.Match[str], text: str) -> float:
        zero = datetime.fromtimestamp(self.zero_ms / 1000, UTC)
        day = found[1] or zero.date().isoformat()
        try:
            at = datetime.fromisoformat(f"{day}T{found[2]}:{found[3]}:00+00:00").timestamp() + float(found[4])
        except ValueError:
            raise UsageError(f"{text!r} is no time: {_FORMS}.") from None
        since = round(at - self.zero_ms / 1000, 3)
        # A run may go past midnight: a time without a date is the first one since its start.
        return since + 86_400 if not found[1] and since < -3600 else since

    def _second(self, nanoseconds: int) -> float:
        return round(nanoseconds / 1e9 - self.zero_ms / 1000, 3)


def offset(seconds: float) -> str:
    """`00:02:10`, with milliseconds where there are any."""
    whole_ms = round(abs(seconds) * 1000)
    minutes, rest_ms = divmod(whole_ms, 60_000)
    tail = f"{rest_ms / 1000:06.3f}".removesuffix(".000")
    return f"{'-' if seconds < 0 and whole_ms else ''}{minutes // 60:02d}:{minutes % 60:02d}:{tail}"


def _names(phase: dict[str, Any]) -> tuple[str, str]:
    return str(phase["name"]), f"{phase['load']}/{phase['name']}"
