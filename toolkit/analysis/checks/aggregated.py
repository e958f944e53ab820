"""Checks of a load of which there are only sums: what can be said of them, and why not of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.checks.measured import Measured

if TYPE_CHECKING:
    from toolkit.checks.check import Check

_TIMED = ("http", "requests")
_FAILURES = ("http.errors", "requests.errors")
_UNANSWERED = ("http.unanswered", "requests.unanswered")
_WHY = "there are only sums of this load, which do not tell it"


def of_sums(check: Check, entry: dict[str, Any]) -> Measured:
    """One value, of the whole load; windows, phases and names are not in the sums."""
    tags = dict(check.tags)
    answered, requests = int(entry["answered"]), int(entry["requests"])
    if check.window_s or tags.keys() - {"code"}:
        return Measured(problem=_WHY)
    name = check.quantity.name
    if name in _TIMED and not tags:
        value = entry.get(f"{check.statistic.replace('.', '')}_ms")
        return Measured(value, answered) if value is not None else Measured(problem=_WHY)
    count = _counted(name, tags.get("code"), entry)
    if count is None:
        return Measured(problem=_WHY)
    if check.statistic == "count":
        return Measured(count, requests)
    if check.statistic == "rate" and requests:
        return Measured(count / requests, requests)
    return Measured(problem=_WHY)


def _counted(name: str, code: str | None, entry: dict[str, Any]) -> int | None:
    errors: dict[str, int] = entry["errors"]
    codes: dict[str, int] = entry["codes"]
    if name in _UNANSWERED and code is None:
        return sum(errors.values())
    if name not in _FAILURES:
        return None
    failed = {status: count for status, count in codes.items() if status[:1] in ("4", "5")}
    if code is None:
        return sum(errors.values()) + sum(failed.values())
    return sum(count for status, count in failed.items() if status.startswith(code.replace("x", "")))
