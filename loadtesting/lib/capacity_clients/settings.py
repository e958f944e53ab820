"""What the toolkit tells the clients, in the environment variable TOOLKIT_CLIENTS (JSON)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "TOOLKIT_CLIENTS"
_CLIENT = "TOOLKIT_CLIENT_PROCESS"


@dataclass(frozen=True)
class Settings:
    """Either `call`, a function in `file`, or `test`: what pytest selects in it, empty for all of it."""

    file: str
    call: str
    test: str
    clients: int
    repetitions: int
    limit_s: float
    scenario: str
    phase: str
    target: str
    parts: str
    events: str

    @property
    def name(self) -> str:
        """Of one repetition, as the records call it."""
        return self.call or "::".join(filter(None, (Path(self.file).name, self.test)))


@dataclass(frozen=True)
class ProcessSettings:
    """Of one process of clients: their numbers, and the two pipes to the coordinator."""

    name: str
    clients: list[int]
    said: int
    """Where it says that it is ready, or why it cannot be."""
    go: int
    """Where it reads until all are."""

    def text(self) -> str:
        """As an environment variable holds it."""
        return json.dumps(self.__dict__)


def settings() -> Settings:
    """Of the whole cell."""
    return Settings(**json.loads(os.environ[VARIABLE]))


def process_settings() -> ProcessSettings | None:
    """None in the coordinator."""
    text = os.environ.get(_CLIENT)
    return ProcessSettings(**json.loads(text)) if text else None


def environment_of(process: ProcessSettings) -> dict[str, str]:
    """What a process of clients is started with."""
    return {**os.environ, _CLIENT: process.text()}
