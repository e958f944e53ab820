"""Numbers and names as findings say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.analysis.frames import Function

_MIB = 2**20
_LONGEST = 300


def cores(value: float) -> str:
    """`1.93 cores`, `0.40 of a core`."""
    return f"{value:.2f} of a core" if value < 1 else f"{value:.2f} cores"


def percent(part: float) -> str:
    """A share as `87 %`, small ones with a digit more."""
    value = part * 100
    if value >= 10 or value == 0:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.1 else f"{value:.1g} %"


def ms(value: float) -> str:
    """`0.41 ms`, `18 ms`, `2,060 ms`."""
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2g} ms"


def mib(value: float) -> str:
    """Bytes as `12.3 MiB`."""
    return f"{value / _MIB:,.1f} MiB"


def count(number: float, one: str, many: str = "") -> str:
    """`1 worker`, `1,204 workers`."""
    return f"{number:,.0f} {one if number == 1 else many or one + 's'}"


def one_line(text: str) -> str:
    """A message with its line breaks as spaces, not longer than a sentence may be."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def place(function: Function) -> str:
    """`charge (views.py)`."""
    tail = function.file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{function.name} ({tail})" if tail else function.name


def label_place(label: str) -> str:
    """A frame label with the last part of its path: `charge (views.py:12)`."""
    name, opening, rest = label.partition(" (")
    return f"{name} ({rest.replace(chr(92), '/').rsplit('/', 1)[-1]}" if opening else label
