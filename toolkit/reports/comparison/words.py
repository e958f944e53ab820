"""Numbers and verdicts of a comparison as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.comparison.judging import BETTER, SAME, UNKNOWN, WORSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Row = dict[str, Any]

CHANGED = (WORSE, BETTER)
_SCALES = {
    "ms": (1.0, "ms"),
    "s": (1000.0, "ms"),
    "s/request": (1000.0, "ms/request"),
    "s/second": (1.0, "s/s"),
    "bytes": (1e-6, "MB"),
    "/s": (1.0, "/s"),
    "connections": (1.0, ""),
}


def value(number: float | None, unit: str) -> str:
    """`23.4 ms`, `0.12 %`, `-`."""
    if number is None:
        return "–"
    if unit == "":
        return f"{number * 100:.3g} %" if number else "0 %"
    factor, words = _SCALES[unit]
    return f"{_digits(number * factor)} {words}".rstrip()


def difference(row: Row) -> str:
    """`+12.3 %`, or in its own unit where a part of the base says nothing."""
    if row["difference"] is None:
        return "–"
    if _in_parts(row):
        return signed_percent(row["relative"])
    return _signed(row["difference"], row["unit"])


def interval(row: Row) -> str:
    """`+8.1 % … +16.9 %`."""
    if row["interval"] is None:
        return ""
    if _in_parts(row) and row["relative_interval"] is not None:
        low, high = map(signed_percent, row["relative_interval"])
    else:
        low, high = (_signed(one, row["unit"]) for one in row["interval"])
    return f"{low} … {high}"


def signed_percent(part: float) -> str:
    """`+12.3 %`, `−0.4 %`."""
    percent = part * 100
    digits = 0 if abs(percent) >= 100 else 1
    text = f"{abs(percent):,.{digits}f}"
    sign = "" if float(text.replace(",", "")) == 0 else "+" if percent > 0 else "−"
    return f"{sign}{text} %"


def thing(row: Row) -> str:
    """Whose it is: a request name, or a server."""
    return str(row["name"]) if row["of"] == "request" else f"server {row['server']}"


def place(row: Row) -> str:
    """Its phase, with the load where there are several."""
    return str(row["phase"]) or "(no phase)"


def headline(content: dict[str, Any]) -> str:
    """One line that a developer at a deploy understands at once."""
    rows = content["comparisons"]
    forced = "; forced" if content["forced"] else ""
    tail = f"{forced}; exit {content['exit_code']}"
    if content["nothing_in_common"]:
        return f"no verdict: no request name and phase is in both{tail}"
    if not rows:
        return f"no verdict: no requests to compare, functions only{tail}"
    counts, verdict = content["counts"], content["verdict"]
    changed = counts[WORSE] + counts[BETTER]
    unjudged = f", {counts[UNKNOWN]} without enough data" if counts[UNKNOWN] else ""
    if verdict in CHANGED:
        first = foremost(row for row in rows if row["verdict"] == verdict)
        return (
            f"{verdict}: {thing(first)} {first['label']} {difference(first)} [{interval(first)}]; "
            f"{changed} of {len(rows)} comparisons {'differ' if changed != 1 else 'differs'}{unjudged}{tail}"
        )
    if verdict == SAME:
        return f"no difference: none of {len(rows)} comparisons differs{unjudged}{tail}"
    return (
        f"not enough data: none of {len(rows)} comparisons could be judged ({most_common_reason(rows)}){tail}"
    )


def functions_unchanged(rows: Sequence[Row]) -> str:
    """Where no function was found to gain or lose time: whether that is known of all of them."""
    if all(row["verdict"] == UNKNOWN for row in rows):
        return f"Of none of {len(rows)} can it be told whether it gained or lost time ({most_common_reason(rows)})."
    return f"None of {len(rows)} was found to gain or lose time. {functions_open(rows)}".rstrip()


def functions_open(rows: Sequence[Row]) -> str:
    """Of how many functions it cannot be told, with the largest of them; empty where there is none."""
    unknown = [row for row in rows if row["verdict"] == UNKNOWN]
    if not unknown:
        return ""
    largest = max(unknown, key=lambda row: abs(row["difference"] or 0.0))
    said = f"Of {len(unknown)} it cannot be told ({most_common_reason(unknown)})"
    if largest["difference"] is None:
        return f"{said}."
    of_it = f", interval {interval(largest)}" if interval(largest) else ""
    return f"{said}, with the largest difference in {largest['function']}: {difference(largest)}{of_it}."


def foremost(rows: Iterable[Row]) -> Row:
    """The one to name: of requests before servers, the most certain."""
    return min(rows, key=lambda row: (row["of"] != "request", row["p_corrected"], row["p"]))


def most_common_reason(rows: Iterable[Row]) -> str:
    """Why most of them could not be judged."""
    reasons = [row["why"] for row in rows if row["verdict"] == UNKNOWN]
    return max(dict.fromkeys(reasons), key=reasons.count, default="")


def _in_parts(row: Row) -> bool:
    return row["relative"] is not None and row["unit"] not in ("", "connections")


def _signed(number: float, unit: str) -> str:
    sign = "+" if number > 0 else "−" if number < 0 else ""
    if unit == "":
        return f"{sign}{abs(number) * 100:.3g} points" if number else "0"
    return sign + value(abs(number), unit)


def _digits(number: float) -> str:
    size = abs(number)
    if size >= 1000:
        return f"{number:,.0f}"
    return f"{number:.{1 if size >= 100 else 2 if size >= 1 else 3}f}"
