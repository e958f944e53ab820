"""Follows one log by its path: through rotation, truncation and deletion, from its present end or from its first byte."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Deque, List, Optional

import log_copies
import log_paths
from log_generation import Generation
from log_rotated import Rotated

if TYPE_CHECKING:
    from log_outlet import Outlet
    from log_paths import Identity

QUIET_S = 1.0  # of the old file, before the new one is read: its writers reopen one after the other
PATIENCE_S = 10.0  # with an old file that is never quiet
GONE_AFTER_S = 2.0  # a rotation leaves the path empty for a moment
RETRY_S = 5.0
_MOST_WAITING = 8
_BORN_SLACK_NS = 1000000000


class FollowedFile:
    """One source. `look` sees what there is, `read` says one block of it; neither ever waits.

    Args:
        number: of the source.
        path: empty for a file that is followed by its descriptor alone.
        root: what the path lies behind (see log_paths).
        outlet: where blocks go.
        start_ns: when watching began: a file that was made later is read from its first byte.
    """

    def __init__(self, number: int, path: str, root: str, outlet: Outlet, start_ns: int) -> None:
        self.number = number
        self.path = path
        self.root = root
        self.unfetched = 0  # bytes beyond the limit
        self._outlet = outlet
        self._start_ns = start_ns
        self._generation = 0
        self._files: Deque[Generation] = deque()
        self._rotated = Rotated()
        self._finishing = False
        self._begun = False
        self._absent_since: Optional[float] = None
        self._gone = False
        self._refused: Optional[Identity] = None
        self._retry_at = 0.0

    # -- the beginning

    def begin(self, found: Optional[log_paths.Opened], offset: Optional[int] = None) -> None:
        """Follow `found` from `offset` on (None: as its age says), or wait until there is something at the path."""
        self._begun = True
        if found is None:
            self._begun = False
            self._outlet.event(self.number, "start", 0, 0, "it is not there yet")
            return
        first = self._made(found, "start", offset)
        self._files.append(first)
        self._outlet.event(self.number, "start", 0, first.offset, first.note)

    def take_over(self, generation: Generation) -> None:
        """Follow a rotated file that somebody still writes to."""
        self._begun = True
        self._files.append(generation)
        note = "written to after its rotation"
        self._outlet.event(self.number, "start", 0, generation.offset, note)

    def _made(self, found: log_paths.Opened, why: str, offset: Optional[int] = None) -> Generation:
        note = None
        if offset is None:
            born = log_paths.born_ns(found.descriptor)
            offset = 0
            if born is not None and born < self._start_ns - _BORN_SLACK_NS:
                offset, note = found.size, "it was there before: followed from its present end"
        return Generation(found, offset, why, note)

    @property
    def identities(self) -> List[Identity]:
        """The files that belong to this log."""
        return [item.identity for item in self._files] + self._rotated.identities

    # -- seeing

    def look(self) -> None:
        """See what there is, about four times a second."""
        for item in list(self._files):
            try:
                whole = item.look()
            except OSError as error:
                self._lose(item, error)
                continue
            if not whole:
                self._cut(item, item.unread)
        if self.path:
            self._look_at_path()

    def _look_at_path(self) -> None:
        now = time.monotonic()
        identity = log_paths.identity(self.root, self.path)
        if identity is None:
            self._absent_since = self._absent_since or now
            if self._begun and not self._gone and now - self._absent_since > GONE_AFTER_S:
                self._say_gone("there is no file at its path any more")
            return
        self._absent_since = None
        if any(identity == item.identity for item in self._files):
            self._gone = False
        elif identity != self._refused or now > self._retry_at:
            self._take(identity, now)

    def _say_gone(self, note: str) -> None:
        self._gone = True
        offset = self._files[-1].offset if self._files else 0
        self._outlet.event(self.number, "gone", self._generation, offset, note)

    def _take(self, identity: Identity, now: float) -> None:
        """A file has come to the path."""
        try:
            found = log_paths.opened(self.root, self.path)
        except log_paths.Refused as refused:
            self._retry_at = now + RETRY_S
            if not refused.missing and identity != self._refused:
                self._refused = identity
                self._say_gone("what is there now is not followed: %s" % refused.reason)
            return
        self._refused, self._gone = None, False
        if any(found.identity == item.identity for item in self._files):
            os.close(found.descriptor)
            return
        newer = self._made(
            found, "rotated" if self._begun else "start", self._rotated.moved_back(found.identity)
        )
        newer.look()
        self._files.append(newer)
        if not self._begun:
            self._begun = True
            if newer.offset:
                self._outlet.event(self.number, "start", 0, newer.offset, newer.note)
        if len(self._files) > _MOST_WAITING:
            self._drop(self._files.popleft(), "more rotations than could be read")

    def _cut(self, item: Generation, lost: int) -> None:
        """It is shorter than it was, or holds something else; `lost` bytes were seen and not read."""
        place = self._files.index(item)
        copy = log_copies.copy_of(item, self.root) if self.path else None
        if copy is not None:
            self._files[place] = item.continued_in(copy)
            self._files.insert(place + 1, item.restarted("what was cut off was read from %s" % _base(copy)))
        else:
            # Nobody knows what came after the last look, and how much it was.
            note = "truncated before it was read"
            since_ns = item.whole_until_ns
            self._outlet.event(
                self.number, "dropped", self._generation, item.offset, note, lost or None, since_ns
            )
            self._files[place] = item.restarted(
                "what was written in the last moment before it may be missing"
            )
            if place == 0:
                self._say_next()
        with contextlib.suppress(OSError):
            self._files[min(place + (copy is not None), len(self._files) - 1)].look()

    def _lose(self, item: Generation, error: OSError) -> None:
        first = item is self._files[0]
        self._files.remove(item)
        self._refused, self._retry_at = item.identity, float("inf")  # what was read of it must not come again
        self._say_gone("it cannot be read any more: %s" % error.strerror)
        if first and self._files:
            self._say_next()
        item.close()

    def _drop(self, item: Generation, note: str) -> None:
        if item.unread:
            self._outlet.event(self.number, "dropped", self._generation, item.offset, note, item.unread)
        self._say_next()
        item.close()

    def _say_next(self) -> None:
        first = self._files[0]
        self._generation += 1
        self._outlet.event(self.number, first.why, self._generation, first.offset, first.note)

    # -- reading

    def read(self) -> bool:
        """Say the next block; False where there is none, or it was not taken."""
        if not self._files:
            return False
        first = self._files[0]
        if not first.unread:
            return self._turn_over(first)
        most = self._outlet.allowance(self.number)
        if most:
            return self._say_block(first, most)
        self._outlet.limited(self.number, self._generation, first.offset)
        self.unfetched += first.skip()
        return True

    def _say_block(self, first: Generation, most: int) -> bool:
        try:
            data = first.block(most)
        except OSError as error:
            self._lose(first, error)
            return True
        if data is None:
            self._cut(first, 0)
            return True
        mark = first.mark
        if not self._outlet.data(self.number, self._generation, first.offset, data, mark.since_ns, mark.t_ns):
            return False
        first.advance(data)
        return True

    def _turn_over(self, first: Generation) -> bool:
        """Go on with the next file where this one is through."""
        if len(self._files) < 2 or not self._is_through(first, self._files[1]):
            return False
        self._files.popleft()
        if self._files[0].why == "rotated" and not self._finishing:
            self._rotated.add(first)
        else:
            first.close()
        self._say_next()
        return True

    def _is_through(self, first: Generation, following: Generation) -> bool:
        if self._finishing or following.why != "rotated":
            return True
        now = time.monotonic()
        quiet = now - max(first.grown_at, following.came_at) > QUIET_S or now - following.came_at > PATIENCE_S
        return quiet and (following.unread > 0 or len(self._files) > 2)

    @property
    def behind(self) -> bool:
        """Whether there is something to read now."""
        if not self._files:
            return False
        return self._files[0].unread > 0 or (
            len(self._files) > 1 and self._is_through(*list(self._files)[:2])
        )

    def grown_after_rotation(self) -> List[Generation]:
        """Rotated files that somebody has written to since; they are the caller's now."""
        return self._rotated.grown()

    # -- the end

    def finish(self) -> None:
        """See the ends there are now; nothing that comes later is wanted."""
        if not self._finishing:
            self.look()
            self._finishing = True

    def abandon(self) -> None:
        """Say what was not read in time, and what lay beyond the limit."""
        rest = sum(item.unread for item in self._files)
        if rest:
            note = "the end came before it could be sent"
            self._outlet.event(self.number, "dropped", self._generation, self._files[0].offset, note, rest)
        if self.unfetched:
            note = "written after the limit was reached"
            offset = self._files[0].offset if self._files else 0
            self._outlet.event(self.number, "limit", self._generation, offset, note, self.unfetched)

    def close(self) -> None:
        """Let go of every file."""
        for item in self._files:
            item.close()
        self._files.clear()
        self._rotated.close()


def _base(copy: log_paths.Opened) -> str:
    return os.path.basename(os.readlink("/proc/self/fd/%d" % copy.descriptor))
