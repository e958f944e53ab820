"""`http.p95{phase: peak} < 400ms over 30s` → `Check`, or every mistake in it.

quantity[.statistic][{tag: value, …}] [statistic] < limit[unit] [over WINDOW]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.checks.check import OPERATORS, Check
from toolkit.checks.quantity import quantile_of
from toolkit.checks.registry import QUANTITIES
from toolkit.checks.units import read_window
from toolkit.checks.words import suggestion

if TYPE_CHECKING:
    from toolkit.checks.quantity import Quantity

EXAMPLE = "http.p95{phase: peak} < 400ms over 30s"
_LONGEST = 1000
_PATH = re.compile(r"\s*([A-Za-z_][\w.]*)")
_TAGS = re.compile(r"""\s*\{((?:[^{}"']|"(?:[^"\\]|\\.)*"|'[^']*')*)\}""")
_ONE_TAG = re.compile(
    r"""\s*([\w.-]+)\s*[:=]\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^,"']*?)\s*(?:,|$)""",
)
_COMPARE = re.compile(r"<=|>=|==|!=|=<|=>|<>|[<>=≤≥]")
_MEANT = {"=": "==", "=<": "<=", "=>": ">=", "<>": "!=", "≤": "<=", "≥": ">="}
_LIMIT = re.compile(
    r"\s*([-+]?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?[A-Za-z]+)\s*((?:(?!over\b)[^\s\d]+)?)(.*)",
    re.DOTALL,
)
_OVER = re.compile(r"\s*over\s+(.+?)\s*", re.DOTALL)


class CheckSyntaxError(ValueError):
    """A check that cannot be read; the message says everything that is wrong with it, and what to write."""


def parse(text: str) -> Check:
    """Read one check.

    Raises:
        CheckSyntaxError: all mistakes in it.
    """
    if len(text) > _LONGEST:
        raise CheckSyntaxError(f"is longer than {_LONGEST} characters")
    reading = _Reading(text)
    check = reading.read()
    if check is None or reading.mistakes:
        raise CheckSyntaxError(f"{text!r}: {'; '.join(dict.fromkeys(reading.mistakes))}")
    return check


@dataclass
class _Reading:
    text: str
    mistakes: list[str] = field(default_factory=list)

    def read(self) -> Check | None:
        start = _PATH.match(self.text)
        if start is None:
            return self._none(f"begin with what is measured, as in {EXAMPLE}")
        rest = self.text[start.end() :]
        tags = _TAGS.match(rest)
        if tags is None and rest.lstrip().startswith("{"):
            return self._none("the tags in { } do not end; write {phase: peak}")
        rest = rest[tags.end() :] if tags else rest
        compare = _COMPARE.search(rest)
        if compare is None:
            return self._none(
                f"there is no comparison; write one of {' '.join(OPERATORS)} and a limit, as in {EXAMPLE}"
            )
        before, after = rest[: compare.start()].strip(), rest[compare.end() :]
        return self._check(start[1], tags[1] if tags else "", before, compare[0], after)

    def _check(self, path: str, tags: str, word: str, compare: str, after: str) -> Check | None:
        if compare in _MEANT:
            self.mistakes.append(f"{compare!r} is no comparison; write {_MEANT[compare]}")
            compare = _MEANT[compare]
        found = self._quantity(path, word)
        if found is None:
            return None
        quantity, statistic = found
        pairs = self._tags(tags, quantity.tags, quantity.name)
        limit = _LIMIT.fullmatch(after)
        if limit is None:
            return self._none(
                f"there is no limit after {compare}; write {quantity.unit_of(statistic).example}"
            )
        number, unit, over = limit[1], limit[2], limit[3]
        if not number[-1].isdigit() and number.lower() == "over":
            return self._none(
                f"there is no limit after {compare}; write {quantity.unit_of(statistic).example}"
            )
        value = 0.0
        try:
            value = quantity.unit_of(statistic).read(number.replace("_", ""), unit)
        except ValueError as error:
            self.mistakes.append(str(error))
        window_s = self._window(over, compare, quantity.statistics == ("count",), statistic)
        return Check(quantity, statistic, pairs, compare, value, f"{number}{unit}", window_s)

    def _quantity(self, path: str, word: str) -> tuple[Quantity, str] | None:
        name, statistic = _split(path)
        quantity = QUANTITIES.get(name)
        if quantity is None:
            self.mistakes.append(f"there is no quantity {path!r}; {suggestion(path, _names())}")
            return None
        if word and statistic:
            self.mistakes.append(f"{statistic!r} and {word!r} are two statistics; write one")
            return None
        statistic = statistic or word or quantity.implied
        if not statistic or not quantity.takes(statistic):
            said = f"{name!r} has no statistic {statistic!r}" if statistic else f"{name!r} needs a statistic"
            close = list(quantity.statistics) + ["p90", "p99.9"] * ("p50" in quantity.statistics)
            advice = (
                suggestion(statistic, close)
                if statistic
                else f"write one of {', '.join(close)}, as in {name}.{close[1]}"
            )
            self.mistakes.append(f"{said}; {advice}")
            return None
        return quantity, statistic

    def _tags(self, text: str, known: tuple[str, ...], name: str) -> tuple[tuple[str, str], ...]:
        pairs: dict[str, str] = {}
        at = 0
        while text[at:].strip():
            one = _ONE_TAG.match(text, at)
            if one is None or one.end() == at:
                self.mistakes.append(f"{text[at:].strip()!r} is no tag; write {{phase: peak}}")
                break
            at = one.end()
            key, value = one[1], _unquoted(one[2].strip())
            if key not in known:
                advice = suggestion(key, known) if known else "it has no tags"
                self.mistakes.append(f"{name} has no tag {key!r}; {advice}")
            elif key in pairs:
                self.mistakes.append(
                    f"the tag {key!r} stands twice; write it once, * and ? stand for parts of names"
                )
            elif not value:
                self.mistakes.append(f"the tag {key!r} has no value")
            pairs[key] = value
        return tuple(pairs.items())

    def _window(self, text: str, compare: str, whole_run: bool, statistic: str) -> int | None:
        if not text.strip():
            return None
        over = _OVER.fullmatch(text)
        if over is None:
            self.mistakes.append(f"{text.strip()!r} cannot stand after the limit; only `over 30s` can")
            return None
        if whole_run:
            self.mistakes.append("this quantity is one number of the whole run; it has no windows")
        elif compare in ("==", "!="):
            self.mistakes.append(
                "a window needs <, <=, > or >=: which of several is the worst is not known else"
            )
        elif statistic in ("last", "stdev"):
            self.mistakes.append(f"{statistic!r} cannot be looked at in windows")
        try:
            return read_window(over[1])
        except ValueError as error:
            self.mistakes.append(str(error))
            return None

    def _none(self, mistake: str) -> Check | None:
        self.mistakes.append(mistake)
        return None


def _split(path: str) -> tuple[str, str]:
    """The quantity's name and the statistic of a dotted path: the longest name that there is."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if name in QUANTITIES:
            rest = ".".join(parts[end:])
            known = not rest or len(parts) - end == 1 or quantile_of(rest) is not None
            return (name, rest) if known else (path, "")
    return path, ""


def _names() -> list[str]:
    """Everything that can stand before a comparison, with the statistics that are asked for most."""
    found = []
    for name, quantity in QUANTITIES.items():
        found += [name] if quantity.implied else []
        found += [f"{name}.{statistic}" for statistic in quantity.statistics if statistic != "count"]
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == "'" else value
