"""`each items: before.stock - stock == count(told by item)` → `Invariant`, or what is wrong with it. No code is run.

INVARIANT  TABLE within TABLE | [each TABLE:] SUM (== | != | < | <= | > | >=) SUM
SUM        products of numbers, fields and aggregates, joined by + and -; parentheses
FIELD      in `each` alone: stock, before.stock
AGGREGATE  count(TABLE), sum(TABLE.field), min(…), max(…); in `each` also count(TABLE by field): of the rows whose field is
           this row's key. TABLE may be before.TABLE
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from toolkit.consistency.invariant import (
    BUILT_IN,
    COMPARISONS,
    Aggregate,
    Compared,
    Field,
    Number,
    Operation,
    Within,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from toolkit.consistency.invariant import Invariant, Term

EXAMPLE = "each items: before.stock - stock == count(told by item)"
LONGEST = 500
DEEPEST = 20
_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z_]\w*|==|!=|<=|>=|[<>=+*().:-])")
_AGGREGATES = ("count", "sum", "min", "max")
_NAME = re.compile(r"[A-Za-z_]\w*")


class InvariantError(ValueError):
    """An invariant that cannot be read, or names what there is not; the message says what to write."""


def parse(text: str) -> Invariant:
    """Read one invariant.

    Raises:
        InvariantError: says where it goes wrong.
    """
    if len(text) > LONGEST:
        raise InvariantError(f"is longer than {LONGEST} characters")
    return _Reading(text).read()


def resolved(text: str, tables: Collection[str]) -> Invariant:
    """Read one invariant of a plan that reads these tables.

    Raises:
        InvariantError: it cannot be read, or names a table that there is not.
    """
    invariant = parse(text)
    known = [*tables, *BUILT_IN]
    for source in invariant.sources:
        if source not in known:
            raise InvariantError(
                f"{text!r}: there is no quantity {source!r}; verify.read and the run itself have {', '.join(known)}"
            )
    of_actions = [
        term.source
        for term in getattr(invariant, "terms", ())
        if isinstance(term, Aggregate) and term.before and term.source in BUILT_IN
    ]
    if of_actions:
        raise InvariantError(f"{text!r}: nothing was {of_actions[0]} before the actions")
    return invariant


class _Reading:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split()
        self._at = 0
        self._depth = 0
        self._each = ""

    def read(self) -> Invariant:
        if [token for token, _ in self._tokens[1:2]] == ["within"]:
            return self._within()
        if self._peek() == "each" and _NAME.fullmatch(self._peek(1)):
            self._take("each")
            self._each = self._name("a table")
            self._take(":")
        begin = self._place()
        left = self._sum()
        middle = self._place()
        sign = self._peek()
        if sign not in COMPARISONS:
            self._fail(f"one of {' '.join(COMPARISONS)}")
        self._at += 1
        after = self._place()
        right = self._sum()
        if self._peek():
            self._fail("its end")
        return Compared(
            self._text.strip(),
            self._each,
            left,
            sign,
            right,
            self._text[begin:middle].strip(),
            self._text[after:].strip(),
        )

    def _within(self) -> Within:
        inner = self._name("a table")
        self._take("within")
        outer = self._name("a table")
        if self._peek():
            self._fail("its end")
        return Within(self._text.strip(), inner, outer)

    def _sum(self) -> Term:
        left = self._product()
        while self._peek() in ("+", "-"):
            sign = self._peek()
            self._at += 1
            left = Operation(sign, left, self._product())
        return left

    def _product(self) -> Term:
        left = self._factor()
        while self._peek() == "*":
            self._at += 1
            left = Operation("*", left, self._factor())
        return left

    def _factor(self) -> Term:
        word = self._peek()
        self._depth += 1
        if self._depth > DEEPEST:
            raise InvariantError(f"{self._text!r}: it is nested too deep")
        try:
            if word == "(":
                self._at += 1
                inner = self._sum()
                self._take(")")
                return inner
            if word == "-":
                self._at += 1
                return Operation("-", Number("0"), self._factor())
            if word[:1].isdigit():
                self._at += 1
                return Number(word)
            if word in _AGGREGATES and self._peek(1) == "(":
                return self._aggregate()
            return self._field()
        finally:
            self._depth -= 1

    def _aggregate(self) -> Aggregate:
        kind = self._name("count, sum, min or max")
        self._take("(")
        path = [self._name("a table")]
        while self._peek() == ".":
            self._at += 1
            path.append(self._name("a field"))
        before = path[0] == "before" and len(path) > 1
        path = path[1:] if before else path
        if len(path) != (1 if kind == "count" else 2):
            wanted = "count(told)" if kind == "count" else f"{kind}(items.stock)"
            raise InvariantError(f"{self._text!r}: {kind} is written {wanted}")
        by = ""
        if self._peek() == "by":
            self._at += 1
            by = self._name("a field")
            if not self._each:
                raise InvariantError(f"{self._text!r}: `by` needs a row to count for: begin with each TABLE:")
        self._take(")")
        return Aggregate(kind, path[0], before, path[1] if kind != "count" else "", by)

    def _field(self) -> Field:
        name = self._name("a number, a field or an aggregate")
        before = name == "before" and self._peek() == "."
        if before:
            self._at += 1
            name = self._name("a field")
        if not self._each:
            raise InvariantError(
                f"{self._text!r}: there is no quantity {name!r}; write count(TABLE), sum(TABLE.field), or begin with each TABLE:"
            )
        return Field(name, before)

    def _split(self) -> list[tuple[str, int]]:
        found, at = [], 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise InvariantError(
                    f"{self._text!r}: {self._text[at:].strip()[:1]!r} has no meaning here; as in {EXAMPLE}"
                )
            found.append((match[1], match.start(1)))
            at = match.end()
        return found

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][0] if at < len(self._tokens) else ""

    def _place(self) -> int:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else len(self._text)

    def _take(self, wanted: str) -> None:
        if self._peek() != wanted:
            self._fail(repr(wanted))
        self._at += 1

    def _name(self, what: str) -> str:
        token = self._peek()
        if not _NAME.fullmatch(token):
            self._fail(what)
        self._at += 1
        return token

    def _fail(self, wanted: str) -> NoReturn:
        found = repr(self._peek()) if self._peek() else "nothing"
        raise InvariantError(f"{self._text!r}: {wanted} was expected and {found} found; as in {EXAMPLE}")
