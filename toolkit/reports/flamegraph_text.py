"""Frame labels as safe, short text. What a service calls its functions is not ours to trust."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 400
"""Characters of a function or file name that are kept; a longer one is cut and says how long it was."""

# Control characters (XML 1.0 forbids most), invisible and bidirectional controls (they make a name read as another),
# lone surrogates and noncharacters (not encodable, not XML).
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})


@dataclass(frozen=True, slots=True)
class Place:
    """A label taken apart: `handle (app/views.py:12)`. `file` and `line` are empty where the label names none."""

    function: str
    file: str = ""
    line: str = ""

    @property
    def short(self) -> str:
        """The function and the last part of the file's path: what fits into a frame."""
        if not self.file:
            return self.function
        tail = self.file.replace("\\", "/").rsplit("/", 1)[-1]
        return f"{self.function} ({tail}:{self.line})" if self.line else f"{self.function} ({tail})"

    @property
    def full(self) -> str:
        """The whole label."""
        if not self.file:
            return self.function
        return f"{self.function} ({self.file}:{self.line})" if self.line else f"{self.function} ({self.file})"


def take_apart(label: str) -> Place:
    """Split `function (file:line)`; the parts come back visible and of bounded length."""
    opening = label.find(" (")  # function names hold no blank, paths may
    if opening < 1 or not label.endswith(")"):
        return Place(bounded(visible(label)) or "(no name)")
    file = label[opening + 2 : -1]
    line = ""
    head, colon, tail = file.rpartition(":")
    if colon and tail.isascii() and tail.isdigit():
        file, line = head, tail
    elif not any(mark in file for mark in "./<"):
        return Place(bounded(visible(label)))  # `worker 4711 (process)`: parentheses, but no file
    return Place(bounded(visible(label[:opening])), bounded(visible(file)), line[:12])


def visible(text: str) -> str:
    r"""`text` with every character that cannot be seen, or that XML forbids, written as its escape (`\u202e`)."""
    return _UNSEEN.sub(lambda match: _escape(ord(match.group())), text)


def bounded(text: str) -> str:
    """`text`, or its first and last characters with its length where it is longer than `LONGEST`."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]}…{text[-half:]} [{len(text)} characters]"


def xml(text: str) -> str:
    """`text` for an XML or HTML text node or quoted attribute."""
    return visible(text).translate(_XML)


def fit(text: str, room: int) -> str:
    """`text` cut to `room` columns of a fixed-width font, with `…` where it was cut; empty below three columns."""
    if room < 3:
        return ""
    columns = 0
    for index, character in enumerate(text):
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns > room or (columns == room and index < len(text) - 1):
            return text[:index] + "…"
    return text


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
