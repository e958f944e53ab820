"""One check: a quantity, a statistic of it, a limit, and the window over which it must hold."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.checks.quantity import quantile_of
from toolkit.checks.units import window_text

if TYPE_CHECKING:
    from toolkit.checks.quantity import Quantity
    from toolkit.checks.units import Unit

_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
OPERATORS = tuple(_COMPARE)
_PLAIN_TAG = re.compile(r"[^\s{},:\"'][^{},:\"']*")
_AS_WORD = ("rate", "per_s")


@dataclass(frozen=True)
class Check:
    """As `grammar.parse` reads it; `limit` is in the statistic's unit."""

    quantity: Quantity
    statistic: str
    tags: tuple[tuple[str, str], ...]
    compare: str
    limit: float
    limit_text: str
    window_s: int | None = None

    @property
    def measured(self) -> str:
        """What is measured: `http.p95{phase: peak}`, `http.errors{code: 5xx} rate`."""
        tags = ", ".join(f"{name}: {_tag(value)}" for name, value in self.tags)
        within = f"{{{tags}}}" if tags else ""
        if self.statistic in _AS_WORD:
            return f"{self.quantity.name}{within} {self.statistic}"
        dotted = "" if self.statistic == self.quantity.implied else f".{self.statistic}"
        return f"{self.quantity.name}{dotted}{within}"

    @property
    def limited(self) -> str:
        """`< 250ms`."""
        return f"{self.compare} {self.limit_text}"

    @property
    def text(self) -> str:
        """The whole check, always in the same words."""
        over = f" over {window_text(self.window_s)}" if self.window_s else ""
        return f"{self.measured} {self.limited}{over}"

    @property
    def unit(self) -> Unit:
        """Of the limit and of what is measured."""
        return self.quantity.unit_of(self.statistic)

    @property
    def quantile(self) -> float | None:
        """Of a pNN; else None."""
        return quantile_of(self.statistic)

    @property
    def high_is_bad(self) -> bool:
        """Whether the highest of several values is the worst."""
        return self.compare in ("<", "<=")

    def holds(self, value: float) -> bool:
        """Whether it holds with this value."""
        return bool(_COMPARE[self.compare](value, self.limit))

    def badness(self, value: float) -> float:
        """The larger, the worse: orders several values."""
        if self.compare in ("<", "<="):
            return value
        if self.compare in (">", ">="):
            return -value
        distance = abs(value - self.limit)
        return distance if self.compare == "==" else -distance

    def tag(self, name: str) -> str | None:
        """The value of a tag; None where the check has none."""
        return dict(self.tags).get(name)


def _tag(value: str) -> str:
    return (
        value
        if _PLAIN_TAG.fullmatch(value) and value == value.strip()
        else '"' + value.replace('"', '\\"') + '"'
    )
