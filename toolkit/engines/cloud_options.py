"""What a plan says of a cloud in which Artillery's own workers run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class CloudOptions:
    """Passed through to Artillery's own command, which starts the workers, ends them, and sums up what they tell it."""

    place: str
    """A key of `PLACES`."""
    flags: tuple[tuple[str, str | None], ...]
    """(name, value) as the command takes them; None: a flag without a value."""

    def shown(self, mask: Callable[[Any], Any]) -> CloudOptions:
        """With values as they may be printed."""
        return replace(self, flags=tuple((name, mask({name: value})[name]) for name, value in self.flags))

    @property
    def workers(self) -> int:
        """How many play the file, each the whole of it."""
        found = dict(self.flags).get("count")
        return int(found) if found and found.isdigit() else 1

    @property
    def region(self) -> str:
        """Where; Artillery's own default where the plan says nothing."""
        return dict(self.flags).get("region") or PLACES[self.place].region


@dataclass(frozen=True)
class Place:
    """One cloud that Artillery knows."""

    name: str
    command: str
    region: str


PLACES = {
    "fargate": Place("AWS Fargate", "run:fargate", "us-east-1"),
    "azure": Place("Azure Container Instances", "run:aci", "eastus"),
}
