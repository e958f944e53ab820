"""The limits that a stress is raised to: the plan's checks that can be looked at meanwhile, and defaults beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from toolkit.checks.families import family_of
from toolkit.checks.grammar import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.checks.check import Check
    from toolkit.plan.model import AskedCheck

WINDOW_S = 5
DEFAULT_LIMITS = (
    "requests.errors rate < 5% over 5s",
    "requests.p95 < 1s over 5s",
    "server.accept_queue.min < 10 over 5s",
)
EXPECTED = ("5xx", "socket")
"""Default checks that a stress does not have: that these come is what it is made for."""


def is_limit(check: Check) -> bool:
    """Whether a stress takes the check for a limit: it can be looked at while the load runs."""
    return check.quantity.live and check.tag("phase") is None


def limits_of(asked: Sequence[AskedCheck]) -> list[dict[str, Any]]:
    """`{"check", "name", "family", "abort", "limit"}` each, as `LiveChecks` takes them; a default yields to one of its family."""
    own = [(entry.name, check) for entry in asked if is_limit(check := parse(entry.check))]
    families = {family_of(check) for _, check in own}
    found = [(name, check if check.window_s else replace(check, window_s=WINDOW_S)) for name, check in own]
    found += [("", check) for text in DEFAULT_LIMITS if family_of(check := parse(text)) not in families]
    return [
        {
            "check": check.text,
            "name": name or check.text,
            "family": family_of(check),
            "abort": True,
            "limit": True,
        }
        for name, check in found
    ]
