"""Units of what is checked: how a limit is read in them, and how a value is written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_TIMES_MS = {
    "us": 0.001,
    "µs": 0.001,
    "ms": 1.0,
    "s": 1000.0,
    "m": 60_000.0,
    "min": 60_000.0,
    "h": 3_600_000.0,
}
_SIZES = {
    "B": 1,
    **{
        f"{letter}{end}": 1000**power
        for power, letters in ((1, "kK"), (2, "M"), (3, "G"))
        for letter in letters
        for end in ("", "B")
    },
    **{
        f"{letter}i{end}": 1024**power
        for power, letters in ((1, "kK"), (2, "M"), (3, "G"))
        for letter in letters
        for end in ("", "B")
    },
}
_FACTORS: dict[str, dict[str, float]] = {
    "time": _TIMES_MS,
    "share": {"%": 1.0},
    "size": {name: float(factor) for name, factor in _SIZES.items()},
    "count": {"": 1.0},
    "cores": {"": 1.0, "core": 1.0, "cores": 1.0},
}
_EXAMPLES = {
    "time": "250ms or 1.5s",
    "share": "0.1%",
    "size": "500MB",
    "count": "a plain number",
    "cores": "1.5",
}
_PER_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h)\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")


@dataclass(frozen=True)
class Unit:
    """What a number means: `time` (ms), `share` (percent), `size` (bytes), `count`, `cores`; rates per `s`, slopes per `h`."""

    of: str
    per: str = ""

    @property
    def example(self) -> str:
        """How a limit in it is written."""
        if not self.per:
            return _EXAMPLES[self.of]
        return {"time": "5ms", "share": "1%", "size": "1MB", "count": "5", "cores": "0.1"}[
            self.of
        ] + f"/{self.per}"

    def read(self, number: str, unit: str) -> float:
        """A limit as written, in this unit.

        Raises:
            ValueError: it is no finite number, or its unit is of another kind; says what to write.
        """
        try:
            value = float(number)
        except ValueError:
            raise ValueError(f"{number!r} is no number; write {self.example}") from None
        if not math.isfinite(value):
            raise ValueError(
                f"{number!r} is no number that something could be compared with; write {self.example}"
            )
        base, slash, per = unit.partition("/")
        factor = _FACTORS[self.of].get(base)
        if factor is None and not unit and value == 0:
            return 0.0
        if factor is None or bool(slash) != bool(self.per) or (slash and per not in _PER_S):
            said = f"{number}{unit}"
            lacks = f"{said!r} has no unit" if not unit else f"{unit!r} is no unit of this quantity"
            raise ValueError(f"{lacks}; write {self.example}")
        scale = _PER_S[self.per] / _PER_S[per] if slash else 1.0
        return value * factor * scale

    def written(self, value: float) -> str:
        """A value as people read it: `312 ms`, `1.2 MB/h`, `0.34 %`, `64`."""
        per = f"/{self.per}" if self.per else ""
        if self.of == "time":
            return (f"{_short(value / 1000)} s" if abs(value) >= 10_000 else f"{_short(value)} ms") + per
        if self.of == "share":
            return f"{_short(value)} %{per}"
        if self.of == "size":
            for name, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
                if abs(value) >= factor:
                    return f"{_short(value / factor)} {name}{per}"
            return f"{_short(value)} B{per}"
        return f"{_short(value)}{' cores' if self.of == 'cores' else ''}{per}"


TIME, SHARE, SIZE, COUNT, CORES = Unit("time"), Unit("share"), Unit("size"), Unit("count"), Unit("cores")


def read_window(text: str) -> int:
    """Whole seconds of `30s`, `1m30s`, `2h`.

    Raises:
        ValueError: it is no duration, or none of whole seconds.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration; write over 30s or over 1m30s")
    seconds = sum(float(number) * _TIMES_MS[unit] / 1000 for number, unit in _DURATION_PART.findall(text))
    if seconds < 1 or seconds != int(seconds):
        raise ValueError(f"a window of {text} cannot be looked at; it is made of whole seconds")
    return int(seconds)


def window_text(seconds: int) -> str:
    """`30s`, `1m30s`, `2h`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def _short(value: float) -> str:
    """Three figures that count, and all of whole numbers below a million."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
