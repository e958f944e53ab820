"""What the plan says of a file of records, as the sender's processes take it: JSON in an environment variable.

Not on the command line, which everybody on the machine can read, and in no file of the run folder: a header may be a secret.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

VARIABLE = "TOOLKIT_SENDER"


@dataclass(frozen=True)
class SendSettings:
    """How the records of one file are sent."""

    scenario: str
    file: str
    target: str
    folder: str
    """The scenario's folder in the run folder."""
    request: str = "POST /"
    """Method and path."""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    """A template: a text is sent as it is, anything else as JSON; None: the record itself."""
    order: str = "in order"
    processes: int = 2
    connections: int = 8
    rate: float | None = None
    timeout: float = 10.0
    resume: str = ""
    """The ledger of the run that this one goes on from; empty: none."""
    name: str = ""
    """Of one sending process; empty in the one that deals out the records."""

    @property
    def method(self) -> str:
        """GET, POST, …"""
        return self.request.split(maxsplit=1)[0].upper()

    @property
    def path(self) -> str:
        """The path, with templates in it."""
        return self.request.split(maxsplit=1)[-1]

    @property
    def base(self) -> str:
        """The target without user-info."""
        parts = urlsplit(self.target)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"

    def text(self) -> str:
        """For the environment."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> SendSettings:
        """From the environment."""
        return cls(**json.loads(text))
