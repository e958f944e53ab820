"""Garbage collection: time in collections, or in the finalizers that they run, as far as the stacks show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.findings.evidence import share
from toolkit.analysis.findings.finding import LIKELY, PERHAPS, Finding, RuledOut, Unknown
from toolkit.analysis.findings.words import label_place, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
    from toolkit.analysis.findings.finding import Said

_PART = 0.05
"""Of the CPU samples."""
_FEWEST, _ENOUGH = 10, 100
_SILENT = (
    "a collection that runs no Python code leaves no frame of its own in these stacks, and counts to the function that it "
    "interrupts"
)
_FINALIZERS = "A finalizer runs when the last reference goes; in a collection, where objects refer to one another in a ring."


def rule(evidence: Evidence) -> Iterator[Said]:
    """One finding a server."""
    for server in evidence.servers:
        yield from _of(server)


def _of(server: ServerEvidence) -> Iterator[Said]:
    name = next((view for view in ("cpu", "gil", "wall") if view in server.sites), None)
    if name is None:
        yield Unknown("How much time garbage collection took: no stacks were recorded.", server.name)
        return
    sites, rate = server.sites[name], server.views[name].get("rate_hz") or 0.0
    collecting = sites.collecting
    of = sites.request_us if name == "wall" else sites.sampled_us
    total = float(sum(collecting.values()))
    part, samples = share(total, of), total / 1e6 * rate
    if not total:
        yield Unknown(
            f"How much time garbage collection took: no finalizer was seen in the {name} view, and {_SILENT}; "
            "“gc.callbacks” in the application would tell.",
            server.name,
        )
        return
    top = collecting.most_common(3)
    if part < _PART or samples < _FEWEST:
        yield RuledOut(
            f"Finalizers and collections do not stand out: {percent(part)} of the {name} view, {samples:.0f} samples "
            f"({_SILENT}).",
            server.name,
        )
        return
    finalizers = all("__del__" in label.partition(" (")[0] for label, _ in top)
    yield Finding(
        title=("Finalizers (“__del__”)" if finalizers else "Garbage collection")
        + f" take {percent(part)} of the CPU time"
        if name != "wall"
        else f"Garbage collection takes {percent(part)} of the time inside requests",
        certainty=PERHAPS if samples < _ENOUGH or finalizers else LIKELY,
        evidence=[
            f"{percent(part)} of the {name} view ({samples:,.0f} samples), most in {label_place(top[0][0])}.",
            *([_FINALIZERS] if finalizers else []),
        ],
        settle="“gc.callbacks” with a clock; “gc.freeze()” after the start, or a higher “gc.set_threshold”, must lower it.",
        server=server.name,
        span=server.span_of(server.seconds),
        lanes=("workers_cpu",),
        frames=tuple(label for label, _ in top),
        counts={"share": part, "samples": round(samples)},
        part="flames",
        view=name,
    )
