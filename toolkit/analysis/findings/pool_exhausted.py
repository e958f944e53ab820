"""The worker pool is exhausted: all workers are inside requests, others queue for them, and the service time is flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.findings.evidence import mean_of
from toolkit.analysis.findings.finding import CERTAIN, LIKELY, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import count, ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_SECONDS, _SHARE = 4, 0.1
"""So long, and for so much of the load that was looked at, all places are taken."""
_QUEUE = 1.0
"""Connections in the accept queue, on average, while all places are taken."""
_OUTSIDE_MS, _TIMES = 20.0, 2.0
"""Waiting before the server's own time: so long, and so many times that of other seconds (or of the server's own time)."""
_FLAT = 1.5
"""Times the server's own time may grow and still be flat."""
_COMPARABLE = 4
"""Seconds on either side before they are compared."""


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server."""
    for server in evidence.servers:
        yield from _of(server)


def _of(server: ServerEvidence) -> Iterator[Said]:
    busy = server.watch.get("busy") or {}
    if busy.get("event_loop"):
        yield Unknown(
            "Whether the worker pool was exhausted: an event loop has no fixed number of places.", server.name
        )
        return
    full, slots = server.all_busy, server.slots
    if full is None or not slots:
        why = busy.get("reason") or "how many threads each worker has is not known"
        yield Unknown(f"Whether the worker pool was exhausted: {why}.", server.name)
        return
    looked = server.looked_at
    taken = mean_of([server.taken[at] for at in looked]) or 0.0
    said = (
        f"all {slots} places for requests were taken in {count(len(full), 'second')} of {len(looked):,} "
        f"({taken:.1f} on average)"
    )
    if len(full) < max(_SECONDS, _SHARE * len(looked)):
        yield RuledOut(f"The worker pool was not exhausted: {said}.", server.name)
        return
    rest = [at for at in looked if at not in set(full)]
    queue = server.mean("accept_queue", full)
    most = max(
        (value for at in full if (value := server.column("accept_queue")[at]) is not None), default=None
    )
    own, own_before = (_mean(server, seconds, "server_ms") for seconds in (full, rest))
    outside, outside_before = (_mean(server, seconds, "outside_ms") for seconds in (full, rest))
    queued = queue is not None and queue >= _QUEUE
    waited = (
        outside is not None
        and outside >= _OUTSIDE_MS
        and outside >= _TIMES * (outside_before if outside_before is not None else own or 0.0)
    )
    if not (queued or waited):
        numbers = _queue_words(queue, most, outside)
        if queue is None and outside is None:
            yield Unknown(
                f"Whether requests queued for a worker: {said}, and neither the accept queue nor an access log was recorded.",
                server.name,
            )
            return
        yield RuledOut(
            f"The worker pool was full, and yet nothing queued for it: {said}; {numbers}.", server.name
        )
        return
    flat = own is not None and (own <= _FLAT * own_before if own_before is not None else waited)
    evidence = [
        f"{said[:1].upper()}{said[1:]}.",
        f"{_queue_words(queue, most, outside, outside_before).capitalize()}.",
    ]
    if own is not None:
        evidence.append(_service_words(own, own_before))
    yield Finding(
        title=f"The worker pool is exhausted: all {slots} places taken, and requests queue for them",
        certainty=CERTAIN if queued and flat else LIKELY,
        evidence=evidence,
        settle="What the workers do meanwhile is in the flamegraph of that time: make it shorter, or give more workers or "
        "threads; the accept queue must then stay empty under the same load.",
        server=server.name,
        span=server.span_of(full),
        lanes=(
            "accept_queue",
            "busy_threads" if server.taken is server.column("busy_threads") else "busy_workers",
        ),
        counts={
            "places": slots,
            "seconds_all_busy": len(full),
            "seconds": len(looked),
            **{
                name: value
                for name, value in {
                    "accept_queue_mean": queue,
                    "accept_queue_max": most,
                    "server_ms": own,
                    "outside_ms": outside,
                    "server_ms_before": own_before,
                    "outside_ms_before": outside_before,
                }.items()
                if value is not None
            },
        },
        part="time",
    )


def _mean(server: ServerEvidence, seconds: Sequence[int], name: str) -> float | None:
    """Of the requests that ended in these seconds; None where they are too few to compare."""
    grid = server.lanes["t"]
    rows = [row for at in seconds if (row := server.answers.get(grid[at])) and row[name] is not None]
    if len(rows) < _COMPARABLE:
        return None
    answers = sum(row["answers"] for row in rows)
    return sum(row[name] * row["answers"] for row in rows) / answers if answers else None


def _queue_words(
    queue: float | None, most: float | None, outside: float | None, before: float | None = None
) -> str:
    said = []
    if queue is not None:
        said.append(f"the accept queue held {queue:.1f} on average then, {most or 0:.0f} at most")
    if outside is not None:
        than = f", {ms(before)} in the other seconds" if before is not None else ""
        said.append(f"requests waited {ms(outside)} outside of the workers on average{than}")
    return "; ".join(said) or "no queue was measured"


def _service_words(own: float, before: float | None) -> str:
    if before is None:
        return f"In the workers they took {ms(own)} on average."
    flat = own <= _FLAT * before
    return f"In the workers they took {ms(own)} on average, {ms(before)} in the other seconds: {'' if flat else 'not '}flat."
