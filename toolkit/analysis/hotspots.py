"""Where the sampled time went, function by function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.frames import Function, Owner, function_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_APPLICATION_ROWS = 25
_OTHER_ROWS = 15


class _Time:
    """Milliseconds of one function."""

    __slots__ = ("own", "self_", "total")

    def __init__(self) -> None:
        self.self_ = self.own = self.total = 0.0


def hotspots(stacks: Iterable[tuple[tuple[str, ...], float]]) -> dict[str, Any]:
    """Times per function, lines and recursion added up, of (frames from root to leaf, milliseconds).

    `self_s`: it was the leaf. `own_s`: it was the application's innermost function, so that what it has libraries, the
    framework and the server do counts as its own. `total_s`: it was anywhere. Percentages are of all time given.

    Returns:
        `application` by own time, `other` (libraries and standard library) by self time, and `server_percent`: time in which no
        function of the application was on the stack, `application_percent`: the rest.
    """
    times: dict[Function, _Time] = {}
    total = outside = 0.0
    for frames, ms in stacks:
        functions = [function_of(frame) for frame in frames]
        total += ms
        for function in set(functions):
            times.setdefault(function, _Time()).total += ms
        if functions:
            times[functions[-1]].self_ += ms
        innermost = next((one for one in reversed(functions) if one.owner is Owner.APPLICATION), None)
        if innermost is None:
            outside += ms
        else:
            times[innermost].own += ms
    application = [
        (function, time) for function, time in times.items() if function.owner is Owner.APPLICATION
    ]
    other = [
        (function, time)
        for function, time in times.items()
        if function.owner in (Owner.LIBRARY, Owner.STANDARD) and time.self_ > 0
    ]
    application.sort(key=lambda item: (-item[1].own, -item[1].total, item[0].name, item[0].file))
    other.sort(key=lambda item: (-item[1].self_, -item[1].total, item[0].name, item[0].file))
    return {
        "application_percent": _percent(total - outside, total),
        "server_percent": _percent(outside, total),
        "application": [_row(*item, total) for item in application[:_APPLICATION_ROWS]],
        "other": [_row(*item, total) for item in other[:_OTHER_ROWS]],
    }


def _row(function: Function, time: _Time, total: float) -> dict[str, Any]:
    return {
        "function": function.name,
        "file": function.short_file,
        "owner": function.owner.value,
        "own_s": round(time.own / 1000, 3),
        "own_percent": _percent(time.own, total),
        "self_s": round(time.self_ / 1000, 3),
        "self_percent": _percent(time.self_, total),
        "total_s": round(time.total / 1000, 3),
        "total_percent": _percent(time.total, total),
    }


def _percent(part: float, whole: float) -> float | None:
    return round(part / whole * 100, 2) if whole else None
