"""Checks on the load's records, by SQL: they may be millions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.checks.chosen import chosen
from toolkit.analysis.checks.measured import Given, Measured
from toolkit.analysis.checks.sliding import Bounds, fine_edge, quantile_bounds
from toolkit.analysis.database import rows
from toolkit.checks.series import FEWEST, SECOND_NS, fewest_of
from toolkit.checks.units import window_text

if TYPE_CHECKING:
    from toolkit.analysis.checks.sliding import Counted
    from toolkit.checks.check import Check

_FOREVER_NS = 2**62
_FAR = 1e15
"""No value is below minus this."""
_MOST_EXACT = 8
"""Windows that are measured; those that are left differ from the worst by a hundred-thousandth."""


def measure(check: Check, given: Given) -> Measured:
    """The check's statistic of the requests that it means, of all or of the worst window."""
    try:
        asked = chosen(check, given.kinds)
    except LookupError as error:
        return Measured(problem=str(error))
    (whole,) = rows(given.connection, "check_value", asked)
    if not whole["samples"]:
        return Measured(problem="no request was recorded that has this value")
    if check.window_s:
        return _in_windows(check, given, asked, whole)
    value = _of_all(check, given, asked, whole)
    if value is None:
        return Measured(problem=f"{whole['samples']} requests are too few for it")
    return Measured(value, whole["samples"])


def _of_all(check: Check, given: Given, asked: dict[str, Any], whole: dict[str, Any]) -> float | None:
    if check.quantile is not None:
        return _quantile(check, given, asked, 0, _FOREVER_NS)[0]
    seconds = (whole["to_ns"] - whole["from_ns"]) / SECOND_NS
    found: float | None = {
        "count": whole["total"],
        "rate": whole["mean"] * 100,
        "per_s": whole["total"] / seconds if seconds > 0 else None,
        "mean": whole["mean"],
        "min": whole["min"],
        "max": whole["max"],
        "stdev": whole["stdev"],
    }[check.statistic]
    return found


def _in_windows(check: Check, given: Given, asked: dict[str, Any], whole: dict[str, Any]) -> Measured:
    seconds, window = (whole["to_ns"] - whole["from_ns"]) // SECOND_NS, check.window_s or 0
    if seconds < window:
        return Measured(
            problem=f"a window of {window_text(window)} is longer than what was measured "
            f"({(whole['to_ns'] - whole['from_ns']) / SECOND_NS:.1f} s)"
        )
    looked = {**asked, "from_ns": whole["from_ns"]}
    seconds += (
        check.high_is_bad
    )  # the last, which is not whole, may hold what is slow, and says nothing of what is too little
    if check.quantile is not None:
        found = _worst_quantile(check, given, looked, seconds)
    else:
        windows = rows(given.connection, "check_seconds", {**looked, "seconds": seconds, "window": window})
        judged = [(_of_window(check, row), row) for row in windows if row["samples"] >= fewest_of(check)]
        value, row = max(judged, key=lambda one: check.badness(one[0]), default=(None, {}))
        found = (value, row.get("first", 0), row.get("samples", 0))
    value, first, samples = found
    if value is None:
        return Measured(
            problem=f"no window of {window_text(window)} holds {FEWEST} requests: name a longer one"
        )
    from_ns = whole["from_ns"] + first * SECOND_NS
    return Measured(value, int(samples), from_ns, from_ns + window * SECOND_NS)


def _of_window(check: Check, row: dict[str, Any]) -> float:
    if check.statistic == "count":
        return float(row["total"])
    if check.statistic == "per_s":
        return float(row["total"]) / (check.window_s or 1)
    if check.statistic in ("min", "max"):
        return float(row["low"] if check.statistic == "min" else row["high"])
    share = 100.0 if check.statistic == "rate" else 1.0
    return float(row["total"]) / float(row["samples"]) * share


def _worst_quantile(
    check: Check, given: Given, looked: dict[str, Any], seconds: int
) -> tuple[float | None, int, int]:
    """Coarse bins say about how bad the worst window is, fine ones around there which windows it may be; these are measured."""
    window, quantile = check.window_s or 0, check.quantile or 0.0
    coarse = list(quantile_bounds(_counted(given, "check_bins", looked), window, seconds, quantile))
    if not coarse:
        return None, 0, 0
    worst_of = max if check.high_is_bad else min
    low, high = worst_of(one.low for one in coarse), worst_of(one.high for one in coarse)
    low = max(low, -_FAR)
    counted = _counted(given, "check_fine_bins", {**looked, "low": low, "high": high})
    fine = quantile_bounds(counted, window, seconds, quantile, fine_edge(low, high))

    def hope(bounds: Bounds) -> float:
        return bounds.high if check.high_is_bad else -bounds.low

    worst: tuple[float | None, int, int] = (None, 0, 0)
    for bounds in sorted(fine, key=hope, reverse=True)[:_MOST_EXACT]:
        if worst[0] is not None and hope(bounds) <= check.badness(worst[0]):
            break
        from_ns = looked["from_ns"] + bounds.first * SECOND_NS
        value, samples = _quantile(check, given, looked, from_ns, from_ns + window * SECOND_NS)
        if value is not None and (worst[0] is None or check.badness(value) > check.badness(worst[0])):
            worst = (value, bounds.first, samples)
    return worst


def _counted(given: Given, name: str, looked: dict[str, Any]) -> Counted:
    found: Counted = {}
    for row in rows(given.connection, name, looked):
        found.setdefault(row["t"], {})[row["bin"]] = row["samples"]
    return found


def _quantile(
    check: Check, given: Given, asked: dict[str, Any], from_ns: int, to_ns: int
) -> tuple[float | None, int]:
    parameters = {**asked, "quantile": check.quantile, "from_ns": from_ns, "to_ns": to_ns}
    (row,) = rows(given.connection, "check_quantile", parameters)
    return row["value"], row["samples"]
