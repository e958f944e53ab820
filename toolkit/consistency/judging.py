"""An invariant and a run's tables → which ids disagree, on which side.

Where an action got no answer, whoever counts what was told knows a number only between two bounds. What is broken whatever
became of those actions is a violation; what may be and may not is unclear.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from toolkit.consistency.invariant import Aggregate, Compared, Field, Number
from toolkit.consistency.tables import CannotJudgeError, Span, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.consistency.invariant import Invariant, Term, Within
    from toolkit.consistency.tables import Row, Table, Tables

MOST_ACTIONS = 20
_ABSENT = "not there"


@dataclass(frozen=True)
class Disagreement:
    """One id on which the two sides differ; `id` is empty for an invariant of the whole."""

    id: str
    left: str
    right: str
    actions: list[str] = field(default_factory=list)
    """Ids of rows that were counted for this one, of the first 20."""


@dataclass(frozen=True)
class Verdict:
    """`verdict`: held, broken, unclear, or unjudged (then `problem` says why)."""

    verdict: str
    left: str
    """What stands on the left of each disagreement, in words."""
    right: str
    violations: list[Disagreement] = field(default_factory=list)
    unclear: list[Disagreement] = field(default_factory=list)
    looked_at: int = 0
    """Ids."""
    values: tuple[str, str] = ("", "")
    """Of an invariant of the whole: both sides."""
    problem: str = ""


def judge(invariant: Invariant, tables: Tables) -> Verdict:
    """Never raises: what cannot be judged says why."""
    left, right = _sides(invariant)
    try:
        if isinstance(invariant, Compared):
            return _each(invariant, tables) if invariant.each else _whole(invariant, tables)
        return _subset(invariant, tables)
    except CannotJudgeError as error:
        return Verdict("unjudged", left, right, problem=str(error))


def _sides(invariant: Invariant) -> tuple[str, str]:
    if isinstance(invariant, Compared):
        return invariant.left_text, invariant.right_text
    return invariant.inner, invariant.outer


def _verdict(invariant: Invariant, found: list[tuple[bool, Disagreement]], looked_at: int) -> Verdict:
    violations = [one for certain, one in found if certain]
    unclear = [one for certain, one in found if not certain]
    word = "broken" if violations else "unclear" if unclear else "held"
    return Verdict(word, *_sides(invariant), violations, unclear, looked_at)


def _subset(invariant: Within, tables: Tables) -> Verdict:
    inner, outer = tables.table(invariant.inner), tables.table(invariant.outer)
    perhaps = {outer.key_of(row) for row in outer.perhaps}
    found = [
        (key not in perhaps, Disagreement(key, f"in {invariant.inner}", f"not in {invariant.outer}"))
        for key in inner.by_key
        if key not in outer.by_key
    ]
    return _verdict(invariant, found, len(inner.by_key))


def _whole(invariant: Compared, tables: Tables) -> Verdict:
    left, right = (_value(side, tables, None, None, "") for side in (invariant.left, invariant.right))
    held = _holds(invariant.sign, left, right)
    found = [] if held else [(held is False, Disagreement("", str(left), str(right)))]
    verdict = _verdict(invariant, found, 1)
    return Verdict(
        verdict.verdict,
        verdict.left,
        verdict.right,
        verdict.violations,
        verdict.unclear,
        1,
        (str(left), str(right)),
    )


def _each(invariant: Compared, tables: Tables) -> Verdict:
    table = tables.table(invariant.each)
    compares_before = any(isinstance(term, Field) and term.before for term in invariant.terms)
    before = tables.table(invariant.each, before=True) if compares_before else None
    keys = list(dict.fromkeys([*table.by_key, *(before.by_key if before else ())]))
    found = []
    for key in keys:
        row, old = table.by_key.get(key), before.by_key.get(key) if before else None
        if row is None or (before is not None and old is None):
            found.append((True, _one_sided(key, row)))
            continue
        left, right = (_value(side, tables, row, old, key) for side in (invariant.left, invariant.right))
        held = _holds(invariant.sign, left, right)
        if not held:
            actions = list(dict.fromkeys(_counted(invariant, tables, key)))[:MOST_ACTIONS]
            found.append((held is False, Disagreement(key, str(left), str(right), actions)))
    return _verdict(invariant, found, len(keys))


def _one_sided(key: str, row: Row | None) -> Disagreement:
    return Disagreement(key, f"{_ABSENT} {'afterwards' if row is None else 'before'}", "")


def _counted(invariant: Compared, tables: Tables, key: str) -> Iterator[str]:
    for term in invariant.terms:
        if isinstance(term, Aggregate) and term.by:
            table = tables.table(term.source, before=term.before)
            for rows in table.matching(term.by, key):
                yield from (str(row.get(table.key, "")) for row in rows)


def _value(term: Term, tables: Tables, row: Row | None, old: Row | None, key: str) -> Span:
    if isinstance(term, Number):
        return Span.of(Fraction(term.text))
    if isinstance(term, Field):
        return Span.of(number_of((old if term.before else row) or {}, term.name, "the table"))
    if isinstance(term, Aggregate):
        table = tables.table(term.source, before=term.before)
        certain, perhaps = table.matching(term.by, key) if term.by else (table.rows, table.perhaps)
        return _aggregated(term, table, certain, perhaps)
    left, right = (_value(side, tables, row, old, key) for side in (term.left, term.right))
    if term.sign == "+":
        return Span(left.low + right.low, left.high + right.high)
    if term.sign == "-":
        return Span(left.low - right.high, left.high - right.low)
    products = [one * other for one in (left.low, left.high) for other in (right.low, right.high)]
    return Span(min(products), max(products))


def _aggregated(term: Aggregate, table: Table, certain: list[Row], perhaps: list[Row]) -> Span:
    if term.kind == "count":
        return Span(Fraction(len(certain)), Fraction(len(certain) + len(perhaps)))
    values, more = ([number_of(row, term.field, table.name) for row in rows] for rows in (certain, perhaps))
    if term.kind == "sum":
        base = sum(values, Fraction(0))
        return Span(
            base + sum((one for one in more if one < 0), Fraction(0)),
            base + sum((one for one in more if one > 0), Fraction(0)),
        )
    if not values:
        raise CannotJudgeError(f"{term.kind} of no row of {table.name}")
    pick: Callable[[list[Fraction]], Fraction] = min if term.kind == "min" else max
    ends = sorted((pick(values), pick([*values, *more])))
    return Span(ends[0], ends[1])


def _holds(sign: str, left: Span, right: Span) -> bool | None:
    """None where it depends on what nobody was told."""
    if sign in ("==", "!="):
        apart = left.high < right.low or right.high < left.low
        same = left.low == left.high == right.low == right.high
        known = False if apart else True if same else None
        return known if sign == "==" or known is None else not known
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}[sign]
    outcomes = {compare(left.low, right.high), compare(left.high, right.low)}
    return outcomes.pop() if len(outcomes) == 1 else None
