"""The part of summary.txt that says whether its numbers can be used."""

from __future__ import annotations

from typing import Any

from toolkit.reports.terminal_text import printable, table

_VERDICTS = {
    "good": "yes, as far as was looked",
    "doubtful": "with care",
    "invalid": "no: do not use these numbers",
}
_MARKS = {"warn": "!", "bad": "!!"}


def first_lines(summary: dict[str, Any]) -> list[str]:
    """What a reader must know before the first number; nothing where nothing was found."""
    trust = summary["trust"]
    if trust["verdict"] != "invalid":
        return []
    return ["DO NOT USE THESE NUMBERS", *(f"  - {printable(reason)}" for reason in trust["reasons"]), ""]


def trust_lines(summary: dict[str, Any]) -> list[str]:
    """The verdict, its reasons, and everything that was looked at; what was found wrong is marked."""
    trust = summary["trust"]
    if not trust["rows"] and not trust["reasons"]:
        return []
    lines = ["", f"Can this be trusted? {_VERDICTS.get(trust['verdict'], trust['verdict']).capitalize()}"]
    if trust["verdict"] != "invalid":  # else they stand above everything
        lines += [f"  - {printable(reason)}" for reason in trust["reasons"]]
    rows = [
        [f"{_MARKS.get(row['tone'], ''):2} {printable(row['name'])}", _found(row, trust["reasons"])]
        for row in trust["rows"]
    ]
    return lines + table(["   looked at", "found"], rows, left=2, widest=60)


def _found(row: dict[str, Any], reasons: list[str]) -> str:
    """What a mark means stands beside it, where no reason says it already."""
    words = row["words"] if row["tone"] in _MARKS else ""
    said = any(words in reason for reason in reasons)
    return printable(f"{row['value']}: {words}" if words and not said else row["value"])
