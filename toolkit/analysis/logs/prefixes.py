"""What stands before a message: time, process, level and logger, in the forms that loggers write."""

from __future__ import annotations

import re
from typing import NamedTuple

from toolkit.analysis.logs.stamps import ISO, Stamp, iso_stamp

LEVELS = {
    name: name
    for name in ("TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERG")
} | {"WARN": "WARNING", "FATAL": "CRITICAL", "CRIT": "CRITICAL", "SUCCESS": "INFO", "EXCEPTION": "ERROR"}
"""Level names as they stand in logs, in capitals → as they stand in the table."""

_LEVEL = "|".join(sorted(LEVELS, key=len, reverse=True))
_ISO = re.compile(rf"(?:({_LEVEL})[: ] {{0,8}})?\[?({ISO})\]?", re.ASCII)
_LEVEL_FIRST = re.compile(
    rf"(?:({_LEVEL}):([\w.-]{{1,200}}):|\[({_LEVEL})\] |({_LEVEL}):? {{1,8}})", re.ASCII
)
_ANY_LEVEL = re.compile(rf"\b({_LEVEL}|{_LEVEL.lower()})\b", re.ASCII)
_PID = re.compile(r"\b(?:pid|process)(?:[=:] ?|\")(\d{1,10})\b|\[(\d{2,10})\]", re.ASCII)

_GUNICORN = re.compile(rf" \[(?P<pid>\d{{1,10}})\] \[(?P<level>{_LEVEL})\] ?(?P<message>.*)", re.DOTALL)
_NGINX = re.compile(
    rf" \[(?P<level>{_LEVEL.lower()})\] (?P<pid>\d{{1,10}})#\d{{1,10}}: (?:\*\d{{1,20}} )?(?P<message>.*)",
    re.DOTALL,
)
_FLASK = re.compile(rf" (?P<level>{_LEVEL}) in (?P<logger>[\w.-]{{1,200}}): (?P<message>.*)", re.DOTALL)
_DASHES = re.compile(rf" - (?P<logger>[\w.-]{{1,200}}) - (?P<level>{_LEVEL}) - (?P<message>.*)", re.DOTALL)
_LOGURU = re.compile(
    rf" \| (?P<level>{_LEVEL}) {{0,8}}\| (?P<logger>\S{{1,200}}) - (?P<message>.*)", re.DOTALL
)
_PLAIN = re.compile(  # LEVEL name: message, [LEVEL] message
    rf"[ :|-]{{0,4}}\[?(?P<level>{_LEVEL})\]? {{0,8}}"
    r"(?:(?P<logger>[A-Za-z_][\w.-]{0,200}): |[:|-]{1,2} )?(?P<message>.*)",
    re.DOTALL,
)
# By the first letter after the time and a space.
_TAILS = {"[": (_GUNICORN, _NGINX, _PLAIN), "-": (_DASHES, _PLAIN), "|": (_LOGURU, _PLAIN)}
_OTHER_TAILS = (_FLASK, _PLAIN)


class Prefix(NamedTuple):
    """What a line says before its message."""

    stamp: Stamp | None
    message: str
    level: str | None = None
    logger: str | None = None
    pid: int | None = None
    gunicorn: bool = False
    """It has the form of gunicorn's own lines."""


def read_prefix(text: str) -> Prefix | None:
    """Split a line; None where it begins with neither a time nor a level."""
    first = text[:1]
    if not (first.isdigit() or first == "[" or first.isupper()):
        return None
    found = _ISO.match(text)
    if found is None:
        return _without_time(text)
    stamp = iso_stamp(found[2])
    rest = text[found.end() :]
    if found[1]:  # the level came first
        return Prefix(stamp, rest.lstrip(" :-|"), LEVELS[found[1]], None, _pid(rest))
    for pattern in _TAILS.get(rest[1:2], _OTHER_TAILS):
        if (tail := pattern.match(rest)) is not None:
            parts = tail.groupdict()
            pid = _small(parts["pid"]) if "pid" in parts else _pid(rest)
            level = LEVELS[parts["level"].upper()]
            return Prefix(stamp, parts["message"], level, parts.get("logger"), pid, pattern is _GUNICORN)
    named = _ANY_LEVEL.search(rest, 0, 100)
    return Prefix(stamp, rest.lstrip(" :-|"), LEVELS[named[1].upper()] if named else None, None, _pid(rest))


def _without_time(text: str) -> Prefix | None:
    found = _LEVEL_FIRST.match(text)
    if found is None:
        return None
    level = found[1] or found[3] or found[4]
    rest = text[found.end() :]
    return Prefix(None, rest, LEVELS[level], found[2], _pid(rest))


def _pid(text: str) -> int | None:
    if "pid" not in text and "process" not in text and "[" not in text[:40]:
        return None
    found = _PID.search(text, 0, 200)
    return _small(found[1] or found[2]) if found else None


def _small(text: str | None) -> int | None:
    return int(text) if text and int(text) < 1 << 31 else None
