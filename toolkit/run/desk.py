"""The operator as a run sees them: somebody to tell, and somebody to ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Progress:
    """What is known at this moment; None where there is nothing to know yet."""

    elapsed_s: float
    remaining_s: float | None = None
    requests: int | None = None
    requests_per_s: float | None = None
    p95_ms: float | None = None
    failed: int | None = None
    samples: int | None = None


class Observer(Protocol):
    """Is told what happens, as it happens."""

    def stage(self, name: str) -> None:
        """A stage begins."""

    def note(self, text: str) -> None:
        """One line that a person should see."""

    def progress(self, progress: Progress) -> None:
        """The figures of this moment; several times a second."""

    def close(self) -> None:
        """Nothing more comes."""


@dataclass(frozen=True)
class Desk:
    """Where the operator sits."""

    observer: Observer
    ask_secret: Callable[[str], str] | None
    """Asks for a password on a terminal; None where there is nobody to ask."""
    secrets: set[str] = field(default_factory=set)
    """Every password and passphrase that was used, to be looked for in what the run leaves."""
