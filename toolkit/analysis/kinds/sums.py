"""The totals of a load of which there are only sums."""

from __future__ import annotations

from typing import Any

_TIMES = ("mean", "p50", "p95", "p99", "max")


def kind_of_sums(entry: dict[str, Any]) -> dict[str, Any]:
    """As `kind_summary`; an answer of 400 or above is a failure, as of single requests."""
    refused = sum(count for status, count in entry["codes"].items() if status[:1] in ("4", "5"))
    failed = refused + sum(entry["errors"].values())
    workers = f" of {entry['workers']} workers" if entry["workers"] else ""
    return {
        "kind": "load",
        "totals": {
            "requests": entry["requests"],
            "succeeded": entry["requests"] - failed,
            "failed": failed,
            "cut_off": 0,
            "run_time_s": entry["duration_s"],
            "sizes_bytes": dict.fromkeys(("median", "mean", "mode")),
            "times_ms": {"median": entry["p50_ms"], "mean": entry["mean_ms"], "mode": None},
        },
        "sentences": [f"These are Artillery's own sums{workers}; there are no single requests."],
        "tables": [
            {
                "title": "Requests answered, response time in ms (by Artillery's sketches, to about 1 %)",
                "head": ["", "answered", *_TIMES],
                "rows": [
                    [row["name"], str(row["count"]), *(_written(row[f"{one}_ms"]) for one in _TIMES)]
                    for row in entry["names"]
                ],
            }
        ],
        "figures": {},
    }


def _written(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
