"""Access log lines in text: gunicorn's, Apache's, nginx's, uvicorn's, and any format that is known."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from toolkit.analysis.logs.access_formats import compile_format
from toolkit.analysis.logs.events import Event, set_count, set_request
from toolkit.analysis.logs.request_ids import as_request_id, find_bare_id
from toolkit.analysis.logs.stamps import APACHE, ISO, Stamp, any_stamp, apache_stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUOTED = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_COMMON = re.compile(
    rf"(?P<client>\S*+(?:, \S++)*+) \S*+ (?:\S++|[^\[\"]{{0,100}}) \[(?P<time>{APACHE})\]"
    rf' "(?P<request>{_QUOTED})" (?P<status>\d{{3}}) (?P<bytes>\d{{1,18}}|-)(?P<rest>.*)',
    re.ASCII | re.DOTALL,
)
_UVICORN = re.compile(
    r"(?:INFO: {1,8})?(?P<client>\S{1,100}:\d{1,5}|None) - "
    r'"(?P<request>[A-Z]{1,16} .{0,4096}? HTTP/[\d.]{1,3})" (?P<status>\d{3})(?: [A-Z][\w \'-]{0,40})?',
    re.ASCII,
)
_ANY = re.compile(
    r"(?<![^\s\"'|,;=])(?P<request>[A-Z]{3,16} [^\s\"']{1,4096} HTTP/[\d.]{1,3})[\"'|,;]*\s+"
    r"(?:status=)?(?P<status>[1-5]\d\d)(?![\w.])",
    re.ASCII,
)
_ANY_TIME = re.compile(rf"\[{APACHE}\]|{ISO}", re.ASCII)
_REST = re.compile(rf'(?: "(?P<referer>{_QUOTED})" "(?P<agent>{_QUOTED})")?(?P<more>.*)', re.DOTALL)
_KEYED_TIME = re.compile(r"\b(?:rt|request_time|reqtime|req_time)[=:] ?\"?(\d{1,6}\.\d{1,6})", re.ASCII)
# A key that says its unit, as the snippet in profile/ writes it: gunicorn's format is hidden where it shows a process title.
_UNIT_TIME = re.compile(
    r"\b(?:(?:duration|request_time|time|took|elapsed|latency|response_time)_)?(us|usec|ms|msec|seconds|s)"
    r"[=:] ?\"?(\d{1,12}(?:\.\d{1,9})?)(?![\d.])",
    re.ASCII,
)
_KEY_UNITS = {"us": 0.001, "usec": 0.001, "ms": 1.0, "msec": 1.0, "s": 1000.0, "seconds": 1000.0}
_BARE_TIME = re.compile(r'(?: "[^"]{0,200}")?(?: \d+)? (\d{1,6}\.\d{3})(?![\d.])', re.ASCII)
_LONGEST = 32 << 10


class AccessLines:
    """Reads the access lines of one source.

    Args:
        formats: gunicorn's access_log_format where it is known.
        guess: whether it is an access log, so that a line with a request and a status is one of it in whatever format.
    """

    def __init__(self, formats: str | None, *, guess: bool = False) -> None:
        self._format = compile_format(formats) if formats else None
        self._guess = guess
        self.guessed = 0
        """Lines of which request and status were guessed."""

    def read_known(self, text: str) -> tuple[Event, Stamp | None] | None:
        """What a line of the known format says, and its time; None where `text` is none."""
        if self._format is None or len(text) > self._format.longest:
            return None
        found = self._format.pattern.fullmatch(text)
        return _event(found.groupdict()) if found is not None else None

    def read(self, text: str) -> tuple[Event, Stamp | None] | None:
        """As `read_known`, of the common formats."""
        if len(text) > _LONGEST:
            return None
        if '] "' in text and (found := _COMMON.match(text)) is not None:
            return _common(found)
        if ' - "' in text and (found := _UVICORN.fullmatch(text)) is not None:
            return _event(found.groupdict())
        if self._guess and " HTTP/" in text and (found := _ANY.search(text)) is not None:
            self.guessed += 1
            return _guessed(found)
        return None


def _guessed(found: re.Match[str]) -> tuple[Event, Stamp | None]:
    """What can be told of a line of an unknown format: request, status, time, an id, a duration that names its unit."""
    event: Event = {"kind": "access", "status": int(found["status"])}
    _set_request_line(event, found["request"])
    before, after = found.string[: found.start()], found.string[found.end() :]
    _set_rest(event, f"{before} {after}")
    stamp = _ANY_TIME.search(before) or _ANY_TIME.search(after)
    return event, any_stamp(stamp[0]) if stamp else None


def _common(found: re.Match[str]) -> tuple[Event, Stamp | None]:
    client, time, request, status, sent, rest = found.groups()
    event: Event = {"kind": "access", "status": int(status)}
    if client and client != "-":
        event["client"] = client[:200]
    if sent != "-":
        event["bytes_out"] = int(sent)
    _set_request_line(event, request)
    if rest:
        _set_rest(event, rest)
    return event, apache_stamp(time)


def _set_rest(event: Event, rest: str) -> None:
    """After the size: referer, user agent, and what an nginx was told to add."""
    more = _REST.match(rest)
    text = more["more"] if more else rest
    if not text:
        return
    if (request_id := find_bare_id(text)) is not None:
        event["request_id"] = request_id
    told = _UNIT_TIME.search(text)
    seconds = _KEYED_TIME.search(text) or _BARE_TIME.match(text)
    if told is not None:
        event |= {"duration": float(told[2]), "duration_unit": _KEY_UNITS[told[1]]}
    elif seconds is not None:
        event |= {"duration": float(seconds[1]), "duration_unit": 1000.0}


_UNITS = {"us": 0.001, "ms": 1.0, "decimal_s": 1000.0}


def _event(groups: Mapping[str, str | None]) -> tuple[Event, Stamp | None]:
    event: Event = {"kind": "access"}
    set_count(event, "status", groups["status"])
    if (client := groups.get("client")) and client != "-":
        event["client"] = client[:200]
    set_count(event, "bytes_out", groups.get("bytes"), (1 << 62) - 1)
    set_count(event, "pid", (groups.get("pid") or "").strip("<>"))
    if request := groups.get("request"):
        _set_request_line(event, request)
    if groups.get("path") or groups.get("method"):
        set_request(event, groups.get("method"), groups.get("path"))
    if request_id := as_request_id(groups.get("request_id")):
        event["request_id"] = request_id
    for name, unit in _UNITS.items():
        value = groups.get(name)
        if value and value.replace(".", "", 1).isdigit():
            event |= {"duration": float(value), "duration_unit": unit}
            break  # the finest first; whole seconds say too little
    time = groups.get("time")
    return event, any_stamp(time) if time else None


def _set_request_line(event: Event, line: str) -> None:
    method, target = split_request(line)
    set_request(event, method, target)


@lru_cache(maxsize=8192)
def split_request(line: str) -> tuple[str | None, str | None]:
    """Method and target of a request line; (None, None) where it is none."""
    method, _, rest = line.partition(" ")
    target, _, protocol = rest.rpartition(" ")
    if not target:
        target = protocol
    if not method.isalpha() or not target:
        return None, None
    return method, target.replace('\\"', '"')
