"""CPU-bound in a function: the workers use the CPU that they can get, and most of it in one place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.evidence import share
from toolkit.analysis.findings.finding import CERTAIN, LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import cores, count, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_FULL = 0.8
"""Of the cores that the workers can use."""
_SECONDS, _SHARE = 5, 0.3
"""So long, and for so much of the load, at least."""
_INSIDE = 0.6
"""Of the time inside requests that is spent on the CPU."""
_BUSY = 0.5
"""Of the workers, inside requests, before that share says anything."""
_FUNCTION = 0.2
"""Of the CPU samples, in one function, before it is named."""
_ENOUGH = 400
"""Samples by which half of a view is known to ±5 percentage points."""
_FEWEST = 30


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server."""
    for server in evidence.servers:
        yield from _of(server)


def _of(server: ServerEvidence) -> Iterator[Said]:
    can = _can_use(server)
    measured = server.where(lambda at: server.column("workers_cpu")[at] is not None)
    inside = server.on_cpu_inside
    if not (can and measured) and inside is None:
        words = "whether the service is CPU-bound: neither its CPU time nor its stacks were recorded while requests were sent"
        yield Unknown(words.capitalize() + ".", server.name)
        return
    full = [at for at in measured if (server.column("workers_cpu")[at] or 0.0) >= _FULL * (can or math.inf)]
    at_limit = len(full) >= max(_SECONDS, _SHARE * len(measured)) if measured else False
    waits_little = inside is not None and inside >= _INSIDE and _busy(server) >= _BUSY
    said = _numbers(server, measured, can, inside)
    if not (at_limit or waits_little):
        yield RuledOut(f"Not CPU-bound: {'; '.join(said)}.", server.name)
        return
    top, samples = _top(server)
    where, evidence, certainty = "", [f"{one[:1].upper()}{one[1:]}." for one in said], LIKELY
    if top is None:
        certainty = LIKELY if at_limit else PERHAPS
    else:
        part = top["own_percent"] / 100
        error = 0.98 / math.sqrt(samples)
        where = f" in {top['function']} ({_tail(top['file'])})"
        evidence.append(
            f"{percent(part)} of the CPU samples are in it and in what it calls ({samples:,} samples: ± {error * 100:.0f} "
            "percentage points)."
        )
        if part - error < _FUNCTION or samples < _FEWEST:
            certainty = PERHAPS
        elif at_limit and samples >= _ENOUGH:
            certainty = CERTAIN
    if at_limit:
        evidence.append(
            f"For {count(len(full), 'second')} of {len(measured):,} the workers used {percent(_FULL)} or more of that."
        )
    yield Finding(
        title=f"CPU-bound{where}" + ("" if where else ", in no single function"),
        certainty=certainty,
        evidence=evidence,
        settle="Make it cheaper, or cache what it computes, and run again: the CPU seconds a request must fall. "
        + ("A profile of more samples names the function for sure." if certainty == PERHAPS else "")
        if top
        else "A profile of more samples, of one kind of request at a time, says where it goes.",
        server=server.name,
        span=server.span_of(full or measured),
        lanes=("workers_cpu", "busy_by_cpu"),
        frames=_frames(server, top),
        counts=_counts(server, measured, full, can, inside, top, samples),
        part="flames",
        view="cpu",
    )


def _can_use(server: ServerEvidence) -> float | None:
    """Cores: a worker's Python code runs on one at a time (the GIL)."""
    known = [float(value) for value in (server.workers, server.cores_allowed) if value]
    return min(known) if len(known) == 2 else None


def _busy(server: ServerEvidence) -> float:
    found = (server.watch.get("busy") or {}).get("from_stacks")
    return share(found["workers_mean"], server.workers) if found and server.workers else 0.0


def _numbers(
    server: ServerEvidence, measured: list[int], can: float | None, inside: float | None
) -> list[str]:
    said = []
    if measured and can:
        used = server.mean("workers_cpu", measured) or 0.0
        said.append(
            f"the workers used {cores(used)} on average, of {can:g} that {count(server.workers or 0, 'worker')} can use here"
        )
    if inside is not None:
        said.append(f"of the time inside requests {percent(inside)} was on the CPU")
    return said


def _top(server: ServerEvidence) -> tuple[dict[str, Any] | None, int]:
    view = server.views.get("cpu") or {}
    rows = (view.get("hotspots") or {}).get("application") or []
    if not rows or (rows[0]["own_percent"] or 0.0) < _FUNCTION * 100:
        return None, view.get("samples") or 0
    return rows[0], view["samples"]


def _frames(server: ServerEvidence, top: dict[str, Any] | None) -> tuple[str, ...]:
    if top is None:
        return ()
    cpu = server.sites.get("cpu")
    for function, site in cpu.by_function.items() if cpu else ():
        if (function.name, function.short_file) == (top["function"], top["file"]):
            return tuple(label for label, _ in site.lines.most_common(2))
    return (f"{top['function']} ({top['file']})",)


def _counts(
    server: ServerEvidence,
    measured: list[int],
    full: list[int],
    can: float | None,
    inside: float | None,
    top: dict[str, Any] | None,
    samples: int,
) -> dict[str, float | int]:
    found: dict[str, float | int | None] = {
        "workers_cpu_cores": server.mean("workers_cpu", measured),
        "usable_cores": can,
        "seconds_at_limit": len(full),
        "seconds": len(measured),
        "on_cpu_share_inside_requests": inside,
        "function_share": top["own_percent"] / 100 if top else None,
        "cpu_samples": samples,
    }
    return {name: value for name, value in found.items() if value is not None}


def _tail(file: str) -> str:
    return file.replace("\\", "/").rsplit("/", 1)[-1]
