"""The logs of one gunicorn: found, followed from now on, and said block by block, within a limit and the pace of the network."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Tuple, Union

import log_paths
from log_file import FollowedFile
from log_journal import Journal
from log_outlet import Outlet
from log_places import NAMED, Place, is_pattern
from log_search import Search

if TYPE_CHECKING:
    import trees
    from log_generation import Generation

LOOK_S = 0.25
TURN_S = 0.01  # of one tick
WAIT_FOR_ROOM_S = 0.05
FINISH_S, FINISH_AT_MOST_S = 3.0, 15.0
_MOST_SOURCES = 64
_DEFAULT_LIMIT = 50000000

Log = Union[FollowedFile, Journal]


class Logs:
    """Follows the logs of a gunicorn. `tick` must be called when `wait_s` is over; it never waits.

    Args:
        tree: the gunicorn.
        wanted: `{"find": bool, "files": [path], "units": [unit], "limit_bytes": n}`.
        say: queues one message; False where it was not taken.
        has_room: whether data may be queued now.

    Attributes:
        sources: what was found, as LOG_SOURCE_FIELDS without `file`; those that turn up later are said as `log_source`.
        notes: what people should know: what was passed over, what cannot be followed.
    """

    def __init__(
        self,
        tree: trees.Tree,
        wanted: Dict[str, Any],
        say: Callable[[Dict[str, Any]], bool],
        has_room: Callable[[], bool],
    ) -> None:
        self.sources: List[Dict[str, Any]] = []
        self.notes: List[str] = []
        self._start_ns = time.time_ns()
        self._outlet = Outlet(say, has_room, int(wanted.get("limit_bytes") or _DEFAULT_LIMIT))
        self._logs: List[Log] = []
        self._turn = 0
        self._search = Search(tree, wanted)
        self._look_at = time.monotonic()
        self._finishing_since: Optional[float] = None
        self._progress_at = 0.0
        self._told = False
        for place in self._search.first():
            self._add(place, True)
        self.notes.extend(self._search.notes)
        if not self._logs:
            self.notes.append("No log was found that can be followed.")
        self._told = True

    # -- sources

    def _add(self, place: Place, at_start: bool) -> None:
        """Take a place as a source, unless it is one already."""
        if place.kind == "journal":
            if not any(row["kind"] == "journal" and row["path"] == place.path for row in self.sources):
                journal = Journal(len(self.sources), place.path, place.root, self._outlet, self._start_ns)
                note = self._room_for_more() or journal.begin()
                self._tell(place, note, journal)
                if journal.hint:
                    self.notes.append(journal.hint)
            return
        note = self._room_for_more()
        opened, note = (None, note) if note else _opened(place)
        if opened is not None and self._is_known(place, opened):
            os.close(opened.descriptor)
            return
        if opened is None and any(row["path"] == place.path for row in self.sources):
            return
        waiting = opened is None and note is None
        if waiting and place.found == NAMED and is_pattern(place.path):
            note, waiting = "no file has such a name yet", False
        log = FollowedFile(len(self.sources), place.path, place.root, self._outlet, self._start_ns)
        self._tell(place, note, log, waiting)
        if note is None:
            log.begin(opened, self._first_offset(opened, at_start))

    def _room_for_more(self) -> Optional[str]:
        return None if len(self._logs) < _MOST_SOURCES else "%d logs are followed already" % _MOST_SOURCES

    def _is_known(self, place: Place, opened: log_paths.Opened) -> bool:
        for log in self._logs:
            if opened.identity in log.identities:
                row = self.sources[log.number]
                if not self._told and place.role != row["role"] and place.role in ("access", "error"):
                    row["role"] = None if row["role"] in ("access", "error") else place.role
                    row["format"] = row["format"] or place.format
                return True
        return False

    def _first_offset(self, opened: Optional[log_paths.Opened], at_start: bool) -> Optional[int]:
        """A file that is there at the start is followed from its end, a later one from its first byte if it is younger."""
        if opened is None:
            return None
        if at_start or log_paths.born_ns(opened.descriptor) is None:
            return opened.size
        return None

    def _tell(self, place: Place, note: Optional[str], log: Log, waiting: bool = False) -> None:
        row: Dict[str, Any] = {
            "source": len(self.sources),
            "kind": place.kind,
            "path": place.path,
            "found": place.found,
            "role": place.role,
            "format": place.format,
            "note": note,
        }
        if waiting:
            row["waiting"] = True
        if len(self.sources) >= 2 * _MOST_SOURCES:
            return
        self.sources.append(row)
        if note is None:
            self._logs.append(log)
            self._outlet.expect(log.number)
        if self._told:
            self._outlet.message(dict(row, type="log_source"))

    def follow(self, tree: trees.Tree) -> None:
        """Workers came or went: new ones may have opened other files, now or with their first request."""
        before = self._search.root
        if self._search.follow(tree):
            for log in self._logs:
                if isinstance(log, FollowedFile) and log.root == before and before.startswith("/proc/"):
                    log.root = self._search.root

    # -- following

    def tick(self) -> None:
        """See what is new, and say some of it."""
        self._outlet.held = False
        self._outlet.flush()
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            for log in self._logs:
                log.look()
            self._take_grown()
            for place in self._search.later():
                if not any(row["path"] == place.path for row in self.sources):
                    self._add(place, False)
        self._read(now + TURN_S)

    def _take_grown(self) -> None:
        """A rotated file that somebody still writes to becomes a log of its own."""
        for log in list(self._logs):
            for generation in log.grown_after_rotation():
                self._add_grown(log, generation)

    def _add_grown(self, log: Log, generation: Generation) -> None:
        path, row = generation.name or log.path, self.sources[log.number]
        why = self._room_for_more()
        place = Place("file", path, "", "written to after it was rotated", row["role"], row["format"])
        followed = FollowedFile(len(self.sources), "", "", self._outlet, self._start_ns)
        self._tell(place, why, followed)
        if why is None:
            followed.take_over(generation)
        else:
            generation.close()

    def _read(self, until: float) -> bool:
        """Say blocks, one of each log in turn; whether any was said."""
        said = False
        idle = 0
        while self._logs and idle < len(self._logs) and self._outlet.has_room():
            self._turn = (self._turn + 1) % len(self._logs)
            if self._logs[self._turn].read():
                said, idle = True, 0
            else:
                idle += 1
            if time.monotonic() > until:
                break
        return said

    @property
    def wait_s(self) -> float:
        """Seconds until the next `tick` is wanted: about a quarter, none when there is more to say."""
        if any(log.behind for log in self._logs):
            return 0.0 if self._outlet.has_room() else WAIT_FOR_ROOM_S
        return max(0.0, self._look_at - time.monotonic())

    # -- the end

    def finish(self) -> bool:
        """Say what was there at the first call; True when that is done, or the time for it is over."""
        now = time.monotonic()
        self._outlet.held = False
        if self._finishing_since is None:
            self._finishing_since = self._progress_at = now
            self._take_grown()
            for log in self._logs:
                log.finish()
        for log in self._logs:
            if isinstance(log, Journal):
                log.look()
        if self._read(now + TURN_S):
            self._progress_at = now
        done = (
            not any(log.behind for log in self._logs)
            and self._outlet.flush()
            and all(map(_through, self._logs))
        )
        late = now - self._progress_at > FINISH_S or now - self._finishing_since > FINISH_AT_MOST_S
        if done or late:
            for log in self._logs:
                log.abandon()
            self.close()
        return done or late

    def close(self) -> None:
        """Let go of everything; no message comes any more."""
        for log in self._logs:
            log.close()
        self._logs = []


def _through(log: Log) -> bool:
    return log.through if isinstance(log, Journal) else True


def _opened(place: Place) -> Tuple[Optional[log_paths.Opened], Optional[str]]:
    """(the file, or None where it is waited for, why it cannot be followed)."""
    try:
        return log_paths.opened(place.root, place.path), None
    except log_paths.Refused as refused:
        return None, None if refused.missing else refused.reason
