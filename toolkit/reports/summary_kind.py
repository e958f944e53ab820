"""The part of summary.txt on the kind of the load: its totals, and what it was made to show."""

from __future__ import annotations

from typing import Any

from toolkit.reports.terminal_text import number, printable, table


def kind_lines(summary: dict[str, Any]) -> list[str]:
    """Nothing where no request was recorded."""
    found = summary.get("load_kind") or {}
    if not found.get("kind"):
        return []
    lines = ["", f"{found['kind'].capitalize()}, in all", *table(["", ""], total_rows(found["totals"]))[1:]]
    lines += [f"  {printable(sentence)}" for sentence in found["sentences"]]
    for one in found["tables"]:
        body = [[printable(cell) for cell in row] for row in one["rows"]]
        lines += ["", f"  {printable(one['title'])}", *table([printable(cell) for cell in one["head"]], body)]
    return lines


def total_rows(totals: dict[str, Any]) -> list[list[str]]:
    """Name and value, as people expect them."""
    rows = [
        ["requests", f"{totals['requests']}"],
        ["success", f"{totals['succeeded']}"],
        ["failure", f"{totals['failed']}"],
        *([["cut off at the end", f"{totals['cut_off']}"]] if totals["cut_off"] else []),
        ["run time", f"{number(totals['run_time_s'])} s"],
    ]
    for words, key, unit in (("size", "sizes_bytes", "bytes"), ("time", "times_ms", "ms")):
        if all(value is None for value in totals[key].values()):
            continue  # nobody saw any, as of clients with code of their own
        rows += [
            [f"{words}, {of}", f"{number(value)} {unit}" if value is not None else "-"]
            for of, value in totals[key].items()
        ]
    return rows
