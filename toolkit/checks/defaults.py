"""What every run is checked for, unless the plan says otherwise. Why so: docs/decisions/018-checks.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.checks.grammar import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.checks.check import Check


@dataclass(frozen=True)
class Default:
    """A check that is made without being asked for."""

    key: str
    name: str
    text: str
    yields_to: tuple[str, ...]
    """Quantities: a check on one of them, with no tag but what this one has, stands in its place."""

    def stands(self, asked: Iterable[Check]) -> bool:
        """Whether none of the checks that were asked for takes its place."""
        own = dict(parse(self.text).tags)
        return not any(
            check.quantity.name in self.yields_to
            and all(own.get(name) == value for name, value in check.tags)
            for check in asked
        )


DEFAULTS = (
    Default("5xx", "no 5xx", "requests.errors{code: 5xx} == 0", ("http.errors", "requests.errors")),
    Default(
        "socket",
        "no socket error",
        "requests.unanswered == 0",
        ("requests.unanswered", "http.unanswered", "http.errors", "requests.errors"),
    ),
    Default("records", "no invalid record", "records.invalid == 0", ("records.invalid",)),
    Default("generator", "generator not the bottleneck", "generator.limited == 0", ("generator.limited",)),
)
KEYS = tuple(default.key for default in DEFAULTS)


def standing(keys: Iterable[str], asked: list[Check]) -> list[Default]:
    """Those of `keys` that stand beside the checks that were asked for."""
    kept = set(keys)
    return [default for default in DEFAULTS if default.key in kept and default.stands(asked)]
