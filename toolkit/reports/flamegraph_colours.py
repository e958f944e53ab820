"""Which colour a frame has, and why: the hue says whose code it is.

The hues are Okabe and Ito's, made for all common kinds of colour blindness, lightened until dark text on them has a
contrast of at least 4.5:1 (a test measures both). Four shades of each keep neighbours apart; the shade follows from the
label alone, so that a function has the same colour in every flamegraph of every run.
"""

from __future__ import annotations

import re
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from toolkit.reports.flamegraph_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INK = "#111111"
"""Text on frames, in the light and in the dark theme: the frames keep their colours."""

SHADES = 4
# How far each shade is mixed towards white.
_MIX = (0.0, 0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of code: the letter of its class, the words of the legend, its darkest colour."""

    letter: str
    legend: str
    colour: str

    def shade(self, number: int) -> str:
        """The colour of shade `number`, `#rrggbb`."""
        parts = (int(self.colour[at : at + 2], 16) for at in (1, 3, 5))
        return "#" + "".join(f"{round(part + (255 - part) * _MIX[number]):02x}" for part in parts)


APPLICATION = Kind("a", "application", "#e69f00")
LIBRARY = Kind("l", "libraries (site-packages)", "#56b4e9")
STANDARD = Kind("s", "standard library", "#ede14c")
SERVER = Kind("g", "server (gunicorn)", "#cc79a7")
OTHER = Kind("o", "processes, threads, native", "#c8c8c8")
KINDS = (APPLICATION, LIBRARY, STANDARD, SERVER, OTHER)

# Only as an installed package or at the start of a short path: an application may well live in /srv/gunicorn.
_SERVER = re.compile(
    r"(^|(site|dist)-packages[/\\])(gunicorn|uvicorn|uvicorn_worker)[/\\]|[/\\]bin[/\\](gunicorn|uvicorn)$"
)
_LIBRARY = re.compile(r"(^|[/\\])(site|dist)-packages[/\\]")
_STANDARD = re.compile(
    r"(^|[/\\])[Ll]ib([/\\]|64[/\\])(python\d(\.\d+)?[/\\]|python\d+\.zip)|^<frozen |^frozen "
)


def kind_of(file: str) -> Kind:
    """Whose code `file` is, told by its path alone."""
    if not file:
        return OTHER
    if _SERVER.search(file):
        return SERVER
    if _LIBRARY.search(file):
        return LIBRARY
    if _STANDARD.search(file) or _is_short_standard_name(file):
        return STANDARD
    return APPLICATION


def _is_short_standard_name(file: str) -> bool:
    # py-spy without --full-filenames shortens to `threading.py` and `concurrent/futures/thread.py`.
    first = file.split("/", 1)[0].removesuffix(".py")
    return not file.startswith("/") and first in sys.stdlib_module_names


def class_of(kind: Kind, label: str) -> str:
    """The CSS class of a frame: the kind's letter and a shade that follows from the label."""
    return f"{kind.letter}{zlib.crc32(label.encode('utf-8', 'replace')) % SHADES}"


def stylesheet() -> str:
    """One CSS rule per kind and shade, for SVGs and for the page that holds them."""
    return "".join(
        f".flamegraph .{kind.letter}{number} rect{{fill:{kind.shade(number)}}}\n"
        for kind in KINDS
        for number in range(SHADES)
    )


class Painting(Protocol):
    """What the colours of a flamegraph mean."""

    @property
    def css(self) -> str:
        """Rules for the classes, below `.flamegraph`."""

    @property
    def legend(self) -> Sequence[tuple[str, str]]:
        """The classes to explain, and their words."""

    def class_of(self, path: Sequence[str], file: str) -> str:
        """The class of a frame, told its labels from the root's child on (none: the root) and its file."""

    def words(self, path: Sequence[str]) -> str:
        """One more line for a frame's tooltip; may be empty."""


class CodePainting:
    """Colours by whose code it is.

    Args:
        kinds: of labels that do not name their file.
    """

    def __init__(self, kinds: Mapping[str, Kind] | None = None) -> None:
        self._kinds = kinds or {}
        self.css = stylesheet()
        self.legend = [(f"{kind.letter}0", kind.legend) for kind in KINDS]

    def class_of(self, path: Sequence[str], file: str) -> str:
        """The kind's letter and a shade that follows from the label."""
        label = path[-1] if path else ROOT
        kind = OTHER if not path else self._kinds.get(label) or kind_of(file)
        return class_of(kind, label)

    def words(self, path: Sequence[str]) -> str:  # noqa: ARG002 - it has nothing to add
        """Nothing."""
        return ""
