"""What is said of the logs: data in packed blocks, what happened to a file, and the limit that holds for all of them together."""

from __future__ import annotations

import base64
import zlib
from collections import deque
from typing import Any, Callable, Deque, Dict, Optional, Set

import clock

BLOCK_BYTES = 256 * 1024
LEVEL = 1
_KEPT = 0.25  # of the limit, for the logs that say little: a busy one must not take the room of the errors


class Outlet:
    """Says blocks and events in their order. What cannot be said now is kept, and no data goes out before it.

    Args:
        say: queues one message; False where it was not taken.
        has_room: whether data may be queued now.
        limit_bytes: of data of all logs, before packing.
    """

    def __init__(
        self, say: Callable[[Dict[str, Any]], bool], has_room: Callable[[], bool], limit_bytes: int
    ) -> None:
        self._say = say
        self._has_room = has_room
        self._limit = limit_bytes
        self._taken: Dict[int, int] = {}
        self._limited: Set[int] = set()
        self._unsaid: Deque[Dict[str, Any]] = deque()
        self.held = True  # until the sources have been told

    def has_room(self) -> bool:
        """Whether data would be taken now."""
        return self._has_room() and self.flush()

    def flush(self) -> bool:
        """Say what could not be said before; whether nothing is left."""
        while self._unsaid:
            if self.held or not self._say(self._unsaid[0]):
                return False
            self._unsaid.popleft()
        return True

    def message(self, message: Dict[str, Any]) -> None:
        """Say something that must not get lost."""
        self._unsaid.append(message)
        self.flush()

    def event(
        self,
        source: int,
        what: str,
        generation: int,
        offset: int,
        note: Optional[str] = None,
        count: Optional[int] = None,
        since_ns: Optional[int] = None,
    ) -> None:
        """Say what happened to a log; `count` is the number of bytes that were not fetched, all written after `since_ns`."""
        self.message(
            {
                "type": "log_block",
                "source": source,
                "t": clock.now_ns(),
                "what": what,
                "generation": generation,
                "offset": offset,
                "bytes": count,
                "since": since_ns,
                "note": note,
            }
        )

    def expect(self, source: int) -> None:
        """Keep room for this log: its even share of what is kept."""
        self._taken.setdefault(source, 0)

    def allowance(self, source: int) -> int:
        """How many bytes of this log may still be said: what is left of the limit, less what is kept for each other log."""
        return max(0, self._limit - sum(self._taken.values()) - self._kept_from(source))

    def _kept_from(self, source: int) -> int:
        """The bytes that the other logs may be sure of and have not taken yet."""
        others = [taken for other, taken in self._taken.items() if other != source]
        each = int(self._limit * _KEPT / max(1, len(others)))
        return sum(max(0, each - taken) for taken in others)

    def limited(self, source: int, generation: int, offset: int) -> None:
        """Say once that the limit has bitten this log."""
        if source not in self._limited:
            self._limited.add(source)
            kept = self._kept_from(source)
            note = "the limit of %.4g MB for all logs is reached" % (self._limit / 1e6)
            if kept:
                own = self._taken.get(source, 0)
                note += ": %.3g MB of it are this log's, %.3g MB are kept for the others" % (
                    own / 1e6,
                    kept / 1e6,
                )
            self.event(source, "limit", generation, offset, note)

    def data(
        self, source: int, generation: int, offset: int, raw: bytes, since_ns: Optional[int], t_ns: int
    ) -> bool:
        """Say one block of at most BLOCK_BYTES; False where it was not taken."""
        if not self.flush():
            return False
        taken = self._say(
            {
                "type": "log_block",
                "source": source,
                "t": t_ns,
                "since": since_ns,
                "what": "data",
                "generation": generation,
                "offset": offset,
                "bytes": len(raw),
                "data": base64.b64encode(zlib.compress(raw, LEVEL)).decode("ascii"),
            }
        )
        if taken:
            self._taken[source] = self._taken.get(source, 0) + len(raw)
        return taken
