"""The lines of one source → events: what kind each line is, and which lines belong together."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.analysis.logs.access_lines import AccessLines
from toolkit.analysis.logs.envelopes import Envelopes, Opened, open_journal
from toolkit.analysis.logs.events import LONGEST_TEXT, Event
from toolkit.analysis.logs.gunicorn_lines import gunicorn_event
from toolkit.analysis.logs.json_lines import JsonLine, JsonLines
from toolkit.analysis.logs.lines import LONGEST_LINE
from toolkit.analysis.logs.messages import first_line, names_failure, set_message
from toolkit.analysis.logs.open_traceback import OpenTraceback, read_whole, traceback_start
from toolkit.analysis.logs.prefixes import Prefix, read_prefix
from toolkit.analysis.logs.stamps import Stamp, Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from toolkit.analysis.logs.lines import Line

_ESCAPES = re.compile(r"\x1b\[[\d;]{0,30}[A-Za-z]")
_PATH = re.compile(r"(?:^|[\s\"'=,;|\[])/", re.ASCII)
_STATUS = re.compile(r"(?<![\w.:/-])[1-5]\d\d(?![\w.:/-])", re.ASCII)
_SEARCHED = 2000
_MOST_OPEN = 64
_OLD_NS = 60_000_000_000
_HOLDS_FOR = 5
"""So many plain lines may stand between a message and its traceback: those of a message with several lines."""
_ANNOUNCES = frozenset({"WARNING", "ERROR", "CRITICAL", "ALERT", "EMERG"})
_CALM = frozenset({"DEBUG", "INFO", "NOTICE", "TRACE"})


@dataclass
class _Spoken:
    """The record that a line without a prefix goes on with, where that record announces no failure."""

    writer: int | None = None
    until_ns: int = -1
    """By when its last line was read; -1: there is none."""

    def goes_on_with(self, line: Line, writer: int | None) -> bool:
        """Whether this line may be more of its message: it was written, and so read, together with it."""
        return self.until_ns >= 0 and writer == self.writer and line.low_ns <= self.until_ns


class Assembly:
    """Turns the lines of one source into events, which carry the fields of `EVENT_FIELDS`.

    Args:
        log: the source's number among all servers'.
        said: its line of sources.json.
        year: of the run's start, for stamps that name none.
    """

    def __init__(self, log: int, said: Mapping[str, Any], year: int) -> None:
        self.lines = 0
        self.cut = 0  # of these, longer than what is looked at
        self._alike = 0  # of these, with a path and a status, and of no known format
        self.kinds: Counter[str] = Counter()
        self._log = log
        self._errors = said.get("role") == "error"
        self._journal = said.get("kind") == "journal"
        self._access = AccessLines(said.get("format"), guess=said.get("role") in ("access", None))
        self._json = JsonLines()
        self._envelopes = Envelopes(year)
        self._zone = Zone()
        self._floor_ns = 0  # the latest stamp: a line without one is not older than those before it
        self._others_ns = 0  # until when text was read that is not gunicorn's own
        self._spoken = _Spoken()
        self._held: tuple[int | None, Event] | None = None  # may announce a traceback; with its writer
        self._held_for = 0
        self._held_is_told = False
        self._open: dict[int | None, OpenTraceback] = {}
        self._ready: list[Event] = []

    @property
    def guessed(self) -> int:
        """Access lines of an unknown format."""
        return self._access.guessed

    @property
    def unread(self) -> int:
        """Lines of an access log that could not be read as such. Where gunicorn's other output or the application's stands in
        the same file: those with a path and a status."""
        shared = self.kinds["gunicorn"] or self.kinds["traceback"]
        return self._alike if shared else self.lines - self.kinds["access"]

    @property
    def role(self) -> str | None:
        """What the lines so far are mostly, for a source of which that was not known."""
        if not self.kinds:
            return None
        if 2 * self.kinds["access"] >= self.kinds.total():
            return "access"
        # One that a service shares with gunicorn has a few of its lines; so has one that somebody forges them into.
        return "error" if 4 * self.kinds["gunicorn"] >= self.kinds.total() else "application"

    def events(self, lines: Iterable[Line]) -> Iterator[Event]:
        """Every event. A message and a traceback come when it is seen that no more belongs to them: not in order."""
        for line in lines:
            self.lines += 1
            self.cut += line.size > LONGEST_LINE + 1
            if self._journal:
                for part, opened in open_journal(line):
                    self._read(part, opened)
            else:
                self._read(line, self._envelopes.open(line.text))
            if self._ready:
                yield from self._take_ready()
        self._release()
        for writer in list(self._open):
            self._close(writer)
        yield from self._take_ready()

    def _take_ready(self) -> list[Event]:
        ready, self._ready = self._ready, []
        for event in ready:
            self.kinds[event["kind"]] += 1
        return ready

    def _read(self, line: Line, opened: Opened) -> None:
        text = opened.text if "\x1b" not in opened.text else _ESCAPES.sub("", opened.text)
        access = self._access.read_known(text)
        if access is None and text[:1] == "{" and (said := self._json.read(text)) is not None:
            self._stranger()
            self._ready.append(self._of_json(line, said, opened))
        elif (access := access or self._access.read(text)) is not None:
            self._stranger()
            event = self._event(line, access[1], opened)
            event.update(access[0])
            self._ready.append(event)
        elif "Traceback (most recent call last):" in text and (start := traceback_start(text)) is not None:
            self._begin(line, text, start, opened)
        elif (prefix := read_prefix(text)) is not None:
            told = self._spoken.goes_on_with(line, opened.writer)
            self._stranger()
            self._record(line, prefix, opened, told=told)
        else:
            self._plain(line, text, opened)

    def _of_json(self, line: Line, said: JsonLine, opened: Opened) -> Event:
        event = self._event(line, said.stamp, opened) | said.event
        message = event.get("message")
        if event["kind"] == "access" or message is None:
            if message is not None:
                event["message"] = first_line(message)
            return read_whole(event, said.traceback) if said.traceback else event
        access = self._access.read(message)
        if access is not None:
            return event | access[0] | {"message": first_line(message)}
        if event.get("logger", "").startswith("gunicorn") and (own := gunicorn_event(message)) is not None:
            event |= {"kind": "gunicorn", **own}
        set_message(event, message)
        return read_whole(event, said.traceback) if said.traceback else event

    def _record(self, line: Line, prefix: Prefix, opened: Opened, *, told: bool) -> None:
        """`told`: a calm message was read just before, which this line may be more of."""
        event = self._of_prefix(line, prefix, opened)
        if prefix.level is None and event["kind"] == "message":
            self._alike += _may_be_access(prefix.message)
        if event.get("level") in _ANNOUNCES or names_failure(prefix.message):
            self._held, self._held_for = (opened.writer, event), 0
            # Gunicorn tells nothing of a client's calmly; an application may, and fail the next moment.
            self._held_is_told = self._is_stale(event) or (told and event["kind"] == "gunicorn")
            return
        self._ready.append(event)
        if event["kind"] != "gunicorn" and event.get("level") in _CALM:
            self._spoken = _Spoken(opened.writer, line.high_ns)

    def _of_prefix(self, line: Line, prefix: Prefix, opened: Opened) -> Event:
        event = self._event(line, prefix.stamp, opened)
        if prefix.level is not None:
            event["level"] = prefix.level
        if prefix.logger is not None:
            event["logger"] = prefix.logger
        if prefix.pid is not None:
            event["pid"] = prefix.pid
        own = prefix.gunicorn or self._errors or (prefix.logger or "").startswith("gunicorn")
        if own and not self._is_stale(event) and (said := gunicorn_event(prefix.message)) is not None:
            event["kind"] = "gunicorn"
            event["writer"] = prefix.pid
            event["perhaps_quoted"] = self._may_be_quoted(line, prefix, opened)
            event.update(said)
        else:
            self._others_ns = line.high_ns
        set_message(event, prefix.message)
        return event

    @staticmethod
    def _is_stale(event: Event) -> bool:
        """A line is written as it is stamped; one with an older stamp is somebody's text that was logged."""
        return bool(event.get("stamp_ns", event["read_low_ns"]) < event["read_low_ns"] - _OLD_NS)

    def _may_be_quoted(self, line: Line, prefix: Prefix, opened: Opened) -> bool:
        """Whether a line in gunicorn's form may be the end of a message that a client sent, with line breaks in it: that is
        written, and read, together with what the message began with. The journal knows who wrote a line."""
        if self._journal and opened.writer is not None:
            return opened.writer != prefix.pid
        return line.low_ns <= self._others_ns

    def _begin(self, line: Line, text: str, start: tuple[str, str], opened: Opened) -> None:
        self._others_ns = line.high_ns
        writer = opened.writer
        spoken, self._spoken = self._spoken, _Spoken()
        before = self._open.get(writer)
        if before is not None and before.goes_on_with(text) and before.take(text, line):
            return
        self._close(writer)
        margin, first = start
        behind = before is not None and before.could_end and before.is_read_with(line)
        announced = False
        prefix = read_prefix(text)
        if prefix is not None:  # the message itself is a traceback
            margin = ""
            event = self._of_prefix(line, prefix, opened)
            if event.get("level") in _CALM:
                event["perhaps_quoted"] = True
        elif self._held is not None and self._held[0] == writer:
            announced = True
            event, self._held = self._held[1], None
            event["perhaps_quoted"] = self._held_is_told
        else:
            event = self._event(line, None, opened)
            event["perhaps_quoted"] = behind or spoken.goes_on_with(line, writer)
        self._release()
        if len(self._open) >= _MOST_OPEN:
            self._close(next(iter(self._open)))
        self._open[writer] = OpenTraceback(event, margin, first, line, announced=announced)

    def _plain(self, line: Line, text: str, opened: Opened) -> None:
        self._others_ns = line.high_ns
        if self._spoken.goes_on_with(line, opened.writer):
            self._spoken.until_ns = line.high_ns
        before = self._open.get(opened.writer)
        if before is not None:
            if before.take(text, line):
                return
            if not before.outlives_stranger():
                self._close(opened.writer)
        if not text.strip():
            return
        if self._held is not None:
            self._held_for += 1
            if self._held_for > _HOLDS_FOR:
                self._release()
        self._alike += _may_be_access(text)
        event = self._event(line, None, opened)
        set_message(event, text)
        self._ready.append(event)

    def _stranger(self) -> None:
        """A line of its own came: what was held comes free, and tracebacks that could be whole are."""
        self._spoken = _Spoken()
        if self._held is not None:
            self._release()
        if self._open:
            for writer in [writer for writer, opened in self._open.items() if not opened.outlives_stranger()]:
                self._close(writer)

    def _release(self) -> None:
        if self._held is not None:
            self._ready.append(self._held[1])
            self._held = None

    def _close(self, writer: int | None) -> None:
        opened = self._open.pop(writer, None)
        if opened is not None:
            self._ready.append(opened.event())

    def _event(self, line: Line, stamp: Stamp | None, opened: Opened) -> Event:
        position, size, low_ns, high_ns, text = line
        event: Event = {
            "log": self._log,
            "position": position,
            "bytes": size,
            "read_low_ns": low_ns,
            "read_high_ns": high_ns,
            "kind": "message",
            "text": text if len(text) <= LONGEST_TEXT // 4 else _clipped(text),
        }
        if opened.writer is not None:
            event["pid"] = opened.writer
        if opened.level is not None:
            event["level"] = opened.level
        if opened.stamp is not None:
            stamp = _finer(stamp, opened.stamp)
        if stamp is not None:
            at_ns = self._zone.utc_ns(stamp, low_ns, high_ns)
            event["stamp_ns"] = at_ns
            event["resolution_ns"] = stamp.resolution_ns
            if low_ns <= at_ns <= high_ns:
                self._floor_ns = at_ns
        elif low_ns < self._floor_ns <= high_ns:
            event["read_low_ns"] = self._floor_ns
        return event


def _finer(inner: Stamp | None, outer: Stamp) -> Stamp:
    return outer if inner is None or (outer.resolution_ns < inner.resolution_ns and outer.zoned) else inner


def _may_be_access(text: str) -> bool:
    text = text[:_SEARCHED]
    return _PATH.search(text) is not None and _STATUS.search(text) is not None


def _clipped(text: str) -> str:
    return text.encode("utf-8", "replace")[:LONGEST_TEXT].decode("utf-8", "ignore")
