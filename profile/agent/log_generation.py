"""One file on disk, read by its descriptor: what came to it when, and whether it is still the file that was read before."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, Deque, NamedTuple, Optional

import clock
import log_paths
from log_outlet import BLOCK_BYTES

if TYPE_CHECKING:
    from log_paths import Identity, Opened

_TAIL = 256  # bytes before the offset that must still be there
_MOST_MARKS = 2000


class Mark(NamedTuple):
    """Bytes up to `end` were not there at `since_ns` and were at `t_ns`."""

    end: int
    since_ns: Optional[int]
    t_ns: int


class Generation:
    """A file that is open for reading, from `offset` on.

    Args:
        opened: taken over; `close` ends it.
        offset: the first byte that is wanted.
        why: how it became the log: `start`, `rotated` or `truncated`.
        note: what is worth knowing of that.
    """

    def __init__(self, opened: Opened, offset: int, why: str, note: Optional[str] = None) -> None:
        self.descriptor = opened.descriptor
        self.identity: Identity = opened.identity
        self.offset = offset
        self.size = offset
        self.why = why
        self.note = note
        self.came_at = self.grown_at = time.monotonic()
        self._marks: Deque[Mark] = deque()
        # Nothing in it is older than the file itself.
        self._looked_ns: Optional[int] = (
            log_paths.born_ns(opened.descriptor) if offset == 0 and why != "truncated" else None
        )
        self._tail = self._before(offset)
        self._holes = why == "truncated"

    def _before(self, offset: int) -> bytes:
        length = min(_TAIL, offset)
        try:
            return os.pread(self.descriptor, length, offset - length)
        except OSError:
            return b""

    @property
    def unread(self) -> int:
        """Bytes that were seen and not read."""
        return self.size - self.offset

    @property
    def whole_until_ns(self) -> Optional[int]:
        """Until when everything that was written was read; None where that is not known."""
        return self._marks[0].since_ns if self._marks else self._looked_ns

    def look(self) -> bool:
        """See how long it is now; False where it is shorter than it was."""
        before = clock.now_ns()
        size = os.fstat(self.descriptor).st_size
        if size < self.size:
            return False
        if size > self.size:
            self._note_growth(size)
        self._looked_ns = before
        return True

    def _note_growth(self, size: int) -> None:
        since = self._looked_ns
        if len(self._marks) >= _MOST_MARKS:  # the reader is minutes late: their times may be coarser
            since = self._marks.pop().since_ns
        self._marks.append(Mark(size, since, clock.now_ns()))
        self.size = size
        self.grown_at = time.monotonic()

    def block(self, most: int) -> Optional[bytes]:
        """The next bytes, which came at the time of `mark`; None where the file is not the one that was read before.

        Raises:
            OSError: it cannot be read.
        """
        if self._holes and self.offset == 0:
            self._skip_hole()
        length = min(BLOCK_BYTES, most, self.mark.end - self.offset)
        before = len(self._tail)
        found = os.pread(self.descriptor, before + length, self.offset - before)
        if len(found) <= before or not found.startswith(self._tail):
            return None
        return found[before:]

    @property
    def mark(self) -> Mark:
        """When the next unread bytes came; there must be some."""
        return self._marks[0]

    def _skip_hole(self) -> None:
        """A writer that does not append goes on at its old place in a file that was cut to nothing: zeros that nobody wrote."""
        self._holes = False
        try:
            start = os.lseek(self.descriptor, 0, os.SEEK_DATA)
        except OSError:
            return
        page = os.pread(self.descriptor, 65536, start)
        zeros = len(page) - len(page.lstrip(b"\0"))
        if start + zeros < self.mark.end:
            self.offset = start + zeros

    def advance(self, data: bytes) -> None:
        """`data` has been said."""
        self._tail = (self._tail + data)[-_TAIL:]
        self._go_to(self.offset + len(data))

    def skip(self) -> int:
        """Pass over what is unread; how many bytes."""
        passed = self.unread
        self._go_to(self.size)
        self._tail = self._before(self.offset)
        return passed

    def _go_to(self, offset: int) -> None:
        self.offset = offset
        while self._marks and self._marks[0].end <= offset:
            self._marks.popleft()

    def restarted(self, note: Optional[str]) -> Generation:
        """The same file from its beginning, after it was cut. This one must not be used any more."""
        return Generation(log_paths.Opened(self.descriptor, self.identity, 0), 0, "truncated", note)

    def continued_in(self, copy: Opened) -> Generation:
        """What was in this file before it was cut, out of a copy of it."""
        older = Generation(copy, self.offset, self.why, self.note)
        older._tail = self._tail
        older._looked_ns = self.whole_until_ns
        if copy.size > self.offset:
            older._note_growth(copy.size)
        return older

    def is_copied_in(self, copy: Opened) -> bool:
        """Whether another file holds what was last read of this one, at the same place."""
        if not self._tail or copy.identity == self.identity or copy.size < self.offset:
            return False
        try:
            found = os.pread(copy.descriptor, len(self._tail), self.offset - len(self._tail))
        except OSError:
            return False
        return found == self._tail

    @property
    def name(self) -> str:
        """Its present path, as the kernel tells it."""
        try:
            return os.readlink("/proc/self/fd/%d" % self.descriptor)
        except OSError:
            return ""

    def close(self) -> None:
        """Let go of it."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)
