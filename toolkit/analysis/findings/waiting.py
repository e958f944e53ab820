"""Waiting in a function: inside requests, most of the time is spent off the CPU in one place (a database, a lock, a sleep)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.findings.evidence import share
from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.waits import CODE, WORDS
from toolkit.analysis.findings.words import count, label_place, ms, percent, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said
    from toolkit.analysis.findings.sites import Site
    from toolkit.analysis.frames import Function

_PART = 0.3
"""Of the time inside requests, spent waiting in one function."""
_BUSY = 0.5
"""Of the slots that were taken: or else, requests must be slow before that is worth saying."""
_SLOW_P50_MS, _SLOW_P95_MS = 50.0, 200.0
_FEWEST = 20
"""Samples of a function before anything is said of it."""
_ENOUGH = 100
_MOST = 3


class _Wait(NamedTuple):
    function: Function
    site: Site
    waited_us: float
    kind: str


def rule(evidence: Evidence) -> Iterator[Said]:
    """At most three findings a server."""
    for server in evidence.servers:
        yield from _of(server, evidence)


def _of(server: ServerEvidence, evidence: Evidence) -> Iterator[Said]:
    if (server.watch.get("busy") or {}).get("event_loop"):
        words = "What requests waited for: on an event loop a request that waits leaves no stack"
        yield Unknown(f"{words}; timings in the application's own log would tell.", server.name)
        return
    wall = server.sites.get("wall")
    if wall is None:
        yield Unknown(
            "What requests waited for: it takes a wall view that can be shown, and a cpu view beside it.",
            server.name,
        )
        return
    if not wall.request_us:
        yield Unknown("What requests waited for: no thread was seen inside one.", server.name)
        return
    waits = sorted(_waits(server), key=lambda one: -one.waited_us)
    if not waits:
        part = percent(server.on_cpu_inside or 0.0)
        words = "No function of the application waited inside requests"
        yield RuledOut(f"{words}: {part} of the time inside them was on the CPU.", server.name)
        return
    matters, why = _matters(server, evidence)
    stand_out = [
        one for one in waits if one.waited_us >= _PART * wall.request_us and _samples(server, one) >= _FEWEST
    ]
    if not (matters and stand_out):
        top = waits[0]
        words = (
            f"No wait stands out: most is in {place(top.function)}, {percent(share(top.waited_us, wall.request_us))} of the time "
            f"inside requests ({count(_samples(server, top), 'sample')}); {why}"
        )
        yield RuledOut(f"{words}.", server.name)
        return
    for one in stand_out[:_MOST]:
        yield _finding(server, one, why)


def _waits(server: ServerEvidence) -> Iterator[_Wait]:
    """Wall less CPU of each function."""
    wall, cpu = server.sites["wall"], server.sites.get("cpu")
    for function, site in wall.by_function.items():
        kind = max(site.kinds, key=lambda name: site.kinds[name])
        own = cpu.by_function.get(function) if cpu else None
        on_cpu = share(own.us, cpu.recorded_s) * wall.recorded_s if own and cpu else 0.0
        waited = site.us - on_cpu
        if waited > 0:
            yield _Wait(function, site, waited, kind)


def _samples(server: ServerEvidence, wait: _Wait) -> float:
    return wait.site.us / 1e6 * (server.views["wall"].get("rate_hz") or 0.0)


def _matters(server: ServerEvidence, evidence: Evidence) -> tuple[bool, str]:
    p50, p95 = evidence.totals.get("p50_ms"), evidence.totals.get("p95_ms")
    slow, said = False, "no request was answered"
    if p50 is not None and p95 is not None:
        slow = p50 >= _SLOW_P50_MS or p95 >= _SLOW_P95_MS
        said = f"answers took {ms(p50)} (p50), {ms(p95)} (p95)"
    slots = server.slots
    taken = server.mean_taken if slots else None
    if slots and taken is not None:
        said += f", {taken:.1f} of {slots} places for requests were taken on average"
    return slow or bool(slots and taken is not None and taken >= _BUSY * slots), said


def _finding(server: ServerEvidence, wait: _Wait, why: str) -> Finding:
    wall = server.sites["wall"]
    part = share(wait.waited_us, wall.request_us)
    samples = _samples(server, wait)
    lines = wait.site.lines.most_common(2)
    known = wait.kind not in ("", CODE)
    evidence = [
        f"{percent(part)} of the time inside requests was spent off the CPU in it and in what it calls (wall − cpu, "
        f"{count(samples, 'sample')}).",
        f"Most often at {label_place(lines[0][0])}: {percent(share(lines[0][1], wait.site.us))} of its time.",
        f"{why[:1].upper()}{why[1:]}.",
    ]
    if "cpu" not in server.sites:
        evidence.append("Without a cpu view, time on the CPU is not taken off.")
    if not known:
        out = (server.watch.get("metrics") or {}).get("service.connections_out")
        if wait.kind == "" and out is not None:
            evidence.append(
                "There is no Python frame below that line"
                + (
                    ", and the service had no connection to another address: a sleep, a lock or a local file."
                    if out["max"] == 0
                    else f"; the service had up to {count(out['max'], 'connection')} to other addresses."
                )
            )
    certainty = LIKELY if samples >= _ENOUGH and "cpu" in server.sites else PERHAPS
    return Finding(
        title=f"Waiting in {place(wait.function)}: {WORDS.get(wait.kind, wait.kind)}",
        certainty=certainty,
        evidence=evidence,
        settle=f"Look at {label_place(lines[0][0])}: what is called there, and how long it takes by itself"
        + (" (the timings of that side settle it)." if known else "."),
        server=server.name,
        span=server.span_of(server.seconds),
        lanes=("busy_threads", "workers_cpu"),
        frames=tuple(label for label, _ in lines),
        counts={
            "share_of_request_time": part,
            "waited_thread_s": wait.waited_us / 1e6,
            "samples": round(samples),
        },
        part="flames",
        view="off" if "cpu" in server.sites else "wall",
        same=place(wait.function),
    )
