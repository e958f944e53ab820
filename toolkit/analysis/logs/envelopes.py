"""What a syslog, a journal or a container's log wrote around what a process wrote."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.logs.stamps import ISO, SYSLOG, Stamp, any_stamp, epoch_stamp, iso_stamp, syslog_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.logs.lines import Line

_TRIED = 50
_BSD = re.compile(
    rf"(?:<\d{{1,3}}>)?({SYSLOG}) [!-~]{{1,255}} [^\s:\[\]]{{1,64}}(?:\[(\d{{1,10}})\])?: ?", re.ASCII
)
_RFC_5424 = re.compile(
    rf"(?:<\d{{1,3}}>)?({ISO}) [!-~]{{1,255}} [^\s:\[\]]{{1,64}}\[(\d{{1,10}})\]: ?", re.ASCII
)
_PRIORITIES = ("CRITICAL", "CRITICAL", "CRITICAL", "ERROR", "WARNING", "NOTICE")
"""Of syslog, by number; 6 is what everything has that a service prints, and so says nothing."""
_MOST_PARTS = 2000


class Opened(NamedTuple):
    """What was in an envelope, and what stood on it."""

    text: str
    writer: int | None = None
    """PID of the process that wrote it."""
    stamp: Stamp | None = None
    level: str | None = None


class Envelopes:
    """Opens the envelopes of one source's lines; where the first ones have none, no further ones are looked for."""

    def __init__(self, year: int) -> None:
        self._year = year
        self._lines = 0
        self._found = False

    def open(self, text: str) -> Opened:
        """The text itself where there is no envelope."""
        if text.startswith('{"log":'):
            return _docker(text)
        self._lines += 1
        if self._lines > _TRIED and not self._found:
            return Opened(text)
        found = _BSD.match(text)
        stamp = syslog_stamp(found[1], self._year) if found else None
        if found is None and (found := _RFC_5424.match(text)) is not None:
            stamp = iso_stamp(found[1])
        if found is None:
            return Opened(text)
        self._found = True
        return Opened(text[found.end() :], _pid(found[2]), stamp)


def open_journal(line: Line) -> Iterator[tuple[Line, Opened]]:
    """The lines of an entry of a journal, as the agent keeps them: `{"t_us", "pid", "priority", "identifier", "message"}`."""
    entry = _object(line.text)
    message = entry.get("message") if entry is not None else None
    if entry is None or not isinstance(message, str):
        yield line, Opened(line.text)
        return
    at, pid, priority = entry.get("t_us"), entry.get("pid"), entry.get("priority")
    stamp = epoch_stamp(at) if isinstance(at, int) and not isinstance(at, bool) else None
    writer = _pid(str(pid)) if isinstance(pid, int) else None
    level = _PRIORITIES[priority] if isinstance(priority, int) and 0 <= priority < len(_PRIORITIES) else None
    size = line.size
    for text in message.split("\n")[:_MOST_PARTS]:
        yield line._replace(text=text, size=size), Opened(text, writer, stamp, level)
        size = 0


def _docker(text: str) -> Opened:
    said = _object(text)
    log = said.get("log") if said is not None else None
    if said is None or not isinstance(log, str) or "stream" not in said:
        return Opened(text)
    return Opened(log.rstrip("\r\n"), stamp=any_stamp(said.get("time")))


def _object(text: str) -> dict[str, object] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _pid(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() and len(text) < 11 and int(text) < 1 << 31 else None
