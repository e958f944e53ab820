"""The time axis of report.html: equal steps of whole seconds, and how what was measured each second is put onto them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Value = float | None
Column = list[Value]

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
MOST_POINTS = 20_000


@dataclass(frozen=True)
class Grid:
    """`count` steps of `step` seconds from the epoch second `first`; time 0 of the page, `zero`, begins a step."""

    zero: int
    first: int
    step: int
    count: int

    @classmethod
    def over(cls, seconds: Iterable[int], zero: int, step: int) -> Grid:
        """The grid that holds all of `seconds`, in steps of `step` or, where that were too many, of more."""
        known = sorted(seconds) or [zero]
        before, after = known[0] - zero, known[-1] - zero
        least = max(step, (after - before) // MOST_POINTS + 1)
        wide = next((one for one in STEPS if one >= least), least)
        first, last = before // wide, after // wide
        return cls(zero, zero + first * wide, wide, last - first + 1)

    def mean(self, values: Sequence[Value], first: int) -> Column:
        """Values of each second from the epoch second `first` on: of each step the mean of those there are."""
        return self._each(values, first, lambda known: sum(known) / len(known))

    def largest(self, values: Sequence[Value], first: int) -> Column:
        """As `mean`: the largest of each step."""
        return self._each(values, first, max)

    def counted(self, counts: Mapping[int, int]) -> Column:
        """Counts by epoch second, as a rate a second; 0 where nothing is said."""
        totals = [0] * self.count
        for second, count in counts.items():
            at = self.place(second)
            if at is not None:
                totals[at] += count
        return [total / self.step if self.step > 1 else total for total in totals]

    def place(self, second: float) -> int | None:
        """The number of the step that an epoch second lies in; None outside."""
        at = int(second - self.first) // self.step
        return at if second >= self.first and at < self.count else None

    def _each(self, values: Sequence[Value], first: int, of: Callable[[list[float]], float]) -> Column:
        column: Column = [None] * self.count
        for at, some in self._groups(values, first):
            known = [value for value in some if value is not None]
            if known:
                column[at] = of(known)
        return column

    def _groups(self, values: Sequence[Value], first: int) -> Iterator[tuple[int, list[Value]]]:
        if self.step == 1:
            for at, value in enumerate(values, first - self.first):
                if 0 <= at < self.count:
                    yield at, [value]
            return
        rest = iter(values)
        skipped = (self.first - first) % self.step
        at = (first - self.first) // self.step
        some = list(islice(rest, skipped or self.step))
        while some:
            if 0 <= at < self.count:
                yield at, some
            at += 1
            some = list(islice(rest, self.step))


def short(column: Iterable[Value], digits: int = 3) -> list[float | int | None]:
    """Numbers as few characters: whole ones as they are, others with `digits` significant digits."""
    return [None if value is None else _short(value, digits) for value in column]


def _short(value: float, digits: int) -> float | int:
    if isinstance(value, int) or value.is_integer():
        return int(value)
    if abs(value) >= 10**digits:
        return round(value)
    return float(f"{value:.{digits}g}")
