"""Joins failed requests to the tracebacks and to the ends of workers that explain them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, product
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import query, rows
from toolkit.analysis.joins.by_time import CLOSED, LATE_NS, LATE_STATUSES, MOST_REPEATS
from toolkit.analysis.joins.spans import Crowd, Span, pair_in_turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from toolkit.analysis.building import Building

_MOST_REQUESTS = 500_000
_MARGIN_NS = 1_000_000
"""Added to the error of the clocks, which is measured twice in a run."""


@dataclass(frozen=True)
class Failure:
    """A failed request that no traceback has been found for."""

    key: int
    request_no: int
    start_ns: int
    end_ns: int
    line_ns: int | None
    """When its access line was written, at the latest."""
    late: bool
    method: str | None
    server: str | None
    outlasts: bool
    """The client did not wait for the server's answer."""
    server_failed: bool
    """Its access line says 5xx: a traceback is to be expected."""
    owes_line: bool
    """It has no access line, and would have one if a worker had been at it, but for what gunicorn itself handled."""


@dataclass(frozen=True)
class Traceback:
    """A traceback that no request has yet."""

    key: int
    trace_no: int
    low_ns: int
    high_ns: int
    method: str | None
    server: str
    fingerprint: str | None
    shared: bool
    """Nothing says that it ended a request, and several were under way."""
    lineless: bool
    """Its request may have no access line."""
    quoted: bool
    """It may be text that somebody logged."""


def join_tracebacks(
    building: Building, error_ns: int, sites: list[int | None], *, longest_ms: float, last_ns: int
) -> None:
    """Make `join_traced`: by id, then by path and time, then by time alone. Needs `join_covered` and `join_origins`.

    Args:
        building: what is built.
        error_ns: how far the clocks may differ.
        sites: the servers' sites, and None for where nobody knows.
        longest_ms: that anything took.
        last_ns: until when a request in work would have been logged.
    """
    connection = building.connection
    connection.execute(query("join_tracebacks"))
    connection.execute(query("join_traced"), {"most": MOST_REPEATS})
    margin = error_ns + _MARGIN_NS
    connection.execute(query("join_held"), {"margin_ns": margin})
    connection.execute(
        query("join_unexplained"),
        {"late": list(LATE_STATUSES), "closed": list(CLOSED), "longest_ms": longest_ms, "last_ns": last_ns},
    )
    for by_path, site in product((True, False), sites):
        asked: dict[str, Any] = {"by_path": by_path, "site": site}
        free = rows(connection, "join_free_tracebacks", {**asked, "repeats": MOST_REPEATS})
        tracebacks = [Traceback(*row.values()) for row in free]
        if not tracebacks:
            continue
        failures = [
            Failure(*row.values())
            for row in rows(connection, "join_untraced", {**asked, "most": _MOST_REQUESTS})
        ]
        found = _by_path(failures, tracebacks, margin) if by_path else _pair(failures, tracebacks, margin)
        path = building.scratch / "traced.csv"
        if _write(path, found, by_path=by_path):
            connection.execute(query("join_add_traced"), {"path": str(path)})
    connection.execute(query("join_near_traceback"), {"margin_ns": margin})


@dataclass(frozen=True)
class Traced:
    """A pair, how many tracebacks it could have been, whether these were all alike, and whether both could be no other's; neither
    where the traceback may be a quotation."""

    request_no: int
    trace_no: int
    candidates: int
    all_alike: bool
    alone: bool


def _by_path(failures: list[Failure], tracebacks: list[Traceback], margin: int) -> Iterator[Traced]:
    by_key: dict[int, list[Traceback]] = {}
    for traceback in tracebacks:
        by_key.setdefault(traceback.key, []).append(traceback)
    for key, its in groupby(failures, lambda failure: failure.key):
        yield from _pair(list(its), by_key.get(key, []), margin)


def _write(path: Path, found: Iterator[Traced], *, by_path: bool) -> bool:
    """One line a pair; a pair of the same path is likely where all that it could be are the same fault."""
    with path.open("w", encoding="ascii") as file:
        for one in found:
            likely = one.all_alike if by_path else one.alone
            file.write(f"{one.request_no},{one.trace_no},{one.candidates},{int(likely)}\n")
    return path.stat().st_size > 0


def _pair(failures: list[Failure], tracebacks: list[Traceback], margin: int) -> Iterator[Traced]:
    """Those first of which the server's own line says 5xx; then the others; then those that the client gave up."""

    def fits(failure: int, traceback: int) -> bool:
        one, other = failures[failure], tracebacks[traceback]
        if one.line_ns is None and (other.quoted or (one.owes_line and not other.lineless)):
            return False
        return (one.method is None or other.method is None or one.method == other.method) and (
            one.server is None or one.server == other.server
        )

    whole: list[Span | None] = [_window(failure, margin) for failure in failures]
    late: list[Span | None] = [
        (window[0], window[1] + LATE_NS) if failure.late and window else None
        for failure, window in zip(failures, whole, strict=True)
    ]
    failed_there: list[Span | None] = [
        window if failure.server_failed else None for failure, window in zip(failures, whole, strict=True)
    ]
    spans: list[Span | None] = [(one.low_ns, one.high_ns) for one in tracebacks]
    crowd, alike = Crowd(spans), _crowds(tracebacks)
    stages = (failed_there, whole, late)
    rivals = [Crowd(windows) for windows in stages]
    for stage, failure, traceback in pair_in_turn(stages, spans, fits):
        window, one = stages[stage][failure], tracebacks[traceback]
        candidates = crowd.meeting(window)
        yield Traced(
            failures[failure].request_no,
            one.trace_no,
            candidates,
            candidates == alike[one.fingerprint].meeting(window) and not one.quoted,
            candidates == rivals[stage].meeting(spans[traceback]) == 1 and not one.shared and not one.quoted,
        )


def _window(failure: Failure, margin: int) -> Span:
    """A traceback is written before the answer, or, where the client did not wait for that, before the access line."""
    end_ns = failure.end_ns
    if failure.outlasts and failure.line_ns is not None:
        end_ns = max(end_ns, failure.line_ns)
    return failure.start_ns - margin, end_ns + margin


def _crowds(tracebacks: list[Traceback]) -> dict[str | None, Crowd]:
    by_fingerprint: dict[str | None, list[Span | None]] = {}
    for one in tracebacks:
        by_fingerprint.setdefault(one.fingerprint, []).append((one.low_ns, one.high_ns))
    return {fingerprint: Crowd(spans) for fingerprint, spans in by_fingerprint.items()}
