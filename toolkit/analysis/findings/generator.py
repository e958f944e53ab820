"""The load generator is the bottleneck: what the verdict on the run (analysis/trust) says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.findings.finding import CERTAIN, PERHAPS, Finding, RuledOut, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence
    from toolkit.analysis.findings.finding import Said

_KEYS = ("arrivals", "late", "send_lag", "event_loop", "generator_cpu", "host_cpu", "canary")


def rule(evidence: Evidence) -> Iterator[Said]:
    """At most one finding."""
    trust = evidence.summary.get("trust") or {}
    rows = [row for row in trust.get("rows") or [] if row["key"].partition(":")[0] in _KEYS]
    if not evidence.loaded:
        return
    if not rows:
        yield Unknown("Whether the load generator was the bottleneck: nothing of it was recorded.")
        return
    against = [row for row in rows if row["reason"]]
    numbers = [
        f"{row['name']} {row['value']}"
        for row in rows
        if row["key"].partition(":")[0] in ("arrivals", "event_loop", "generator_cpu")
    ]
    # The machine alone says nothing: a service beside the generator uses it, too.
    signs = [row for row in against if row["key"] != "host_cpu"]
    if not signs:
        yield RuledOut(f"The load generator was not the bottleneck: {'; '.join(numbers)}.")
        return
    certain = any(row["tone"] == "bad" for row in signs)
    totals = evidence.totals
    yield Finding(
        title="The load generator is the bottleneck"
        if certain
        else "The load generator may be the bottleneck",
        certainty=CERTAIN if certain else PERHAPS,
        evidence=[row["reason"] for row in against],
        settle="Load from more processes or another machine: if answers are then as quick as the canary's, it was the generator.",
        lanes=("started", "p95_ms"),
        counts={"signs": len(signs), "requests": totals["count"]},
        part="trust",
    )
