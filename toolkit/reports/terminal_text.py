"""Text for a terminal: names that cannot steer it, numbers and tables that line up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Sequence


def printable(text: str) -> str:
    r"""`text` with every control, invisible, bidirectional or unassigned character as its escape (`\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(ord(character)) for character in text)


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def file_part(name: str) -> str:
    """A name as a part of a file name: nothing in it leads elsewhere."""
    return re.sub(r"[^A-Za-z0-9._-]|^\.+", "_", name)


def number(value: float | None, digits: int = 1) -> str:
    """At most `digits` decimals, none where they are zero: `30051.4`, `3412`; `-` for None."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_of(seconds: float) -> str:
    """Seconds since time 0 as `00:03:12`, or `-00:00:05` before it."""
    whole = abs(int(seconds // 1))
    sign = "-" if seconds < 0 and whole else ""
    return f"{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def fixed(value: float | None, digits: int = 1) -> str:
    """Exactly `digits` decimals; `-` for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def table(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    *,
    left: int = 1,
    indent: str = "  ",
    widest: int = 44,
) -> list[str]:
    """Lines with columns that line up; the first `left` columns to the left, the others to the right.

    A first cell wider than `widest` stands on a line of its own, whole, above the rest of its row.
    """
    if not body:
        return []
    columns = len(head)
    rows = [head, *body]
    widths = [
        max(cell_len(row[at]) for row in rows if at or cell_len(row[at]) <= widest) for at in range(columns)
    ]
    lines = []
    for row in rows:
        cells = list(row)
        if cell_len(cells[0]) > widest:
            lines.append(indent + cells[0])
            cells[0] = ""
        padded = [
            cell + _pad(cell, width) if at < left else _pad(cell, width) + cell
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append((indent + "  ".join(padded)).rstrip())
    return lines


def _pad(cell: str, width: int) -> str:
    return " " * max(0, width - cell_len(cell))
