"""One invariant, as parsed: plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLD, REFUSED, UNKNOWN, SENT = "told", "refused", "unknown", "sent"
BUILT_IN = (TOLD, REFUSED, UNKNOWN, SENT)
"""Tables that every run has: actions whose client was told of success, of anything else, of nothing; and all that were sent."""
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Number:
    """A number, as it was written."""

    text: str


@dataclass(frozen=True)
class Field:
    """A field of the row that is looked at; `before`: as it was before the actions."""

    name: str
    before: bool


@dataclass(frozen=True)
class Aggregate:
    """`count(told)`, `sum(before.users.credit)`, `count(orders by item)`: of the rows whose `by` is the key of the row that is
    looked at, or of all.
    """

    kind: str
    source: str
    before: bool
    field: str
    """Empty for a count."""
    by: str
    """Empty for all rows."""


@dataclass(frozen=True)
class Operation:
    """`+`, `-` or `*`."""

    sign: str
    left: Term
    right: Term


Term = Number | Field | Aggregate | Operation


@dataclass(frozen=True)
class Compared:
    """`left == right`, of the whole or (`each`) of every row of a table."""

    text: str
    each: str
    """Empty: of the whole."""
    left: Term
    sign: str
    right: Term
    left_text: str
    right_text: str

    @property
    def terms(self) -> Iterator[Term]:
        """Every term in it."""
        for side in (self.left, self.right):
            yield from _within(side)

    @property
    def sources(self) -> list[str]:
        """The tables that it names, the first first."""
        named = [term.source for term in self.terms if isinstance(term, Aggregate)]
        return list(dict.fromkeys([self.each, *named] if self.each else named))

    def fields(self) -> Iterator[tuple[str, str]]:
        """Every (table, field) that it names."""
        for term in self.terms:
            if isinstance(term, Field):
                yield self.each, term.name
            elif isinstance(term, Aggregate):
                yield from ((term.source, name) for name in (term.field, term.by) if name)


@dataclass(frozen=True)
class Within:
    """`told within orders`: every key of the one is a key of the other."""

    text: str
    inner: str
    outer: str

    @property
    def sources(self) -> list[str]:
        """The tables that it names."""
        return [self.inner, self.outer]

    def fields(self) -> Iterator[tuple[str, str]]:
        """It names keys alone."""
        yield from ()


Invariant = Compared | Within


def _within(term: Term) -> Iterator[Term]:
    yield term
    if isinstance(term, Operation):
        yield from _within(term.left)
        yield from _within(term.right)
