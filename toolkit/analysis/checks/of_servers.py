"""Checks on what was watched on the servers."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from toolkit.analysis.checks.measured import Given, Measured
from toolkit.analysis.database import has_table, rows
from toolkit.checks.series import (
    FEWEST_FOR_SLOPE,
    SECOND_NS,
    statistic_of,
    worst_window,
)
from toolkit.checks.tags import fits, matching
from toolkit.checks.units import window_text
from toolkit.checks.words import suggestion
from toolkit.recording.metric_fields import HOST, PROCESS, SERVICE

if TYPE_CHECKING:
    from toolkit.checks.check import Check
    from toolkit.checks.series import Sample

    Span = tuple[int, int]

_SCOPES = {"host": HOST, "service": SERVICE, "workers": PROCESS, "worker": PROCESS}


def measure(check: Check, given: Given) -> Measured:
    """The check's statistic of each server, or each of its workers; the worst decides and is named."""
    scope, _, name = check.quantity.measure.partition(".")
    asked = {
        "scope": "process" if scope.startswith("worker") else scope,
        "names": ["cpu_user", "cpu_system"] if name == "cpu" else [name],
        "each": scope == "worker",
    }
    scale = 100.0 if name != "cpu" and _SCOPES[scope][name].unit == "s" else 1.0
    found = rows(given.connection, "check_metrics", asked) if has_table(given.connection, "metrics") else []
    if not found:
        return Measured(problem="this was not measured on any server")
    try:
        servers, spans = _servers(check, found), _spans(check, given, found)
    except LookupError as error:
        return Measured(problem=str(error))
    measured = []
    for (server, pid), group in groupby(found, key=lambda row: (row["server"], row["pid"])):
        if server not in servers:
            continue
        samples = [(row["t_ns"], row["value"] * scale) for row in group]
        where = (server if len({row["server"] for row in found}) > 1 else "") + (
            f" worker {pid}" if pid else ""
        )
        measured += [
            _of_series(check, [one for one in samples if span[0] <= one[0] <= span[1]], span, where.strip())
            for span in spans
        ]
    return _worst(check, measured)


def measure_deaths(check: Check, given: Given) -> Measured:
    """How many workers ended."""
    events = rows(given.connection, "check_lives") if has_table(given.connection, "worker_events") else []
    watched = [event for event in events if event["what"] == "there"]  # of a server that was watched some are
    if not watched:
        return Measured(problem="no server's workers were watched")
    try:
        servers, spans = _servers(check, watched), _spans(check, given, watched)
    except LookupError as error:
        return Measured(problem=str(error))
    wanted = check.tag("cause")
    deaths: list[Sample] = [
        (row["t_ns"], 1.0)
        for row in events
        if row["what"] == "died"
        and row["server"] in servers
        and (wanted is None or fits("cause", wanted, [row["cause"]]))
    ]
    return _worst(
        check,
        [
            _of_series(check, [one for one in deaths if span[0] <= one[0] <= span[1]], span, "")
            for span in spans
        ],
    )


def _servers(check: Check, found: list[dict[str, Any]]) -> list[str]:
    known = sorted({row["server"] for row in found})
    wanted = check.tag("server")
    servers = known if wanted is None else matching("server", wanted, known)
    if not servers:
        raise LookupError(f"no server is called {wanted!r}; {suggestion(wanted or '', known)}")
    return servers


def _spans(check: Check, given: Given, found: list[dict[str, Any]]) -> list[Span]:
    """When the values count: during the phases that the check names, else from the first to the last request, else always."""
    wanted = check.tag("phase")
    if wanted is None:
        totals = given.summary["totals"]
        first, last = totals["started_ns"], totals["ended_ns"]
        if first is not None and last is not None and first < last:
            return [(first, last)]
        times = [row["t_ns"] for row in found if row["t_ns"]] or [
            given.manifest.started_ns,
            given.manifest.ended_ns,
        ]
        return [(min(times), max(times))]
    names = matching("phase", wanted, [phase["name"] for phase in given.phases])
    if not names:
        known = [phase["name"] for phase in given.phases]
        raise LookupError(f"no phase is called {wanted!r}; {suggestion(wanted, known)}")
    # Scenario files have phases of one name side by side: what the server did then is told once.
    spans = sorted((phase["start_ns"], phase["end_ns"]) for phase in given.phases if phase["name"] in names)
    merged = spans[:1]
    for start, end in spans[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _of_series(check: Check, samples: list[Sample], span: Span, where: str) -> Measured:
    seconds = (span[1] - span[0]) / SECOND_NS
    if check.window_s is None:
        value = statistic_of(samples, check.statistic, seconds)
        if value is None and check.statistic == "slope" and samples:
            return Measured(
                problem=f"{len(samples)} values are too few for a slope; it needs {FEWEST_FOR_SLOPE}"
            )
        if value is None:
            return Measured(problem="no value was measured in this time")
        return Measured(value, len(samples), where=where)
    if check.window_s > seconds:
        return Measured(
            problem=f"a window of {window_text(check.window_s)} is longer than what was measured ({seconds:.1f} s)"
        )
    window = worst_window(samples, check, *span)
    if window is None:
        return Measured(problem=f"no window of {window_text(check.window_s)} holds enough values")
    return Measured(window.value, window.samples, window.from_ns, window.to_ns, where)


def _worst(check: Check, measured: list[Measured]) -> Measured:
    """Of several that were measured the worst; what could not be measured decides only where nothing could."""
    known = [one for one in measured if one.value is not None]
    if not known:
        return measured[0] if measured else Measured(problem="no value was measured in this time")
    if check.statistic == "count" and check.window_s is None:
        return Measured(sum(one.value or 0 for one in known), sum(one.samples for one in known))
    return max(known, key=lambda one: check.badness(one.value or 0.0))
