"""`summary["load_kind"]`: the totals of a load, and what its kind was made to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.kinds import capacity, endurance, smoke, spike, stress
from toolkit.analysis.kinds.shown import Shown
from toolkit.analysis.kinds.sums import kind_of_sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.analysis.checks.measured import Given

_OF_KIND: dict[str, Callable[[Given], Shown]] = {
    "stress": stress.show,
    "endurance": endurance.show,
    "spike": spike.show,
    "smoke": smoke.show,
    "capacity": capacity.show,
}
_TOTALS = {
    "sizes": ("bytes_in_median", "bytes_in_mean", "bytes_in_mode"),
    "times": ("p50_ms", "mean_ms", "mode_ms"),
}


def kind_summary(given: Given) -> dict[str, Any]:
    """`{"kind", "totals": {"requests", "succeeded", "failed", "cut_off", "run_time_s", "sizes_bytes": {"median",
    "mean", "mode"}, "times_ms": the same}, "sentences", "tables": [{"title", "head", "rows"}] in words, "figures": of the kind,
    as its file says}`. `cut_off` were under way when the load was stopped, and are not counted as failed.

    `kind` is empty where no request was recorded.
    """
    totals, shape = given.summary["totals"], given.manifest.shape
    if not totals["count"] and given.summary.get("aggregates"):
        return kind_of_sums(given.summary["aggregates"][0])
    if not totals["count"]:
        return {"kind": "", "totals": {}, "sentences": [], "tables": [], "figures": {}}
    kind = str(shape.get("kind") or "load")
    cut_off = sum(row["requests"] for row in rows(given.connection, "kind_cut"))
    shown = _OF_KIND[kind](given) if kind in _OF_KIND else Shown()
    return {
        "kind": kind,
        "totals": {
            "requests": totals["count"],
            "succeeded": totals["count"] - totals["failed"],
            "failed": totals["failed"] - cut_off,
            "cut_off": cut_off,
            "run_time_s": totals["duration_s"],
            "sizes_bytes": _three(totals, "sizes"),
            "times_ms": _three(totals, "times"),
        },
        "sentences": [*_cut(given), *shown.sentences],
        "tables": [{"title": one.title, "head": one.head, "rows": one.rows} for one in shown.tables],
        "figures": shown.figures,
    }


def _three(totals: dict[str, Any], of: str) -> dict[str, Any]:
    return dict(zip(("median", "mean", "mode"), (totals.get(key) for key in _TOTALS[of]), strict=True))


def _cut(given: Given) -> list[str]:
    """A stress is shorter than planned where it does what it is for."""
    levels = given.manifest.shape.get("levels") or []
    if not levels or given.manifest.shape.get("kind") == "stress":
        return []
    planned_s = max(
        sum(one["planned_s"] for one in levels if one["load"] == load)
        for load in {one["load"] for one in levels}
    )
    lasted_s = given.summary["totals"]["duration_s"] or 0.0
    if lasted_s >= 0.9 * planned_s or given.manifest.outcome == "passed":
        return []
    return [
        f"The run was cut short: {lasted_s:.0f} s of {planned_s:.0f} s planned; all figures are of what was recorded."
    ]
