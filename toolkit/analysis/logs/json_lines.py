"""Log lines that are JSON objects: access lines and messages, by the names that loggers commonly use."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.analysis.logs.access_lines import split_request
from toolkit.analysis.logs.events import LONGEST_NAME, Event, set_count, set_request
from toolkit.analysis.logs.prefixes import LEVELS
from toolkit.analysis.logs.request_ids import as_request_id
from toolkit.analysis.logs.stamps import Stamp, any_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAMES = {
    "time": "time timestamp @timestamp ts t asctime datetime date time_local time_iso8601 msec eventtime logged_at created",
    "start": "start_time started started_at starttime request_start time_start event_start",
    "end": "end_time ended ended_at finished finished_at endtime request_end time_end event_end",
    "method": "method verb request_method http_method req_method http_request_method requestmethod",
    "path": "path uri url raw_uri request_uri request_path url_path http_path http_url http_target req_url requesturi target",
    "request": "request request_line requestline req",
    "status": "status status_code response response_code code http_status http_status_code http_response_status_code "
    "statuscode res_status_code response_status",
    "request_id": "request_id x_request_id req_id requestid rid http_x_request_id http_request_id correlation_id trace_id "
    "traceid headers_x_request_id",
    "pid": "pid process process_id processid worker_pid process_pid",
    "level": "level levelname severity log_level loglevel lvl",
    "logger": "logger logger_name name log_logger",
    "message": "message msg event log text description",
    "bytes": "bytes bytes_sent body_bytes_sent size response_length content_length length bytes_out response_bytes",
    "client": "client remote_addr remote_ip client_ip ip remote_address client_addr",
    "exception": "exc_info exception traceback exc_text stack_trace stack error_stack_trace error_stack exc stacktrace",
}
_MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names.split()}
_DURATION = re.compile(
    r"(?:http_|request_|req_|response_|resp_|event_|total_)?"
    r"(?:duration|time_taken|request_time|response_time|latency|elapsed|took|elapsed_time|process_time|run_?time|rt)"
    r"(?:_?(ns|nanoseconds|us|usec|micros|microseconds|ms|msec|millis|milliseconds|s|sec|secs|seconds))?"
)
_UNITS = {
    "ns": 1e-6,
    "nanoseconds": 1e-6,
    **dict.fromkeys(("us", "µs", "usec", "micros", "microseconds"), 1e-3),
    **dict.fromkeys(("ms", "msec", "millis", "milliseconds"), 1.0),
    **dict.fromkeys(("s", "sec", "secs", "seconds"), 1e3),
}
_SECONDS = frozenset({"request_time", "upstream_response_time"})  # as nginx writes them
_AMOUNT = re.compile(r"(\d{1,12}(?:\.\d{1,12})?) ?(ns|us|µs|ms|s|sec)?", re.ASCII)
_MOST_KEYS = 200
_MOST_KNOWN = 1000
_LONGEST_DURATION_MS = 1e9


class JsonLine(NamedTuple):
    """What a JSON line says."""

    event: Event
    stamp: Stamp | None
    traceback: list[str]
    """The lines of a traceback that one of its values holds."""


class JsonLines:
    """Reads the JSON lines of one source; lines of one form cost little."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], _Form] = {}

    def read(self, text: str) -> JsonLine | None:
        """None where `text` is no JSON object."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        for value in said.values():
            if isinstance(value, dict):
                said = dict(islice(_flat(said), _MOST_KEYS))
                break
        keys = tuple(said)
        form = self._known.get(keys)
        if form is None:
            form = _form_of(keys[:_MOST_KEYS])
            if len(self._known) < _MOST_KNOWN:
                self._known[keys] = form
        return form.read(said)


def _flat(said: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        if isinstance(value, dict) and depth < 3:
            yield from _flat(value, f"{before}{name}.", depth + 1)
        else:
            yield f"{before}{name}", value


class _Form(NamedTuple):
    """Which keys of an object mean what."""

    times: list[tuple[str, str]]
    """(key, whether it is the start or the end), the surest first."""
    puts: list[tuple[Callable[[Event, Any], None], str]]
    duration: tuple[str, float | None] | None
    """Its key, and the milliseconds of one."""
    tracebacks: list[str]

    def read(self, said: dict[str, Any]) -> JsonLine:
        event: Event = {"kind": "message"}
        stamp = None
        for key, stamp_is in self.times:
            if (stamp := any_stamp(said[key])) is not None:
                event["stamp_is"] = stamp_is
                break
        for put, key in self.puts:
            value = said[key]
            if value is not None:
                put(event, value)
        if self.duration is not None:
            _duration(event, said[self.duration[0]], self.duration[1])
        if "status" in event and ("url_path" in event or "method" in event):
            event["kind"] = "access"
        else:
            event.pop("status", None)
            event.pop("stamp_is", None)
        return JsonLine(event, stamp, _traceback(said, self.tracebacks))


def _form_of(keys: tuple[str, ...]) -> _Form:
    """Of two keys for one thing, the one whose name stands first in the list is taken."""
    found: dict[str, tuple[int, str]] = {}
    duration: tuple[str, float | None] | None = None
    for key in keys:
        name = re.sub(r"[^a-z0-9]+", "_", key.lower()).strip("_")
        name = f"@{name}" if key.startswith("@") else name
        meaning = _MEANINGS.get(name)
        if meaning is not None:
            candidate = (_NAMES[meaning].split().index(name), key)
            found[meaning] = min(candidate, found.get(meaning, candidate))
        elif (named := _DURATION.fullmatch(name)) is not None and duration is None:
            duration = (key, _UNITS.get(named[1] or "", 1e3 if name in _SECONDS else None))
    times = (("end", "end"), ("start", "start"), ("time", "either"))
    return _Form(
        times=[(found[meaning][1], stamp_is) for meaning, stamp_is in times if meaning in found],
        puts=[(put, found[meaning][1]) for meaning, put in _PUT.items() if meaning in found],
        duration=duration,
        tracebacks=[found[meaning][1] for meaning in ("exception", "message") if meaning in found],
    )


def _duration(event: Event, value: object, unit: float | None) -> None:
    if isinstance(value, str) and len(value) < 40 and (amount := _AMOUNT.fullmatch(value)) is not None:
        unit = _UNITS[amount[2]] if amount[2] else unit
        value = float(amount[1])
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LONGEST_DURATION_MS:
        event["duration"] = float(value)
        if unit is not None:
            event["duration_unit"] = unit


def _traceback(said: dict[str, Any], keys: list[str]) -> list[str]:
    for key in keys:
        value = said[key]
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            value = "".join(value)
        if isinstance(value, str) and "Traceback (most recent call last)" in value:
            return value.splitlines()
    return []


def _method(event: Event, value: object) -> None:
    if isinstance(value, str) and value.isalpha():
        set_request(event, value.upper(), None)


def _path(event: Event, value: object) -> None:
    if isinstance(value, str):
        set_request(event, None, value)


def _request(event: Event, value: object) -> None:
    if isinstance(value, str) and "url_path" not in event:
        set_request(event, *split_request(value))


def _status(event: Event, value: object) -> None:
    if isinstance(value, str):
        value = value[:3] if value[:3].isdigit() else None  # "504 Gateway Timeout"
    set_count(event, "status", value, 999)


def _request_id(event: Event, value: object) -> None:
    if (request_id := as_request_id(value)) is not None:
        event["request_id"] = request_id


def _pid(event: Event, value: object) -> None:
    set_count(event, "pid", value.strip("<>") if isinstance(value, str) else value)


_NUMBERED_LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL", 60: "CRITICAL"}


def _level(event: Event, value: object) -> None:
    level = LEVELS.get(value.upper()) if isinstance(value, str) else None
    if isinstance(value, int):
        level = _NUMBERED_LEVELS.get(value)
    if level is not None:
        event["level"] = level


def _logger(event: Event, value: object) -> None:
    if isinstance(value, str):
        event["logger"] = value[:LONGEST_NAME]


def _message(event: Event, value: object) -> None:
    if isinstance(value, str):
        event["message"] = value


def _bytes(event: Event, value: object) -> None:
    set_count(event, "bytes_out", value, (1 << 62) - 1)


def _client(event: Event, value: object) -> None:
    if isinstance(value, str) and value != "-":
        event["client"] = value[:LONGEST_NAME]


_PUT: dict[str, Callable[[Event, Any], None]] = {
    "method": _method,
    "path": _path,
    "request": _request,
    "status": _status,
    "request_id": _request_id,
    "pid": _pid,
    "level": _level,
    "logger": _logger,
    "message": _message,
    "bytes": _bytes,
    "client": _client,
}
