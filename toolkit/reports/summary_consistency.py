"""The part of summary.txt on whether the service's data stayed right."""

from __future__ import annotations

from typing import Any

from toolkit.reports.terminal_text import printable, table

MOST_SHOWN = 20
COUNTS = ("actions", "told", "refused", "unknown", "unsent")
MEANINGS = "told: of success; refused: any other answer; unknown: no answer came; unsent: its connection was closed before"
MARKS = {"held": "  ", "broken": "!!", "unclear": "? ", "unjudged": "!!"}


def consistency_lines(summary: dict[str, Any]) -> list[str]:
    """Counts, every invariant, and the ids that disagree; nothing where no scenario looked."""
    entries = summary["consistency"]
    if not entries:
        return []
    body = [[printable(entry["load"]), *(str(entry[name]) for name in COUNTS)] for entry in entries]
    lines = ["", f"Consistency ({MEANINGS})", *table(["", *COUNTS], body)]
    for entry in entries:
        lines += [f"  {printable(sentence)}" for sentence in sentences(entry)]
        lines += _invariants(entry)
        for one in entry["invariants"]:
            lines += _ids(one)
    return lines


def sentences(entry: dict[str, Any]) -> list[str]:
    """What there is to say of one scenario beside its counts."""
    load, count = entry["load"], entry["violations"]
    said = []
    if entry["spread_ms"] is not None:
        said.append(
            f"{load}: {entry['actions'] - entry['unsent']} actions began within {entry['spread_ms']:.1f} ms "
            f"(first to last start), from {entry['processes']} processes; seed {entry['seed']}"
        )
    rows = ", ".join(
        f"{one['name']} {one['before']} → {'not read' if one['after'] is None else one['after']}"
        for one in entry["tables"]
    )
    said.append(f"{load}: rows before → after the actions: {rows}")
    if entry["unknown"]:
        said.append(
            f"{load}: {entry['unknown']} actions got no answer: what depends on whether they took place is unclear"
        )
    said.append(f"{load}: {_VERDICTS[entry['verdict']]}{f' ({count} violations)' if count else ''}")
    return said


_VERDICTS = {
    "held": "the data stayed right: every invariant holds",
    "broken": "the data did not stay right",
    "unclear": "nothing is broken for certain, and not everything is known",
    "unjudged": "whether the data stayed right is not known",
}


def found_words(one: dict[str, Any]) -> str:
    """What was found of one invariant, in words."""
    if one["problem"]:
        return str(one["problem"])
    if one["values"]:
        return " and ".join(one["values"])
    return f"{one['violations']} of {one['looked_at']} ids disagree" + (
        f", {one['unclear']} may" if one["unclear"] else ""
    )


def _invariants(entry: dict[str, Any]) -> list[str]:
    body = [
        [
            MARKS[one["verdict"]],
            printable(one["service"]),
            printable(one["invariant"]),
            one["verdict"],
            printable(found_words(one)),
        ]
        for one in entry["invariants"]
    ]
    return table(["", "service", "invariant", "verdict", "found"], body, left=5, indent="  ")


def _ids(one: dict[str, Any]) -> list[str]:
    rows = [row for row in one["violating"] if row["id"]]
    more = [row for row in one["undecided"] if row["id"]]
    lines = []
    for said, listed, count in (("", rows, one["violations"]), ("unclear: ", more, one["unclear"])):
        if not listed:
            continue
        shown = [
            [
                printable(row["id"]),
                printable(row["left"]),
                printable(row["right"]),
                printable(", ".join(row["actions"])),
            ]
            for row in listed[:MOST_SHOWN]
        ]
        heads = ["id", printable(one["left"]), printable(one["right"]), "counted"]
        lines += ["", f"  {printable(one['service'])}: {said}{printable(one['invariant'])}"]
        lines += table(heads, shown, left=4, indent="    ")
        if count > len(shown):
            lines.append(f"    … {count} in all: summary.json")
    return lines
