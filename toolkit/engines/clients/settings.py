"""What a cell of a capacity plan is given: see loadtesting/lib/capacity_clients/settings.py, which reads it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "TOOLKIT_CLIENTS"


@dataclass(frozen=True)
class Clients:
    """So many clients, each with so many repetitions of `call` (a function) or `test` (what pytest selects; empty: all)."""

    call: str
    test: str
    python: str
    count: int
    repetitions: int
    limit_s: float

    def environment(self, file: Path, target: str, scenario: str, parts: str, events: str) -> str:
        """The value of `VARIABLE`."""
        told = asdict(self)
        del told["python"]
        told["clients"] = told.pop("count")
        return json.dumps(
            {
                **told,
                "file": str(file.resolve()),
                "scenario": scenario,
                "phase": f"{self.count} clients" if self.count > 1 else "1 client",
                "target": target,
                "parts": parts,
                "events": events,
            }
        )
