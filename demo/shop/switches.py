"""How a shop can be made wrong, so that a test has something to find."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app


@dataclass(frozen=True)
class Switches:
    """A sound shop by default."""

    racy: bool = False
    """Stock and payment read, wait, and write back what they read less what was bought: of two at the same time one is lost."""
    unchecked: bool = False
    """Neither stock nor credit is looked at: both go below zero."""
    racy_s: float = 0.05

    @property
    def thinking_s(self) -> float:
        """How long a racy service waits between reading and writing."""
        return self.racy_s if self.racy else 0.0


def own_switches() -> Switches:
    """Those of the service that answers this request."""
    found: Switches = current_app.extensions["shop.switches"]
    return found
