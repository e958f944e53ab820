"""Lines that are numbered, so that a connection that broke between two of them loses none and none is taken twice."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

_MOST_KEPT = 10_000
TELL_EVERY_BYTES = 256 * 1024
"""The agent holds what was not heard: it is told more often than by the heartbeat where much comes."""


class Numbers:
    """Of one agent: what we said and it has not heard yet, and what we heard. Used by several threads."""

    def __init__(self) -> None:
        self._said = 0
        self._kept: deque[dict[str, Any]] = deque(maxlen=_MOST_KEPT)
        self._untold_bytes = 0
        self._guard = threading.Lock()
        self.heard = 0
        """The number of the agent's last line."""

    def said(self, message: dict[str, Any]) -> dict[str, Any]:
        """Number a line that must not be lost, and keep it until it is heard."""
        with self._guard:
            self._said += 1
            numbered = {**message, "n": self._said}
            self._kept.append(numbered)
            return numbered

    def heard_by_agent(self, number: object) -> None:
        """It has every line up to this one."""
        if not isinstance(number, int):
            return
        with self._guard:
            while self._kept and self._kept[0]["n"] <= number:
                self._kept.popleft()

    def unheard(self) -> list[dict[str, Any]]:
        """Our lines that it has not heard, in order."""
        with self._guard:
            return list(self._kept)

    def is_new(self, message: dict[str, Any]) -> bool:
        """Take the number off a line of the agent's; False where that line was heard before."""
        number = message.pop("n", None)
        if not isinstance(number, int):
            return True
        if number <= self.heard:
            return False
        self.heard = number
        return True

    def to_be_told(self, size: int) -> bool:
        """Count bytes that came; whether the agent should be told now how far we are."""
        self._untold_bytes += size
        if self._untold_bytes < TELL_EVERY_BYTES:
            return False
        self._untold_bytes = 0
        return True
