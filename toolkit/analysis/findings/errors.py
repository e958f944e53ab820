"""Requests that failed: by the traceback that they stand beside, and those without one by what explains them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from toolkit.analysis.findings.evidence import share
from toolkit.analysis.findings.finding import CERTAIN, LIKELY, PERHAPS, Finding, RuledOut, Span, Unknown
from toolkit.analysis.findings.words import count, one_line, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence
    from toolkit.analysis.findings.finding import Said

_MOST = 5
_WORDS = {"certain": CERTAIN, "likely": LIKELY, "ambiguous": PERHAPS}


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a traceback and one a kind of failure without, the most frequent first."""
    if not evidence.loaded:
        yield Unknown("Whether requests failed: none was recorded.")
        return
    totals = evidence.totals
    failed = int(totals.get("failed") or 0)
    if not failed:
        yield RuledOut(f"No request failed: 0 of {totals['count']:,}.")
        return
    errors = evidence.summary.get("server_errors") or {}
    explanations = errors.get("explanations") or []
    if not explanations:
        yield _unexplained(failed, totals)
    tracebacks = {group["fingerprint"]: group for group in errors.get("tracebacks") or []}
    by_traceback, others = _sorted_out(explanations, tracebacks)
    ranked = sorted(by_traceback.items(), key=lambda item: -sum(part["count"] for part in item[1]))
    for fingerprint, parts in ranked[:_MOST]:
        yield _traceback(tracebacks[fingerprint], parts, totals)
    others.sort(key=lambda item: -sum(part["count"] for part in item[1]))
    for one, parts in others[:_MOST]:
        yield _other(one, parts, totals)


def _sorted_out(
    explanations: list[dict[str, Any]], tracebacks: dict[str, dict[str, Any]]
) -> tuple[dict[str, list[dict[str, Any]]], list[tuple[dict[str, Any], list[dict[str, Any]]]]]:
    """Parts of the explanations: by traceback, and those without one beside what they are part of."""
    by_traceback: dict[str, list[dict[str, Any]]] = {}
    others: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for one in explanations:
        rest = []
        for part in one["parts"]:
            if part["what"] == "traceback" and part["fingerprint"] in tracebacks:
                by_traceback.setdefault(part["fingerprint"], []).append({**part, "of": one})
            else:
                rest.append(part)
        if rest:
            others.append((one, rest))
    return by_traceback, others


def _unexplained(failed: int, totals: dict[str, Any]) -> Finding:
    return Finding(
        title=f"{count(failed, 'request')} failed",
        certainty=CERTAIN,
        evidence=[f"{failed:,} of {totals['count']:,} ({percent(share(failed, totals['count']))})."],
        settle="The servers' logs, where they are recorded, say why.",
        lanes=("failed",),
        counts={"requests_failed": failed, "requests": totals["count"]},
        part="errors",
    )


def _traceback(group: dict[str, Any], parts: list[dict[str, Any]], totals: dict[str, Any]) -> Finding:
    failed = sum(part["count"] for part in parts)
    certainties = [_WORDS.get(part["certainty"], PERHAPS) for part in parts]
    beside: Counter[str] = Counter()
    for one in group["requests"]:
        beside[one["name"]] += one["requests"]
    names = ", ".join(f"{name} {number:,}" for name, number in beside.most_common(3))
    statuses = ", ".join(
        sorted({str(part["of"]["status"] or part["of"]["error"] or "no answer") for part in parts})
    )
    evidence = [
        f"{count(failed, 'request')} of {totals['count']:,} ({percent(share(failed, totals['count']))}) got {statuses} and stand "
        "beside this traceback.",
        f"It was logged {count(group['count'], 'time')}"
        + (f": {one_line(group['message'])}." if group.get("message") else "."),
    ]
    if names:
        doubtful = beside.total() - failed
        more = f", of which {doubtful:,} may be another's" if doubtful > 0 else ""
        evidence.append(f"Requests beside it: {names}{more}.")
    return Finding(
        title=f"{group['known_by']}: {count(failed, 'request')} failed",
        certainty=max(certainties, key=(CERTAIN, LIKELY, PERHAPS).index),
        evidence=evidence,
        settle="The traceback is in the report; a request like one of these must then succeed.",
        server=group["servers"][0] if len(group["servers"]) == 1 else None,
        span=Span(group["first_ns"], group["last_ns"]) if group["first_ns"] and group["last_ns"] else None,
        lanes=("failed", "status_5xx"),
        counts={"requests_failed": failed, "requests": totals["count"], "tracebacks": group["count"]},
        part="errors",
        same=group["fingerprint"],
    )


def _other(one: dict[str, Any], parts: list[dict[str, Any]], totals: dict[str, Any]) -> Finding:
    failed = sum(part["count"] for part in parts)
    got = (
        f"got {one['status']}"
        if one["kind"] == "status"
        else "failed a check"
        if one["kind"] == "check"
        else "got no answer"
    )
    if one["kind"] == "cut":
        got = "got an answer that broke off"
    return Finding(
        title=f"{count(failed, 'request')} {got}" + (f" ({one['error']})" if one["error"] else ""),
        certainty=CERTAIN,
        evidence=[
            *(f"{count(part['count'], 'request')} {part['words']}." for part in parts[:_MOST]),
            f"{percent(share(failed, totals['count']))} of {totals['count']:,} requests.",
        ],
        settle="Each of them, with what the servers logged of it, is under “Slow and failed” in the report."
        if one["kind"] in ("status", "check")
        else "Whether the connections reached the server: its accept queue, and the state of its workers at that time.",
        lanes=("failed",),
        counts={"requests_failed": failed, "requests": totals["count"]},
        part="errors",
        same=f"{one['kind']} {one['status']} {one['error']}",
    )
