"""What a logged message tells of the request or the process it is about."""

from __future__ import annotations

import re

from toolkit.analysis.logs.events import LONGEST_MESSAGE, Event, set_request, without_queries
from toolkit.analysis.logs.request_ids import find_request_id

_METHODS = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS"
_REQUESTS = (
    re.compile(rf"Exception on (?P<path>/\S{{0,4000}}) \[(?P<method>{_METHODS})\]"),  # Flask
    re.compile(
        r"(?:Internal Server Error|Bad Gateway|Service Unavailable): (?P<path>/\S{0,4000})$"
    ),  # Django
    re.compile(
        rf"\b(?P<method>{_METHODS}):? (?:https?://[^/\s]{{1,255}})?(?P<path>/[^\s\"',;)\]]{{0,4000}})"
    ),
    re.compile(r"\b(?:path|url|uri|route|endpoint)[=:] ?[\"']?(?P<path>/[^\s\"',;)\]]{0,4000})"),
    re.compile(
        r"\b(?:[Ee]rror|[Ee]xception|[Ff]ailed|[Ff]ailure)\b.{0,100}? (?P<path>/[^\s\"',;:)\]]{0,4000})"
    ),
)
_FILES = re.compile(r"\.(?:py|so|log|conf|cfg|json|sock|toml|ya?ml|ini|sqlite\d?|db|pid)$")
_FAILURE = ("error", "exception", "fail", "unhandled", "uncaught", "crash")
_SEARCHED = 4096


def set_message(event: Event, message: str) -> None:
    """Note the message's first line, and the request that it names."""
    event["message"] = first_line(message)
    if "request_id" not in event and (request_id := find_request_id(message)) is not None:
        event["request_id"] = request_id
    if "url_path" not in event and "/" in message:
        _set_request(event, message[:_SEARCHED])


def names_failure(message: str) -> bool:
    """Whether a message speaks of something that went wrong."""
    lower = message[:_SEARCHED].lower()
    return any(word in lower for word in _FAILURE)


def first_line(text: str) -> str:
    """The first line of a message, not longer than the table takes, without query values."""
    return without_queries(text[:LONGEST_MESSAGE].partition("\n")[0].rstrip("\r"))


def _set_request(event: Event, message: str) -> None:
    for pattern in _REQUESTS:
        found = pattern.search(message)
        if found is not None and not _FILES.search(found["path"]):
            set_request(event, found.groupdict().get("method"), found["path"])
            return
