"""What the toolkit tells the recorder, in the environment variable TOOLKIT_RECORDER (JSON)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Settings:
    """`process` is `main` (alone, or the master) or `worker-<n>`; `worker` is n, 0 in the main one."""

    parts: str
    events: str
    process: str = "main"
    worker: int = 0
    workers: int = 0
    """How many workers there are beside the master; 0 where Locust runs alone."""
    stages: list[dict[str, Any]] = field(default_factory=list)
    """`{"name", "users", "spawn_rate", "duration_s"}`, to be run instead of a fixed number of users."""
    run_time_s: float = 0.0

    @property
    def makes_users(self) -> bool:
        """Whether users run in this process: a master has none."""
        return self.worker > 0 or self.workers == 0


def settings() -> Settings | None:
    """None where nobody asked for a recording."""
    text = os.environ.get("TOOLKIT_RECORDER")
    return Settings(**json.loads(text)) if text else None
