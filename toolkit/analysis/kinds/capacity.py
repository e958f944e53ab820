"""A capacity: how long so many clients took for so many repetitions, and how much more the service did for more of them.

`figures`: `{"rows": [{"scenario", "load", "clients", "repetitions" (of each client), "replicas" (or None), "time_s",
"completed", "succeeded", "per_s" (completed), "speed_up" (against the scenario's first row), "median_ms", "longest_ms",
"limit_s", "in_time"}],
"best": {scenario: {"clients", "replicas", "per_s"}}}`; None where nothing was recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.kinds.shown import Shown, Table, ms

if TYPE_CHECKING:
    from toolkit.analysis.checks.measured import Given

Row = dict[str, Any]
_FLAT = 1.1
"""Less gain than this, from one row to the next, is none worth more clients."""


def show(given: Given) -> Shown:
    """A row for each number of clients and replicas."""
    recorded = {row["load"]: row for row in rows(given.connection, "kind_repetitions")}
    made = [_row(cell, recorded.get(cell["load"])) for cell in given.manifest.shape.get("cells") or []]
    scenarios = list(dict.fromkeys(row["scenario"] for row in made))
    first = {
        name: next((row for row in made if row["scenario"] == name and row["per_s"]), None)
        for name in scenarios
    }
    for row in made:
        begun = first[row["scenario"]]
        row["speed_up"] = round(row["per_s"] / begun["per_s"], 2) if begun and row["per_s"] else None
    best = {name: _best([row for row in made if row["scenario"] == name]) for name in scenarios}
    sentences = [
        sentence for name in scenarios for sentence in _words(name, best[name], made, len(scenarios) > 1)
    ]
    return Shown(sentences, [_table(made)] if made else [], {"rows": made, "best": best})


def _row(cell: Row, recorded: Row | None) -> Row:
    found = recorded or {}
    time_s, completed = found.get("time_s"), found.get("completed") or 0
    return {
        **cell,
        "time_s": None if time_s is None else round(time_s, 3),
        "completed": completed,
        "succeeded": found.get("succeeded") or 0,
        "per_s": round(completed / time_s, 3) if time_s and completed else None,
        "median_ms": found.get("median_ms"),
        "longest_ms": found.get("longest_ms"),
        "in_time": completed == cell["clients"] * cell["repetitions"],
    }


def _best(made: list[Row]) -> Row | None:
    """The first row from which on nothing is gained that is worth it."""
    chosen: Row | None = None
    for row in made:
        if row["per_s"] and (chosen is None or row["per_s"] > _FLAT * chosen["per_s"]):
            chosen = row
    return chosen and {key: chosen[key] for key in ("clients", "replicas", "per_s")}


def _words(name: str, best: Row | None, made: list[Row], several: bool) -> list[str]:
    own = [row for row in made if row["scenario"] == name]
    of = f"{name}: " if several else ""
    words = []
    if best is None:
        words.append(f"{of}No repetition came to its end.")
    elif len([row for row in own if row["per_s"]]) > 1:
        last = [row for row in own if row["per_s"]][-1]
        highest = all(best[key] == last[key] for key in best)
        more = "more was not tried." if highest else f"no later row does {(_FLAT - 1) * 100:.0f} % more."
        words.append(f"{of}Most with {_setting(best)}: {_rate(best['per_s'])} repetitions a second; {more}")
    late = [row for row in own if row["completed"] and not row["in_time"]]
    words += [
        f"{of}With {_setting(row)}, {row['completed']:,} of {row['clients'] * row['repetitions']:,} repetitions were completed "
        f"within {row['limit_s']:g} s."
        for row in late
    ]
    failed = sum(row["completed"] - row["succeeded"] for row in own)
    if failed:
        words.append(
            f"{of}{failed:,} of {sum(row['completed'] for row in own):,} completed repetitions failed."
        )
    missing = [row for row in own if not row["completed"] and row["time_s"] is None]
    if missing and len(missing) < len(own):
        words.append(f"{of}Not begun: {', '.join(_setting(row) for row in missing)}.")
    return words


def _setting(row: Row) -> str:
    clients = "1 client" if row["clients"] == 1 else f"{row['clients']} clients"
    if row["replicas"] is None:
        return clients
    return f"{clients} and {row['replicas']} replica{'' if row['replicas'] == 1 else 's'}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(made: list[Row]) -> Table:
    head = [
        "clients",
        "repetitions",
        "replicas",
        "time",
        "completed",
        "succeeded",
        "/sec",
        "speed-up",
        "median",
        "longest",
    ]
    several = len({row["scenario"] for row in made}) > 1
    scaled = any(row["replicas"] is not None for row in made)
    shown = [
        [
            f"{row['scenario']}: {row['clients']}" if several else str(row["clients"]),
            f"{row['repetitions']:,}",
            *([str(row["replicas"] or "–")] if scaled else []),
            "–" if row["time_s"] is None else f"{row['time_s']:.1f} s",
            f"{row['completed']:,}",
            f"{row['succeeded']:,}",
            "–" if row["per_s"] is None else _rate(row["per_s"]),
            "–" if row["speed_up"] is None else f"{row['speed_up']:.2f}",
            ms(row["median_ms"]),
            ms(row["longest_ms"]),
        ]
        for row in made
    ]
    return Table(
        "Clients that repeat the whole scenario (repetitions: of each client; speed-up: against the first row)",
        head if scaled else [word for word in head if word != "replicas"],
        shown,
    )
