"""Time stamps in log lines: what they say, to which resolution, and in which zone where they name none."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

SECOND_NS = 1_000_000_000
_QUARTER_NS = 900 * SECOND_NS
_FURTHEST_ZONE_NS = 14 * 3600 * SECOND_NS
_BEHIND_NS = (
    60 * SECOND_NS
)  # so long may pass from the stamp until it is read before another zone is thought of
_AHEAD_NS = 2 * SECOND_NS
_FIRMLY = 3  # so many lines in a row must disagree with the zone
_LATEST_NS = 1 << 62

ISO = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\d\w]))?"
"""2026-11-21 03:32:16,123 · 2026-11-21T03:32:16.123456+00:00 · 2026/11/21 03:32:16"""
APACHE = r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,9})? [+-]\d{4}"
"""21/Nov/2026:03:32:16 +0000"""
SYSLOG = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
"""Nov 21 03:32:16"""

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_TAIL = re.compile(r"(?:[.,](\d{1,9}))? ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?", re.ASCII)
_NUMBER = re.compile(r"(\d{9,19})(?:\.(\d{1,9})\d*)?", re.ASCII)


class Stamp(NamedTuple):
    """A time that a line names: from `ns` on, for `resolution_ns`. Without a zone, `ns` takes it for UTC."""

    ns: int
    resolution_ns: int
    zoned: bool


def iso_stamp(text: str) -> Stamp | None:
    """Read a text of the form `ISO`."""
    base_ns = _iso_seconds(text[:19])
    tail = _TAIL.match(text, 19)
    if base_ns is None or tail is None:
        return None
    fraction, zone = tail.groups()
    ns, resolution_ns = base_ns, SECOND_NS
    if fraction:
        resolution_ns = 10 ** (9 - len(fraction))
        ns += int(fraction) * resolution_ns
    return Stamp(ns - _zone_ns(zone), resolution_ns, zone is not None)


@lru_cache(maxsize=4096)
def apache_stamp(text: str) -> Stamp | None:
    """Read a text of the form `APACHE`."""
    day, month, year = text[:2], _MONTHS.get(text[3:6], 0), text[7:11]
    stamp = iso_stamp(f"{year}-{month:02d}-{day} {text[12:]}")
    return stamp if month else None


@lru_cache(maxsize=4096)
def syslog_stamp(text: str, year: int) -> Stamp | None:
    """Read a text of the form `SYSLOG`, which names no year."""
    month = _MONTHS.get(text[:3], 0)
    return iso_stamp(f"{year}-{month:02d}-{text[4:6].replace(' ', '0')} {text[7:15]}") if month else None


def epoch_stamp(value: float | str) -> Stamp | None:
    """Read seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size.

    A floating point number is good to a microsecond at best.
    """
    found = _NUMBER.fullmatch(value if isinstance(value, str) else repr(value))
    if found is None:
        return None
    whole, fraction = int(found[1]), found[2] or ""
    unit_ns = SECOND_NS
    while unit_ns > 1 and whole * unit_ns > 4_102_444_800 * SECOND_NS:  # later than the year 2100
        unit_ns //= 1000
    resolution_ns = max(1000 if isinstance(value, float) else 1, unit_ns // 10 ** len(fraction))
    ns = whole * unit_ns + (int(fraction) * unit_ns // 10 ** len(fraction) if fraction else 0)
    return Stamp(ns, resolution_ns, zoned=True) if ns < _LATEST_NS else None


def any_stamp(value: object) -> Stamp | None:
    """Read whichever form a value of a JSON line has."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return epoch_stamp(value)
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip(" []")
    if _IS_ISO.match(text):
        return iso_stamp(text)
    if _IS_APACHE.match(text):
        return apache_stamp(text)
    return epoch_stamp(text)


_IS_ISO = re.compile(ISO, re.ASCII)
_IS_APACHE = re.compile(APACHE, re.ASCII)


class Zone:
    """The zone of one source's stamps that name none, to the quarter of an hour, by when they were read."""

    def __init__(self) -> None:
        self._shift_ns: int | None = None
        self._against = 0
        self._other_ns = 0

    def utc_ns(self, stamp: Stamp, low_ns: int, high_ns: int) -> int:
        """The stamp's time in UTC. A single line that disagrees with those before it, as a forged one, moves nothing."""
        if stamp.zoned:
            return stamp.ns
        shift_ns = self._shift_ns
        if shift_ns is not None and low_ns - _BEHIND_NS <= stamp.ns - shift_ns <= high_ns + _AHEAD_NS:
            self._against = 0
            return stamp.ns - shift_ns
        wanted_ns = round((stamp.ns - high_ns) / _QUARTER_NS) * _QUARTER_NS
        if abs(wanted_ns) <= _FURTHEST_ZONE_NS:
            self._hear(wanted_ns)
        return stamp.ns - (self._shift_ns or 0)

    def _hear(self, wanted_ns: int) -> None:
        self._against = self._against + 1 if wanted_ns == self._other_ns else 1
        self._other_ns = wanted_ns
        if self._shift_ns is None or self._against >= _FIRMLY:
            self._shift_ns, self._against = wanted_ns, 0


@lru_cache(maxsize=4096)
def _iso_seconds(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=UTC)
    except ValueError:
        return None
    ns = int(at.timestamp()) * SECOND_NS
    return ns if 0 <= ns < _LATEST_NS else None


@lru_cache(maxsize=256)
def _zone_ns(text: str | None) -> int:
    if text is None or text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return (seconds if text[0] == "+" else -seconds) * SECOND_NS
