"""What k6 is given: the plan's requests and the stages of its load, or nothing where the user's script says all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "TOOLKIT_K6_RUN"


@dataclass(frozen=True)
class K6Request:
    """One kind of request; of all of them each is chosen as often as its weight says."""

    method: str
    path: str
    name: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    weight: float = 1.0
    expect: tuple[int, ...] = ()
    """Statuses that are right; empty: whatever comes."""


@dataclass(frozen=True)
class K6Stage:
    """So many requests a second from `begins` to `rate`, in `duration_s`."""

    name: str
    rate: int
    duration_s: float
    begins: int | None = None


@dataclass(frozen=True)
class K6Options:
    """Of one scenario."""

    requests: tuple[K6Request, ...] = ()
    """Empty: the file is a script of the user's."""
    stages: tuple[K6Stage, ...] = ()
    vus: int = 200
    """At most so many requests under way at once."""

    def shown(self, mask: Callable[[Any], Any]) -> K6Options:
        """With headers and bodies as they may be printed."""
        requests = (
            replace(one, headers=mask(one.headers), body=one.body and mask(one.body)) for one in self.requests
        )
        return replace(self, requests=tuple(requests))

    @property
    def planned_s(self) -> float:
        """Of all stages."""
        return sum(stage.duration_s for stage in self.stages)


@dataclass(frozen=True)
class DriveSettings:
    """What the engine's first process is told."""

    argv: list[str]
    """k6, up to where the samples go."""
    scenario: str
    folder: str
    """Of the load: `layout.LoadFolder`."""
    stages: list[dict[str, Any]]
    """`{"name", "duration_s"}`; of a script of the user's none is known."""
    urls: dict[str, str]
    """Of the plan's requests, by name: k6 has no url in a sample that has a name."""
    expect: dict[str, list[int]]
    """By name of a request."""

    def text(self) -> str:
        """As an environment variable holds it."""
        return json.dumps(asdict(self))
