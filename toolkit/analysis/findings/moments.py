"""When things began: the first second of each state that a timeline should name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.analysis.findings.evidence import QUEUED
from toolkit.analysis.findings.words import count, ms, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence

_HOST_FULL = 0.95


class Moment(NamedTuple):
    """Something that began, or was at its worst, in a second."""

    t_ns: int
    server: str | None
    what: str
    """all_busy, queue, host_full, slowest."""
    words: str
    """What was so: "all 4 places for requests were taken"."""
    earliest_ns: int | None = None
    """Where the second is not known: since when it may have been so."""

    def row(self) -> dict[str, Any]:
        """As it stands in `summary["findings"]["moments"]`."""
        return self._asdict()


def moments(evidence: Evidence) -> list[dict[str, Any]]:
    """In order of time."""
    found = [one for server in evidence.servers for one in _of(server)]
    found += _slowest(evidence)
    return [one.row() for one in sorted(found, key=lambda one: (one.t_ns, one.server or "", one.what))]


def _of(server: ServerEvidence) -> Iterator[Moment]:
    def at(place: int) -> int:
        return int(server.lanes["t"][place]) * 10**9

    if server.all_busy:
        workers = server.workers
        places = f"all {count(workers or 0, 'worker')} were busy" if server.slots == workers else ""
        words = places or f"all {server.slots} places for requests were taken"
        first, since = at(server.all_busy[0]), at(server.all_busy_since or 0)
        earliest = since if since < first else None
        yield Moment(first, server.name, "all_busy", words, earliest)
    queue = server.column("accept_queue")
    waited = server.where(lambda place: (queue[place] or 0.0) > QUEUED)
    if waited:
        longest = max(waited, key=lambda place: (queue[place] or 0.0, -place))
        words = f"more than one connection waited in the accept queue (at most {queue[longest]:.0f}, later)"
        if longest == waited[0]:
            words = f"{queue[longest]:.0f} connections waited in the accept queue, the most of the run"
        yield Moment(at(waited[0]), server.name, "queue", words)
    cores = server.cores
    if cores:
        used = [server.column(name) for name in ("cpu_user", "cpu_system", "cpu_steal")]
        full = server.where(lambda place: sum(column[place] or 0.0 for column in used) >= _HOST_FULL * cores)
        if full:
            words = f"{percent(_HOST_FULL)} or more of the host's CPU was in use"
            yield Moment(at(full[0]), server.name, "host_full", words)


def _slowest(evidence: Evidence) -> Iterator[Moment]:
    p95 = evidence.series.get("p95_ms") or []
    known = [place for place, value in enumerate(p95) if value is not None]
    if known:
        worst = max(known, key=lambda place: (p95[place], -place))
        words = f"the slowest second: p95 {ms(p95[worst])}"
        yield Moment(evidence.series["t"][worst] * 10**9, None, "slowest", words)
