"""Endurance: memory, descriptors, threads, latency and failures over time, each with its slope.

`figures`: `{"from_ns", "to_ns" (without the ramp-up), "slopes": [{"of" (a server, or "load"), "name", "unit", "first", "last",
"per_hour", "error_per_hour" (standard error of the slope), "points"}], "over_time": [{"t_s" (from the first request), …}]}`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.kinds.shown import Shown, Table, ms, percent, phases_with_role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.analysis.checks.measured import Given

Row = dict[str, Any]
_POINTS, _SHOWN = 60, 12
_FEWEST = 5
"""Pieces of time with a value; of fewer no slope is told."""
_SURE = 2.0
"""A slope of fewer standard errors is none that can be told from chance."""


@dataclass(frozen=True)
class _Quantity:
    name: str
    words: str
    unit: str
    written: Callable[[float | None], str]


def _mib(value: float | None) -> str:
    return "–" if value is None else f"{value / 2**20:,.1f} MiB"


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


_HELD = (
    _Quantity("rss", "memory", "bytes", _mib),
    _Quantity("descriptors", "descriptors", "descriptors", _count),
    _Quantity("threads", "threads", "threads", _count),
)
_OF_LOAD = (
    _Quantity("p50_ms", "p50", "ms", ms),
    _Quantity("p95_ms", "p95", "ms", ms),
    _Quantity("failed_percent", "failures", "percent", percent),
)


def show(given: Given) -> Shown:
    """All of it without the ramp-up, where requests were recorded after it; what was recorded of a run that was cut."""
    totals = given.summary["totals"]
    steady = phases_with_role(given, "steady")
    from_ns = max((one["start_ns"] for one in steady if one["count"]), default=totals["started_ns"])
    asked = {"from_ns": from_ns, "to_ns": totals["ended_ns"] + 1, "points": _POINTS}
    columns = _columns(given, asked)
    slopes = [found for key, values in columns.items() if (found := _slope(key, values, asked)) is not None]
    figures = {
        "from_ns": from_ns,
        "to_ns": totals["ended_ns"],
        "slopes": [{key: value for key, value in one.items() if key != "quantity"} for one in slopes],
        "over_time": _over_time(columns, asked, totals["started_ns"]),
    }
    if not slopes:
        return Shown(["Too little was recorded for slopes."], [], figures)
    tables = [_slope_table(slopes), _time_table(columns, asked, totals["started_ns"])]
    return Shown(_words(slopes, given), tables, figures)


Key = tuple[str, _Quantity]


def _columns(given: Given, asked: Row) -> dict[Key, dict[int, float]]:
    """Of each quantity, piece → value."""
    found: dict[Key, dict[int, float]] = {}
    for row in rows(given.connection, "kind_pieces", asked):
        row["failed_percent"] = row["failed"] / row["requests"] * 100
        for quantity in _OF_LOAD:
            if row[quantity.name] is not None:
                found.setdefault(("load", quantity), {})[row["piece"]] = row[quantity.name]
    by_name = {quantity.name: quantity for quantity in _HELD}
    for row in rows(given.connection, "kind_held", asked):
        found.setdefault((row["server"], by_name[row["name"]]), {})[row["piece"]] = row["value"]
    order = [*_HELD, *_OF_LOAD]
    return dict(
        sorted(found.items(), key=lambda item: (item[0][0] == "load", item[0][0], order.index(item[0][1])))
    )


def _slope(key: Key, values: dict[int, float], asked: Row) -> Row | None:
    if len(values) < _FEWEST:
        return None
    piece_h = (asked["to_ns"] - asked["from_ns"]) / _POINTS / 3.6e12
    per_hour, error = fitted([at * piece_h for at in values], list(values.values()))
    ordered = [values[at] for at in sorted(values)]
    of, quantity = key
    return {
        "of": of,
        "name": quantity.words,
        "unit": quantity.unit,
        "first": round(ordered[0], 3),
        "last": round(ordered[-1], 3),
        "per_hour": round(per_hour, 3),
        "error_per_hour": round(error, 3),
        "points": len(values),
        "quantity": quantity,
    }


def fitted(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Slope of the straight line that fits best, and its standard error; at least three points."""
    count = len(times)
    mean_t, mean_v = sum(times) / count, sum(values) / count
    spread = sum((one - mean_t) ** 2 for one in times)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in zip(times, values, strict=True)) / spread
    left = sum((v - mean_v - slope * (t - mean_t)) ** 2 for t, v in zip(times, values, strict=True))
    return slope, math.sqrt(left / (count - 2) / spread)


def _words(slopes: list[Row], given: Given) -> list[str]:
    growing = [
        one for one in slopes if one["per_hour"] > _SURE * one["error_per_hour"] and one["per_hour"] > 0
    ]
    said = [
        f"{_whose(one)} grew, from {one['quantity'].written(one['first'])} to {one['quantity'].written(one['last'])}."
        for one in growing
    ]
    if not growing:
        said.append("Nothing that was looked at grew by more than chance explains.")
    if not any(one["of"] != "load" for one in slopes):
        said.append("No server was watched: profile-and-load shows memory, descriptors and threads too.")
    lasted_s = given.summary["totals"]["duration_s"] or 0.0
    if lasted_s < 600:
        said.append(f"{lasted_s:.0f} s are short: caches and pools that fill look like growth.")
    return said


def _whose(one: Row) -> str:
    return f"{one['name'].capitalize()} of {'the answers' if one['of'] == 'load' else one['of']}"


def _slope_table(slopes: list[Row]) -> Table:
    body = [
        [
            _whose(one),
            one["quantity"].written(one["first"]),
            one["quantity"].written(one["last"]),
            _signed(one),
            f"± {one['quantity'].written(one['error_per_hour'])}",
        ]
        for one in slopes
    ]
    return Table(
        "Slopes after the ramp-up (of the straight line that fits best; ±: its standard error)",
        ["", "at first", "at last", "an hour", ""],
        body,
    )


def _signed(one: Row) -> str:
    words: str = one["quantity"].written(abs(one["per_hour"]))
    return f"-{words}" if one["per_hour"] < 0 else words


def _over_time(columns: dict[Key, dict[int, float]], asked: Row, zero_ns: int) -> list[Row]:
    return [
        {"t_s": _at_s(piece, asked, zero_ns)}
        | {
            f"{of}: {quantity.words}": round(values[piece], 3)
            for (of, quantity), values in columns.items()
            if piece in values
        }
        for piece in range(_POINTS)
        if any(piece in values for values in columns.values())
    ]


def _at_s(piece: int, asked: Row, zero_ns: int) -> float:
    piece_ns: int = (asked["to_ns"] - asked["from_ns"]) // _POINTS
    since_ns: int = asked["from_ns"] - zero_ns + piece * piece_ns
    return round(since_ns / 1e9, 1)


def _time_table(columns: dict[Key, dict[int, float]], asked: Row, zero_ns: int) -> Table:
    """Of all pieces every fifth is shown; summary.json has all."""
    body = []
    for piece in range(0, _POINTS, _POINTS // _SHOWN):
        if any(piece in values for values in columns.values()):
            cells = [quantity.written(values.get(piece)) for (_, quantity), values in columns.items()]
            body.append([f"{_at_s(piece, asked, zero_ns):,.0f} s", *cells])
    head = [quantity.words if of == "load" else f"{of} {quantity.words}" for of, quantity in columns]
    return Table("Over time", ["from", *head], body)
