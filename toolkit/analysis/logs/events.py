"""What a log line, or several that belong together, says: one event. Keys are there only where something is known."""

from __future__ import annotations

import re
from typing import Any

Event = dict[str, Any]

EVENT_FIELDS = {
    "log": "INTEGER",  # which source of which server
    "position": "BIGINT",
    "bytes": "INTEGER",
    "read_low_ns": "BIGINT",  # not written before, by when the agent read what
    "read_high_ns": "BIGINT",  # written by then
    "stamp_ns": "BIGINT",  # the time that the line names
    "resolution_ns": "BIGINT",  # of it: anything up to here is meant
    "stamp_is": "VARCHAR",  # of an access line with a duration: 'start', 'end', 'either'
    "kind": "VARCHAR",  # access, gunicorn, traceback, message
    "event": "VARCHAR",
    "level": "VARCHAR",
    "logger": "VARCHAR",
    "pid": "INTEGER",
    "writer": "INTEGER",  # of gunicorn's own lines: the process that wrote it, as the line says
    "perhaps_quoted": "BOOLEAN",  # read together with other text, of which it, or a traceback, may be a part
    "exit_signal": "VARCHAR",
    "exit_code": "INTEGER",
    "request_id": "VARCHAR",
    "method": "VARCHAR",
    "url_path": "VARCHAR",
    "status": "INTEGER",
    "duration": "DOUBLE",
    "duration_unit": "DOUBLE",  # milliseconds that one of `duration` is; null where the log does not name the unit
    "bytes_out": "BIGINT",
    "client": "VARCHAR",
    "message": "VARCHAR",
    "exception": "VARCHAR",
    "fingerprint": "VARCHAR",
    "place": "VARCHAR",
    "chain": "VARCHAR",
    "text": "VARCHAR",
}
"""Of one event, in the order of the staged table, with DuckDB's types. Times are the server's."""

LONGEST_TEXT = 8 << 10
LONGEST_MESSAGE = 2000
LONGEST_NAME = 300


_QUERY = re.compile(r"(/[^\s?\"']{0,4096})\?[^\s\"')\]>,;]+")


def without_queries(text: str) -> str:
    """A message whose addresses have lost their query values: `/find?…`."""
    return _QUERY.sub(r"\1?…", text) if "?" in text else text


def set_request(event: Event, method: str | None, target: str | None) -> None:
    """Note what was asked for; `target` as it stood in the request line. No query value leaves the raw text."""
    if method and method != "-":
        event["method"] = method[:16]
    path = url_path(target)
    if path:
        event["url_path"] = path


def url_path(target: str | None) -> str | None:
    """The path of `/path?query`, `path?query` or `http://host/path`; None where there is none."""
    if not target or target == "-":
        return None
    path = target.partition("?")[0].partition("#")[0]
    if "://" in path[:12]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path[:LONGEST_MESSAGE] or None


def set_count(event: Event, name: str, value: object, largest: int = (1 << 31) - 1) -> None:
    """Note a number that may stand as text; anything else, and what is too large, is passed over."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest:
        event[name] = value
