"""A traceback that is being read, with the line that announced it."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from toolkit.analysis.logs.events import LONGEST_TEXT, Event
from toolkit.analysis.logs.fingerprints import traceback_event
from toolkit.analysis.logs.request_ids import find_request_id
from toolkit.analysis.logs.tracebacks import Traceback

if TYPE_CHECKING:
    from toolkit.analysis.logs.lines import Line

_STARTS = re.compile(r"(.{0,100}?)((?:  \+ Exception Group )?Traceback \(most recent call last\):)$")
_HEAD_BYTES = 3 << 10
_TAIL_BYTES = LONGEST_TEXT - _HEAD_BYTES - 64
_PAUSE_NS = 5_000_000_000
_MOST_STRANGERS = 100


def traceback_start(text: str) -> tuple[str, str] | None:
    """What stands before a traceback's first line, as a container's name does, and that line; None where none begins."""
    found = _STARTS.match(text)
    return (found[1], found[2]) if found is not None else None


class OpenTraceback:
    """Collects the lines of one traceback.

    Args:
        event: of its first line, or of the line before it, which announced it.
        margin: stands before each of its lines.
        start: its first line without what stands before it, `Traceback (most recent call last):`.
        line: the first line.
        announced: `event` is of the line before.
    """

    def __init__(self, event: Event, margin: str, start: str, line: Line, *, announced: bool) -> None:
        self._event = event
        self._margin = margin
        self._traceback = Traceback()
        self._text = _Text()
        self._text.add(event["text"])
        self._high_ns = line.high_ns
        self._traceback.take(start)
        if announced:
            self._text.add(margin + start)
            self._lengthen(line)
        self._strangers = 0

    @property
    def could_end(self) -> bool:
        """Whether it may be whole."""
        return self._traceback.could_end

    def goes_on_with(self, text: str) -> bool:
        """Whether a line that begins a traceback is one of this one's: of the group's members each has its own."""
        if not self._traceback.could_end:
            return True
        return text.startswith(self._margin.rstrip()) and self._traceback.is_of_group(
            text[len(self._margin) :]
        )

    def is_read_with(self, line: Line) -> bool:
        """Whether a line behind it may have been written together with it."""
        return line.low_ns <= self._high_ns

    def outlives_stranger(self) -> bool:
        """A line of something else came. Whether this goes on: it is not at an end yet, and not given up."""
        self._strangers += 1
        return not self._traceback.could_end and self._strangers <= _MOST_STRANGERS

    def take(self, text: str, line: Line) -> bool:
        """Read one more line; False where it does not belong here."""
        if not text.startswith(self._margin.rstrip()) or self._is_later(text, line):
            return False
        if not self._traceback.take(text[len(self._margin) :]):
            return False
        self._text.add(text)
        self._lengthen(line)
        return True

    def event(self) -> Event:
        """The finished event."""
        event = self._event
        event["kind"] = "traceback"
        event["text"] = str(self._text)
        said = traceback_event(self._traceback)
        if said.get("exception", "").endswith("HaltServer"):
            event["event"] = "boot_failed"
        if "request_id" not in event and (request_id := find_request_id(said.get("message", ""))) is not None:
            event["request_id"] = request_id
        return event | said

    def _lengthen(self, line: Line) -> None:
        self._high_ns = line.high_ns
        self._event["bytes"] = min(self._event["bytes"] + line.size, (1 << 31) - 1)

    def _is_later(self, text: str, line: Line) -> bool:
        if not self.goes_on_with(text):  # written at once: what was read later is something else
            return line.low_ns > self._high_ns
        return line.low_ns > self._high_ns + _PAUSE_NS


def read_whole(event: Event, lines: list[str]) -> Event:
    """Add what a traceback says that a value of `event` held, as lines."""
    traceback = Traceback(alone=True)
    begun = False
    for text in lines:
        begun = begun or traceback_start(text) is not None
        if begun and not traceback.take(text):
            break
    said = traceback_event(traceback)
    return event | {"kind": "traceback"} | said if said else event


class _Text:
    """The first and the last lines of a text that may be long."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._head_bytes = 0
        self._tail: deque[str] = deque()
        self._tail_bytes = 0
        self._left_out = 0

    def add(self, text: str) -> None:
        size = len(text.encode("utf-8", "replace")) + 1
        if size > _TAIL_BYTES // 4:
            text = text[:300] + " …"
            size = len(text.encode("utf-8", "replace")) + 1
        if not self._tail and self._head_bytes + size <= _HEAD_BYTES:
            self._head.append(text)
            self._head_bytes += size
            return
        self._tail.append(text)
        self._tail_bytes += size
        while self._tail_bytes > _TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft().encode("utf-8", "replace")) + 1
            self._left_out += 1

    def __str__(self) -> str:
        between = [f"… {self._left_out} lines are left out …"] if self._left_out else []
        return "\n".join([*self._head, *between, *self._tail])
