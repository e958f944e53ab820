"""What the plan says of consistency, as the engine's processes take it: JSON in an environment variable.

Not on the command line, which everybody on the machine can read, and in no file of the run folder: headers and addresses of
databases may be secrets.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from toolkit.engines.sender.settings import SendSettings
from toolkit.recording.layout import LoadFolder

VARIABLE = "TOOLKIT_BARRIER"


@dataclass(frozen=True)
class BarrierSettings:
    """One scenario of the engine. `populate`, `act` and `verify` are the plan's own words."""

    scenario: str
    target: str
    folder: str
    """The scenario's folder in the run folder."""
    act: dict[str, Any]
    verify: dict[str, Any]
    populate: list[dict[str, Any]] = field(default_factory=list)
    token: str = ""
    process: int = 0
    """Which of the releasing processes this is, from 1; 0 in the one that conducts them."""

    @property
    def processes(self) -> int:
        """How many release actions: never more than there are actions."""
        return int(min(self.act["processes"], self.act["actions"]))

    @property
    def load_folder(self) -> LoadFolder:
        """Where everything is written."""
        return LoadFolder(Path(self.folder))

    def sending(self, asked: dict[str, Any], timeout_s: float) -> SendSettings:
        """One request of the plan, as the sender's parts take it."""
        return SendSettings(
            scenario=self.scenario,
            file="",
            target=self.target,
            folder=self.folder,
            request=asked["request"],
            headers=asked.get("headers") or {},
            body=asked.get("body"),
            timeout=timeout_s,
        )

    def text(self) -> str:
        """For the environment."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> BarrierSettings:
        """From the environment."""
        return cls(**json.loads(text))
