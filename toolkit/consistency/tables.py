"""What an invariant is judged by: the tables of a run, and numbers between two bounds where an action got no answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from toolkit.consistency.invariant import REFUSED, SENT, TOLD, UNKNOWN

Row = dict[str, Any]


class CannotJudgeError(Exception):
    """A value is missing or no number; the text says which."""


@dataclass(frozen=True)
class Span:
    """A number that is only known to lie between two; mostly both are the same."""

    low: Fraction
    high: Fraction

    @classmethod
    def of(cls, value: Fraction) -> Span:
        """A number that is known."""
        return cls(value, value)

    def __str__(self) -> str:
        if self.low == self.high:
            return _text(self.low)
        return f"{_text(self.low)} to {_text(self.high)}"


@dataclass
class Table:
    """Rows by key. `perhaps`: rows that may belong to it as well, since nobody was told."""

    name: str
    key: str
    rows: list[Row]
    perhaps: list[Row] = field(default_factory=list)
    _by: dict[str, dict[str, tuple[list[Row], list[Row]]]] = field(default_factory=dict)

    @cached_property
    def by_key(self) -> dict[str, Row]:
        """Each row once; of several with one key the last."""
        return {self.key_of(row): row for row in self.rows}

    def key_of(self, row: Row) -> str:
        """A row's key as text, so that 5 of a database and "5" of an answer are the same.

        Raises:
            CannotJudgeError: it has none.
        """
        if row.get(self.key) is None:
            raise CannotJudgeError(f"a row of {self.name} has no {self.key}")
        return str(row[self.key])

    def matching(self, by: str, key: str) -> tuple[list[Row], list[Row]]:
        """The rows whose field `by` is `key`, and those of `perhaps`.

        Raises:
            CannotJudgeError: a row has no such field.
        """
        if by not in self._by:
            index: dict[str, tuple[list[Row], list[Row]]] = {}
            for place, rows in enumerate((self.rows, self.perhaps)):
                for row in rows:
                    if by not in row:
                        raise CannotJudgeError(f"a row of {self.name} has no {by}")
                    index.setdefault(str(row[by]), ([], []))[place].append(row)
            self._by[by] = index
        return self._by[by].get(key, ([], []))


@dataclass(frozen=True)
class Tables:
    """Of one run: what was read before and after the actions, and what each client was told."""

    after: dict[str, Table]
    before: dict[str, Table]

    def table(self, name: str, *, before: bool = False) -> Table:
        """One table.

        Raises:
            CannotJudgeError: it was not read.
        """
        found = (self.before if before else self.after).get(name)
        if found is None:
            raise CannotJudgeError(f"{name} was not read {'before' if before else 'after'} the actions")
        return found

    @classmethod
    def made(
        cls,
        before: dict[str, list[Row]],
        after: dict[str, list[Row]],
        keys: dict[str, str],
        actions: dict[str, list[Row]],
    ) -> Tables:
        """From rows; `actions` by `told`, `refused`, `unknown`, each with its id under `id`."""

        def read(state: dict[str, list[Row]]) -> dict[str, Table]:
            return {name: Table(name, keys.get(name, "id"), rows) for name, rows in state.items()}

        unknown = actions[UNKNOWN]
        own = {
            TOLD: Table(TOLD, "id", actions[TOLD], unknown),
            REFUSED: Table(REFUSED, "id", actions[REFUSED], unknown),
            UNKNOWN: Table(UNKNOWN, "id", unknown),
            SENT: Table(SENT, "id", [*actions[TOLD], *actions[REFUSED], *unknown]),
        }
        return cls({**read(after), **own}, read(before))


def number_of(row: Row, name: str, table: str) -> Fraction:
    """A field as an exact number: 0.1 is a tenth.

    Raises:
        CannotJudgeError: it is missing or no number.
    """
    value = row.get(name)
    try:
        if isinstance(value, (int, float, str)) and str(value).strip():
            return Fraction(str(int(value) if isinstance(value, bool) else value).strip())
    except (ValueError, ZeroDivisionError, OverflowError):
        pass
    said = "is missing" if name not in row else f"is {str(value)[:40]!r} and no number"
    raise CannotJudgeError(f"{name} of a row of {table} {said}")


def _text(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.10g}"
