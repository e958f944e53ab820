"""One worker unlike the others: it computes, is busy, or holds memory far more or far less than they do."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import cores, mib, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_TIMES = 2.0
"""Times the others' median, or the half of it."""
_QUANTITIES: tuple[tuple[str, str, float, Callable[[float], str]], ...] = (
    ("cpu_mean", "CPU", 0.2, cores),
    ("busy", "time inside requests", 0.3, percent),
    ("rss_last", "memory (RSS)", 100 * 2**20, mib),
)
"""Key, what it is, the least difference that is one, how it is written."""
_BUSY_SECONDS = 10
"""Of load, before a difference is no chance."""


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server and quantity, of the worker that differs most."""
    for server in evidence.servers:
        yield from _of(server)


def _of(server: ServerEvidence) -> Iterator[Said]:
    window = server.watch.get("window") or {}
    rows = [row for row in server.watch.get("per_worker") or [] if _lived_through(row, window)]
    if len(rows) < 2:
        if (server.watch.get("per_worker") or []) and (server.workers or 0) > 1:
            words = "Whether one worker was unlike the others: fewer than two lived through the load"
            yield Unknown(f"{words}.", server.name)
        return
    if len(server.seconds) < _BUSY_SECONDS:
        yield Unknown(
            f"Whether one worker was unlike the others: {len(server.seconds)} seconds of load are too few to tell from chance.",
            server.name,
        )
        return
    found, ruled_out = False, []
    for key, what, least, written in _QUANTITIES:
        known = [row for row in rows if row.get(key) is not None]
        if len(known) < 2:
            continue
        odd, its, typical = _oddest(known, key)
        ruled_out.append(
            f"{what} {written(min(r[key] for r in known))} to {written(max(r[key] for r in known))}"
        )
        if abs(its - typical) < least or not (its >= _TIMES * typical or its <= typical / _TIMES):
            continue
        found = True
        yield _finding(server, odd, known, (key, what, its, typical), written)
    if not found and ruled_out:
        yield RuledOut(
            f"No worker unlike the others: of {len(rows)} workers, {'; '.join(ruled_out)}.", server.name
        )


def _lived_through(row: dict[str, Any], window: dict[str, Any]) -> bool:
    born, died = row.get("born_ns"), row.get("died_ns")
    first, last = window.get("from_ns"), window.get("to_ns")
    if first is None or last is None:
        return born is None and died is None
    return (born is None or born <= first) and (died is None or died >= last)


def _oddest(rows: list[dict[str, Any]], key: str) -> tuple[dict[str, Any], float, float]:
    """The row that is furthest from the median of the others, its value, and that median."""

    def typical(row: dict[str, Any]) -> float:
        return float(median(one[key] for one in rows if one is not row))

    odd = max(rows, key=lambda row: (abs(row[key] - typical(row)), row[key]))
    return odd, float(odd[key]), typical(odd)


def _finding(
    server: ServerEvidence,
    odd: dict[str, Any],
    rows: list[dict[str, Any]],
    found: tuple[str, str, float, float],
    written: Callable[[float], str],
) -> Finding:
    key, what, its, typical = found
    others = "the other one's" if len(rows) == 2 else f"the median of the {len(rows) - 1} others"
    evidence = [
        f"{what[:1].upper()}{what[1:]} of worker {odd['pid']}: {written(its)}; {others}: {written(typical)}."
    ]
    if key != "rss_last" and its > typical:
        evidence.append(
            "Connections that are kept open stay with the worker that took them, and an idle worker takes new ones first come, "
            "first served: the load need not be shared out evenly."
        )
    return Finding(
        title=f"Worker {odd['pid']} is unlike the others: {what} {written(its)} against {written(typical)}",
        certainty=LIKELY if len(rows) > 2 else PERHAPS,
        evidence=evidence,
        settle="Its own flamegraph beside that of another worker shows whether it does other work or only more of it."
        if key != "rss_last"
        else "Whether it was given other requests: its access lines by PID, and its memory over time.",
        server=server.name,
        span=server.span_of(server.seconds),
        lanes=("workers_rss",) if key == "rss_last" else ("workers_cpu",),
        counts={"pid": odd["pid"], key: its, f"{key}_of_others": typical, "workers": len(rows)},
        part="servers",
        same=key,
    )
