"""What the load itself says: users that arrived, phases that stretched, requests that were sent late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.trust import limits
from toolkit.analysis.trust.findings import Finding, milliseconds, percent, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.analysis.trust.arrivals import Phase
    from toolkit.analysis.trust.reading import Load

    AtItsLimit = Callable[[float, float], bool]
    """Whether the generator was at the limit of its CPU in most seconds of [from, to)."""


def arrivals(phases: list[Phase], at_its_limit: AtItsLimit) -> Iterator[Finding]:
    """Offered against achieved. Users arrive by the clock, whatever the server does: those that did not are the generator's."""
    if not phases:
        return
    meant, came = sum(phase.meant for phase in phases), sum(phase.arrived for phase in phases)
    cut = "" if all(phase.whole for phase in phases) else " until the load was cut short"
    value = f"{_users(came)} of {_users(meant)} planned users in time{cut}"
    judged = [(phase.ratio, phase) for phase in phases if phase.ratio is not None]
    short = sorted(
        ((ratio, phase) for ratio, phase in judged if ratio < limits.ARRIVALS_DOUBTFUL),
        key=lambda pair: pair[0],
    )
    if not short:
        words = (
            "" if judged else f"no phase planned {limits.LEAST_ARRIVALS} users or more: too few to judge by"
        )
        yield Finding("arrivals", "Arrivals", value, words=words)
        return
    limited = [
        (ratio, phase)
        for ratio, phase in short
        if ratio < limits.ARRIVALS_INVALID and at_its_limit(phase.start_s, phase.end_s)
    ]
    ratio, phase = (limited or short)[0]
    what = (
        f"in phase {phase.name} of {phase.load} {_users(phase.arrived)} of {_users(phase.meant)} planned users "
        f"({percent(ratio)}) arrived in the planned time"
    )
    more = f" ({len(short) - 1} more phases fell short)" if len(short) > 1 else ""
    if limited:
        reason = (
            f"The load generator could not keep up: {what}{more}, and it used all the CPU that it can use."
        )
        yield Finding("arrivals", "Arrivals", value, "bad", what, reason, certain=True)
    else:
        reason = f"Less load was made than planned: {what}{more}."
        yield Finding("arrivals", "Arrivals", value, "warn", what, reason)


def stretched(phases: list[Phase]) -> Iterator[Finding]:
    """A uniform phase that falls behind keeps its users and takes longer, without a word."""
    whole = [phase for phase in phases if phase.whole]
    if not whole:
        return
    late = [
        phase
        for phase in whole
        if phase.stretched_s > max(limits.STRETCH_LEAST_S, limits.STRETCH_DOUBTFUL * phase.planned_s)
    ]
    if not late:
        longest = max(phase.stretched_s for phase in whole)
        yield Finding("phases", "Length of the phases", f"as planned (+{longest * 1000:.0f} ms at most)")
        return
    worst = max(late, key=lambda phase: phase.stretched_s / (phase.planned_s or 1.0))
    what = (
        f"phase {worst.name} of {worst.load} took {seconds(worst.end_s - worst.start_s)} instead of "
        f"{seconds(worst.planned_s)}"
    )
    value = f"{len(late)} of {len(whole)} stretched"
    reason = f"P{what[1:]}: what was planned for it was spread over more time."
    yield Finding("phases", "Length of the phases", value, "warn", what, reason)


def skipped(totals: dict[str, Any]) -> Iterator[Finding]:
    """Users that maxVusers kept out: the load was smaller than offered, by the scenario file's own wish."""
    kept_out, launched = totals.get("scenarios_skipped") or 0, totals.get("scenarios_launched") or 0
    if not kept_out:
        return
    share = kept_out / (kept_out + launched)
    doubtful = share > limits.SKIPPED_DOUBTFUL
    value = f"{kept_out:,} of {kept_out + launched:,} users ({percent(share)})"
    reason = f"{percent(share)} of the users were not let in (maxVusers): the load was smaller than offered."
    yield Finding(
        "skipped",
        "Not let in (maxVusers)",
        value,
        "warn",
        "more users than the scenario file allows at a time",
        reason if doubtful else "",
    )


def send_lag(totals: dict[str, Any]) -> Iterator[Finding]:
    """From the intended to the actual start: waiting that the response times do not show."""
    p50, p99 = totals.get("send_lag_p50_ms"), totals.get("send_lag_p99_ms")
    if p50 is None or p99 is None:
        return
    value = (
        f"p50 {milliseconds(p50)}, p99 {milliseconds(p99)}, max {milliseconds(totals.get('send_lag_max_ms'))}"
    )
    words = "from the intended to the actual start of a request"
    if p50 < limits.LAG_P50_DOUBTFUL_MS and p99 < limits.LAG_P99_DOUBTFUL_MS:
        yield Finding("send_lag", "Send lag", value, words=words)
        return
    reason = (
        f"Requests were sent late (p50 {milliseconds(p50)}, p99 {milliseconds(p99)}): response times, which begin when a "
        "request is sent, leave that out."
    )
    yield Finding("send_lag", "Send lag", value, "warn", words, reason)


def lateness(loads: list[Load], at_its_limit: AtItsLimit) -> Iterator[Finding]:
    """How late users arrived: the generator's share of the send lag, which no pool of connections and no server has a part in."""
    for load in loads:
        late_ms, users = _mean_lateness(load)
        if not users:
            continue
        value = f"{milliseconds(late_ms)} on average"
        name = f"Users late, {load.name}" if len(loads) > 1 else "Users late"
        key = f"late:{load.name}"
        if late_ms < limits.LATE_DOUBTFUL_MS or users < limits.LEAST_ARRIVALS:
            yield Finding(key, name, value)
            continue
        said = f"users of {load.name} arrived {milliseconds(late_ms)} late on average"
        span = (load.pulses[0]["t_ns"] / 1e9 - 1, load.pulses[-1]["t_ns"] / 1e9)
        if late_ms >= limits.LATE_INVALID_MS and at_its_limit(*span):
            reason = f"The load generator could not keep up: {said}, and it used all the CPU that it can use."
            yield Finding(key, name, value, "bad", said, reason, certain=True)
        else:
            yield Finding(key, name, value, "warn", said, f"U{said[1:]}.")


def _mean_lateness(load: Load) -> tuple[float, int]:
    before: dict[Any, int] = {}
    total, users = 0.0, 0
    for row in load.pulses:
        new = max(0, int(row["arrived"]) - before.get(row["worker"], 0))
        before[row["worker"]] = int(row["arrived"])
        total += new * float(row["late_ms"])
        users += new
    return (total / users if users else 0.0), users


def _users(count: float) -> str:
    return f"{count:,.0f}"
