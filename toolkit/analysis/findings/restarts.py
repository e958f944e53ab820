"""Workers that ended while requests were sent, and what that cost: requests that failed, workers that were missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.finding import CERTAIN, LIKELY, PERHAPS, Finding, RuledOut, Span, Unknown
from toolkit.analysis.findings.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_WORDS = {
    "timeout": "killed by gunicorn for its timeout",
    "oom": "killed for lack of memory",
    "crash": "crashed",
    "killed": "killed from outside",
    "boot_failed": "could not boot",
    "exited": "ended by themselves",
    "unknown": "ended, nobody knows why",
}
_PLANNED = {
    "max_requests": "after max_requests",
    "hup": "for a reload",
    "ttou": "for fewer workers",
    "usr2": "for an upgrade",
    "shutdown": "as gunicorn ended",
}
_SETTLE = {
    "timeout": "The traceback that gunicorn logs as it aborts a worker, and the flamegraph just before, say what it was in; "
    "make that shorter before raising the timeout.",
    "oom": "See the memory of the workers before they ended; more memory, fewer workers, or less kept in each.",
    "crash": "A core dump, or PYTHONFAULTHANDLER=1, names the library that crashed.",
    "boot_failed": "gunicorn's log has the exception of the boot.",
}
_COST = {"timeout", "killed"}
"""Explanations of failed requests that are a worker's end."""
_MISSING_S, _MISSING = 5.0, 0.05
"""Worker seconds, and of all of them, that planned restarts may cost before they are a finding."""
_SEEN_NS = 2_000_000_000
"""So much later than the last request that it had, and cut off, a worker may be seen to be gone."""
_CERTAINTIES = {"certain": CERTAIN, "likely": LIKELY}


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server and cause."""
    if not evidence.servers:
        return
    for server in evidence.servers:
        yield from _of(server, evidence)


def _of(server: ServerEvidence, evidence: Evidence) -> Iterator[Said]:
    workers: dict[str, Any] = server.watch.get("workers") or {}
    if not workers or not (server.watch.get("lines") or workers.get("at_start") or workers.get("births")):
        yield Unknown("Whether workers ended: nobody watched them.", server.name)
        return
    deaths = [death for death in workers.get("deaths") or [] if _while_loaded(death, server)]
    unplanned = [death for death in deaths if death["cause"] not in _PLANNED]
    planned = len(deaths) - len(unplanned)
    missing_s = _missing_s(server)
    by_cause: dict[str, list[dict[str, Any]]] = {}
    for death in unplanned:
        by_cause.setdefault(death["cause"], []).append(death)
    cost = _cost(evidence, [entry.name for entry in evidence.servers])
    for cause, its in sorted(by_cause.items(), key=lambda item: (-len(item[1]), item[0])):
        yield _finding(server, cause, its, missing_s, _of_cause(cost, cause, by_cause))
    of_all = (server.workers or 0) * len(server.seconds)
    # Workers are counted at the end of each second: one that was replaced at once may be missing in one of them.
    if planned and not unplanned and missing_s - planned >= max(_MISSING_S, _MISSING * of_all):
        its = [death for death in deaths if death["cause"] in _PLANNED]
        yield _finding(server, its[0]["cause"], its, missing_s, cost)
    elif not unplanned:
        names = sorted({_PLANNED[death["cause"]] for death in deaths})
        ended = (
            f"{count(planned, 'worker')} ended as planned ({', '.join(names)})"
            if planned
            else "no worker ended"
        )
        yield RuledOut(
            f"No restart and no timeout that was not planned: while requests were sent, {ended}.", server.name
        )


def _while_loaded(death: dict[str, Any], server: ServerEvidence) -> bool:
    window = server.watch.get("window") or {}
    return window.get("from_ns") is None or window["from_ns"] <= death["t_ns"] <= window["to_ns"] + _SEEN_NS


def _missing_s(server: ServerEvidence) -> float:
    """Worker seconds that were missing: fewer alive than before."""
    alive = server.column("workers")
    most = server.workers or 0
    return float(sum(max(0.0, most - (alive[at] or 0.0)) for at in server.seconds if alive[at] is not None))


def _cost(evidence: Evidence, servers: list[str]) -> list[dict[str, Any]]:
    """Parts of the explanations of failed requests; with several servers it is not known whose they were."""
    if len(servers) > 1:
        return []
    found = (evidence.summary.get("server_errors") or {}).get("explanations") or []
    return [
        {**part, "of": one}
        for one in found
        for part in one["parts"]
        if part["what"] in _COST or part["what"] == "closed"
    ]


def _of_cause(
    cost: list[dict[str, Any]], cause: str, by_cause: dict[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """What is known to be of such an end; of connections that were closed it is known only where there is one cause."""
    return [
        part
        for part in cost
        if part.get("cause") == cause or (part["what"] == "closed" and len(by_cause) == 1)
    ]


def _finding(
    server: ServerEvidence,
    cause: str,
    deaths: list[dict[str, Any]],
    missing_s: float,
    cost: list[dict[str, Any]],
) -> Finding:
    lost = sum(part["count"] for part in cost)
    words = _WORDS.get(cause) or f"ended {_PLANNED.get(cause, cause)}"
    evidence = [f"Worker {deaths[0]['pid']}, the first: {deaths[0]['words']}."]
    if deaths[0].get("evidence"):
        evidence.append(f"What says so: {deaths[0]['evidence']}.")
    if cost:
        shown = "; ".join(f"{count(part['count'], 'request')} {part['words']}" for part in cost[:3])
        evidence.append(f"Cost: {shown}.")
    else:
        evidence.append("No failed request is known to be of its end.")
    if missing_s:
        evidence.append(f"{count(missing_s, 'worker second')} were missing while requests were sent.")
    said = {_CERTAINTIES.get(death["certainty"], PERHAPS) for death in deaths}
    certainty = PERHAPS if PERHAPS in said else LIKELY if LIKELY in said else CERTAIN
    # A cause that nobody knows is one; that the workers ended is certain all the same.
    certainty = CERTAIN if cause == "unknown" else certainty
    return Finding(
        title=f"{count(len(deaths), 'worker')} {words if len(deaths) > 1 else words.replace('themselves', 'itself')}"
        + (f"; {count(lost, 'request')} failed by it" if lost else ""),
        certainty=certainty,
        evidence=evidence,
        settle=_SETTLE.get(
            cause, "gunicorn's log at the level INFO, followed from the beginning, says why a worker ends."
        ),
        server=server.name,
        span=Span(deaths[0]["t_ns"], deaths[-1]["t_ns"]),
        lanes=("died", "born", "workers"),
        counts={"workers_ended": len(deaths), "requests_failed": lost, "worker_seconds_missing": missing_s},
        part="servers",
        same=cause,
    )
