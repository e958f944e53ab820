"""The comparison as text for a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from toolkit.analysis.comparison.judging import SAME, UNKNOWN
from toolkit.reports.comparison import words
from toolkit.reports.terminal_text import printable, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_ROWS = 60
_MOST_FUNCTIONS = 10
_MOST_ALONE = 10


def comparison_text(content: dict[str, Any], files: str) -> str:
    """Everything worth reading on a terminal; the last line is the verdict.

    Args:
        content: of compare.json.
        files: where the rest lies; empty where nothing was written.
    """
    lines = [
        *_sides(content),
        *_cautions(content),
        "",
        *_comparisons(content),
        *_alone(content),
        *_functions(content),
    ]
    lines += ["", f"More: {files}"] if files else [""]
    return printable_lines([*lines, words.headline(content)])


def printable_lines(lines: Iterable[str]) -> str:
    """Joined; nothing in them steers a terminal."""
    return "\n".join(printable(line) for line in lines) + "\n"


def _sides(content: dict[str, Any]) -> Iterator[str]:
    for side in ("base", "new"):
        one = content[side]
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(one["started_ns"] / 1e9))
        commit = one["commit"] or "not recorded (--commit)"
        yield f"{side:<5} {one['run']}   {began}   commit {commit}   {one['requests']:,} requests"


def _cautions(content: dict[str, Any]) -> Iterator[str]:
    if content["forced"]:
        yield ""
        yield "Compared by force, though these two cannot be compared:"
        yield from (f"  – {reason}" for reason in content["forced"])
    if content["notes"]:
        yield ""
        yield from (f"Note: {note}" for note in content["notes"])


def _comparisons(content: dict[str, Any]) -> list[str]:
    rows = content["comparisons"]
    shown = rows
    left_out = ""
    if len(rows) > _MOST_ROWS:
        shown = [row for row in rows if row["verdict"] in words.CHANGED][:_MOST_ROWS]
        left_out = f"  {len(rows) - len(shown)} more: see the page or compare.json."
    body, before = [], ("", "")
    for row in shown:
        head = (words.thing(row), words.place(row))
        verdict = row["verdict"] + (
            f": {row['why']}" if row["why"] and row["verdict"] in (SAME, UNKNOWN) else ""
        )
        body.append(
            [
                *(("", "") if head == before else head),
                row["label"],
                words.value(row["base"], row["unit"]),
                words.value(row["new"], row["unit"]),
                words.difference(row),
                words.interval(row),
                verdict,
            ]
        )
        before = head
    lines = _lined_up(["", "phase", "", "base", "new", "difference", "interval", "verdict"], body)
    return [*lines, *([left_out] if left_out else [])]


def _lined_up(head: list[str], body: list[list[str]]) -> list[str]:
    """As `table`, with the last column to the left: it holds words."""
    if not body:
        return []
    told = [row[-1] for row in [head, *body]]
    lines = table(head[:-1], [row[:-1] for row in body], left=3)
    if len(lines) != len(told):  # a long name stands on a line of its own
        return [line.rstrip() for line in table(head, body, left=3)]
    return [f"{line}  {last}".rstrip() for line, last in zip(lines, told, strict=True)]


def _alone(content: dict[str, Any]) -> Iterator[str]:
    for side in ("base", "new"):
        alone = content["only_in"][side]
        if not alone:
            continue
        yield ""
        yield f"In {side} alone, and not compared:"
        for one in alone[:_MOST_ALONE]:
            count = f", {one['requests']:,} requests" if "requests" in one else ""
            yield f"  – {words.thing(one)} in phase {words.place(one)}{count}"
        if len(alone) > _MOST_ALONE:
            yield f"  – and {len(alone) - _MOST_ALONE} more"


def _functions(content: dict[str, Any]) -> Iterator[str]:
    changed = [row for row in content["functions"] if row["verdict"] in ("gained", "lost")]
    if not changed:
        if content["functions"]:
            yield ""
            yield "Functions that gained or lost time:"
            yield f"  {words.functions_unchanged(content['functions'])}"
        return
    yield ""
    yield "Functions that gained or lost time:"
    body = [
        [
            f"{row['function']} ({row['file']})" if row["file"] else row["function"],
            f"{row['server']}, {row['view']}",
            words.value(row["base"], row["unit"]),
            words.value(row["new"], row["unit"]),
            words.difference(row),
            words.interval(row),
            row["verdict"],
        ]
        for row in changed[:_MOST_FUNCTIONS]
    ]
    yield from table(["", "view", "base", "new", "difference", "interval", ""], body, left=2, widest=60)
    if len(changed) > _MOST_FUNCTIONS:
        yield f"  {len(changed) - _MOST_FUNCTIONS} more: see the page or compare.json."
    if open_ := words.functions_open(content["functions"]):
        yield f"  {open_}"
