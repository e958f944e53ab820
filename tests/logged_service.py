"""A service that writes down each request that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class LoggedService:
    """Where it is, and its log."""

    url: str
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        """All that came so far."""
        return list(read_lines(self.log))
