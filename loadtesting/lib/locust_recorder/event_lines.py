"""Appends to `events.jsonl`, which several processes share: a line each, in one write."""

from __future__ import annotations

import json
import os
from typing import Any

from locust_recorder.clock import utc_now


class EventLines:
    """What a process says of itself; see records.LOAD_EVENT_KINDS."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        """One line. A disk that is full ends no user of the load."""
        row = {"t_ns": utc_now(), "kind": kind, **details}
        try:
            os.write(self._file, json.dumps(row, separators=(",", ":")).encode() + b"\n")
        except OSError:
            return
