"""Follows a systemd unit's journal, and keeps of each entry what a log has: time, PID, level, message."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, List, Optional

import clock
import units
from log_journalctl import Journalctl, Unreadable
from log_outlet import BLOCK_BYTES

if TYPE_CHECKING:
    from log_outlet import Outlet

QUIET_S = 0.4  # at the end: what was logged before `stop` has come through journald by then
JOURNALD = "/run/systemd/journal/socket"
_MOST_LINE = 2 * 1024 * 1024


def entry_of(line: bytes, since_us: int) -> Optional[bytes]:
    """One line of ours out of one of `journalctl -o json`; None where it is no entry, or one from before `since_us`."""
    try:
        entry = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or "MESSAGE" not in entry:
        return None
    at_us = _number(entry.get("__REALTIME_TIMESTAMP"))
    if at_us is not None and at_us < since_us:
        return None
    kept = {
        "t_us": at_us,
        "pid": _number(entry.get("_PID")),
        "priority": _number(entry.get("PRIORITY")),
        "identifier": _text(entry.get("SYSLOG_IDENTIFIER")),
        "message": _text(entry["MESSAGE"]) or "",
    }
    return json.dumps(kept, separators=(",", ":")).encode("ascii") + b"\n"


def _number(value: object) -> Optional[int]:
    if isinstance(value, list) and value:
        value = value[0]
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) < 19 else None


def _text(value: object) -> Optional[str]:
    """A field is a text, a list of byte values where it is no UTF-8, or a list of these where the entry has it twice."""
    if isinstance(value, list) and value:
        if all(isinstance(item, int) and 0 <= item < 256 for item in value):
            return bytes(value).decode("utf-8", "surrogateescape")
        return _text(value[0])
    return value if isinstance(value, str) else None


class Journal:
    """One unit's journal, as a source beside files (see log_file.FollowedFile for what is asked of one).

    Args:
        number: of the source.
        unit: its name.
        manager: `user` for a user's own unit.
        outlet: where blocks go.
        start_ns: entries from then on are wanted.
    """

    path = ""

    def __init__(self, number: int, unit: str, manager: str, outlet: Outlet, start_ns: int) -> None:
        self.number = number
        self.unit = unit
        self.unfetched = 0
        self.hint: Optional[str] = None
        self.identities: List[Any] = []
        self._users = manager == "user"
        self._outlet = outlet
        self._since_us = start_ns // 1000
        self._reader: Optional[Journalctl] = None
        self._rest = b""
        self._skipping = False
        self._ready = bytearray()
        self._offset = 0
        self._lost = 0
        self._seen_ns: Optional[int] = start_ns
        self._came_ns = start_ns
        self._finishing_at: Optional[float] = None
        self._heard_at = time.monotonic()

    def begin(self) -> Optional[str]:
        """Start reading; why it cannot be done, or None."""
        try:
            self._reader = Journalctl(self.unit, self._users, self._since_us)
        except Unreadable as why:
            return str(why)
        self._outlet.event(self.number, "start", 0, 0)
        if not units.is_known(self.unit, self._users):
            self.hint = "systemd knows no unit %s: nothing may come of it." % self.unit
        if not os.path.exists(JOURNALD):
            self.hint = (
                "No journald runs on this machine: nothing new comes into the journal of %s." % self.unit
            )
        if not self._reader.sees_all:
            self.hint = (
                "The journal of %s: only what this user may see (the group systemd-journal, or sudo, sees all)."
                % self.unit
            )
        return None

    # -- seeing

    def look(self) -> None:
        """Take what journalctl has printed, unless enough waits already: it waits for us then."""
        before = clock.now_ns()
        while self._reader is not None and len(self._ready) < BLOCK_BYTES:
            data = self._reader.read()
            if data is None:
                if not self._ready:
                    self._seen_ns = before
                return
            if not data:
                self._outlet.event(self.number, "gone", 0, self._offset, self._reader.last_words)
                self.close()
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        self._came_ns = clock.now_ns()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._skipping:
                self._lost += len(line)
                self._skipping = False
            else:
                self._ready += entry_of(line, self._since_us) or b""
        if len(self._rest) > _MOST_LINE:
            self._lost += len(self._rest)
            self._rest, self._skipping = b"", True

    # -- reading

    @property
    def behind(self) -> bool:
        """Whether there is something to say now."""
        return bool(self._ready)

    def read(self) -> bool:
        """Say the next block; False where there is none, or it was not taken."""
        if not self._ready:
            return False
        most = self._outlet.allowance(self.number)
        if not most:
            self._outlet.limited(self.number, 0, self._offset)
            self.unfetched += len(self._ready)
            self._ready.clear()
            return True
        data = bytes(self._ready[: min(most, BLOCK_BYTES)])
        if not self._outlet.data(self.number, 0, self._offset, data, self._seen_ns, self._came_ns):
            return False
        del self._ready[: len(data)]
        self._offset += len(data)
        self.look()
        return True

    # -- the end

    def finish(self) -> None:
        """Nothing that comes later is wanted."""
        if self._finishing_at is None:
            self._finishing_at = self._heard_at = time.monotonic()

    @property
    def through(self) -> bool:
        """Whether all has been said that was there when the end was asked for."""
        if self._ready:
            return False
        return self._reader is None or time.monotonic() - self._heard_at > QUIET_S

    def abandon(self) -> None:
        """Say what was not read in time, and what lay beyond the limit."""
        rest = len(self._ready) + self._lost
        if rest:
            self._outlet.event(self.number, "dropped", 0, self._offset, "too late, or too long a line", rest)
        if self.unfetched:
            note = "written after the limit was reached"
            self._outlet.event(self.number, "limit", 0, self._offset, note, self.unfetched)

    def grown_after_rotation(self) -> List[Any]:
        """A journal's rotation is journald's business."""
        return []

    def close(self) -> None:
        """End journalctl."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


def unit_name(unit: str) -> str:
    """A unit as systemd calls it: `web` is `web.service`."""
    return unit if "." in unit.rsplit("@", 1)[-1] else unit + ".service"
