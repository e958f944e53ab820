"""Request ids in lines of any form."""

from __future__ import annotations

import re

# Some name of it, as a key: request_id=…, "requestId": "…", X-Request-ID: …, [rid …]
_VALUE = r"""["']?\s{0,2}[=:]\s{0,2}["']?([A-Za-z0-9._:/+=-]{4,128})"""
_NAMED = re.compile(
    rf"(?:[Rr]eq(?:uest)?|REQ(?:UEST)?|[Cc]orrelation|CORRELATION|[Tt]race|TRACE)[-_]?(?:[Ii]d|ID){_VALUE}|\brid{_VALUE}",
    re.ASCII,
)
_KEYS = tuple(key + end for key in ("id", "ID", "Id") for end in ("=", ":", '"', "'", " "))
# A UUID, as the recorder sends (loadtesting/lib) and as most others make.
_SHAPED = re.compile(
    r"(?<![0-9A-Fa-f-])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f-])"
)
_HEXADECIMAL = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])")  # nginx's $request_id
_ACCEPTABLE = re.compile(r"[!-~]{1,200}")
_SEARCHED = 8192


def find_request_id(text: str) -> str | None:
    """The id that `text` names as one, else one that looks like one."""
    text = text[:_SEARCHED]
    if any(key in text for key in _KEYS) and (named := _NAMED.search(text)):
        return (named[1] or named[2]).rstrip(".:,")
    if text.count("-") >= 4 and (shaped := _SHAPED.search(text)):
        return shaped[0]
    return None


def find_bare_id(text: str) -> str | None:
    """As `find_request_id`, or 32 hexadecimal digits: for what follows the known fields of an access line."""
    found = find_request_id(text)
    if found is None and len(text) >= 32 and (hexadecimal := _HEXADECIMAL.search(text[:_SEARCHED])):
        return hexadecimal[0]
    return found


def as_request_id(value: object) -> str | None:
    """A value that stands where an id belongs; None where there is none ("-", "", null)."""
    return value if isinstance(value, str) and value != "-" and _ACCEPTABLE.fullmatch(value) else None
