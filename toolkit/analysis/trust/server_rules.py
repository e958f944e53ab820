"""What each server's recording says: its clock, what the profiler cost, chunks, lost samples, and each view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.trust import limits
from toolkit.analysis.trust.findings import Finding, milliseconds, percent, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.recording.manifest import ServerEntry

View = dict[str, Any]

_MOST_BREAKS = 5


def clock(entry: ServerEntry) -> Iterator[Finding]:
    """A server's times are moved to the controller's clock; the error is how far they may still be off."""
    error_ms = entry.offset_error_ns / 1e6
    value = f"{entry.offset_ns / 1e6:+,.2f} ms ± {error_ms:,.2f} ms"
    key, name = f"clock:{entry.name}", f"Clock of {entry.name}"
    words = "corrected; the error is what may be left"
    if error_ms < limits.CLOCK_DOUBTFUL_MS:
        yield Finding(key, name, value, words=words)
        return
    known = f"The clock of {entry.name} is known to {milliseconds(error_ms)} only"
    reason = f"{known}: what it did may stand beside the wrong second."
    yield Finding(key, name, value, "warn", words, reason)


def connection(entry: ServerEntry) -> Iterator[Finding]:
    """Breaks of the way to a server. One that was mended cost nothing: the server recorded on, and it was fetched."""
    found: Any = entry.breaks
    mended = [
        one["silent_s"]
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("silent_s"), (int, float))
    ]
    if not mended:
        return
    lasted = ", ".join(seconds(one) for one in mended[:_MOST_BREAKS])
    times = "once" if len(mended) == 1 else f"{len(mended):,} times"
    more = ", …" if len(mended) > _MOST_BREAKS else ""
    words = f"for {lasted}{more}; the server recorded on, and what it had was fetched afterwards"
    yield Finding(f"connection:{entry.name}", f"Connection to {entry.name}", f"broke {times}", "none", words)


def profiler_cpu(entry: ServerEntry) -> Iterator[Finding]:
    """The budget is of one core of the server, all views together."""
    budget: Any = entry.budget
    if not isinstance(budget, dict):
        return
    measured, allowed = budget.get("measured_percent"), budget.get("percent")
    if not isinstance(measured, (int, float)) or not isinstance(allowed, (int, float)):
        return
    key, name = f"profiler_cpu:{entry.name}", f"Profiler on {entry.name}"
    value = f"{measured:g} % of a core; budget {allowed:g} %"
    # A rate that was asked for pays what it costs.
    if measured <= limits.BUDGET_EXCEEDED * allowed or budget.get("asked_for"):
        yield Finding(key, name, value, "good" if measured <= allowed else "none")
        return
    took = f"The profiler took {measured:g} % of a core on {entry.name}, {allowed:g} % were allowed"
    reason = f"{took}: it slowed what it measured."
    yield Finding(key, name, value, "warn", "over its budget", reason)


def view(server: str, found: View) -> Iterator[Finding]:
    """Whether a view may be shown, and how much of it was lost."""
    key, name = f"view:{server}:{found['view']}", f"View {found['view']} on {server}"
    if not found["shown"]:
        words = str(found.get("reason") or found.get("note") or "nothing was recorded")
        yield Finding(key, name, "not shown", "warn", words)
        return
    chunks, samples = int(found["chunks"] or 0), int(found["samples"] or 0)
    lost, late = int(found["lost_chunks"] or 0), int(found["late_chunks"] or 0)
    late_s, dropped = float(found["late_max_s"] or 0.0), int(found["errors"] or 0)
    parts = [f"{samples:,} samples in {chunks:,} chunks"]
    parts += [f"{lost:,} chunks lost"] if lost else []
    parts += [f"{late:,} late (up to {seconds(late_s)})"] if late else []
    parts += [f"{dropped:,} stacks dropped"] if dropped else []
    reasons = [
        *_of_chunks(name, chunks, lost, late if late_s >= limits.LATE_CHUNK_S else 0),
        *_of_stacks(name, samples, dropped),
    ]
    tone = "warn" if reasons else "good"
    words = " ".join([str(found["note"] or ""), *reasons[1:]]).strip()
    yield Finding(key, name, ", ".join(parts), tone, words, reasons[0] if reasons else "")


def _of_chunks(name: str, chunks: int, lost: int, late: int) -> Iterator[str]:
    recorded = max(chunks, 1)
    if lost > limits.CHUNKS_DOUBTFUL * recorded:
        yield f"{name}: {percent(lost / recorded)} of its chunks were lost: there is nothing of those seconds."
    if late > limits.CHUNKS_DOUBTFUL * recorded:
        yield f"{name}: the recorder fell behind in {percent(late / recorded)} of its chunks: it has too few samples of them."


def _of_stacks(name: str, samples: int, dropped: int) -> Iterator[str]:
    if dropped >= limits.DROPPED_ENOUGH and dropped > limits.DROPPED_DOUBTFUL * (samples + dropped):
        share = percent(dropped / (samples + dropped))
        yield f"{name}: {share} of the stacks could not be read: deep or quick ones may be missing."


def records(found: dict[str, int]) -> Iterator[Finding]:
    """Request records that could not be used, and recorded files that are not as they were."""
    if changed := found["changed_files"]:
        files = "1 recorded file" if changed == 1 else f"{changed:,} recorded files"
        reason = f"{files} of this run changed after it had ended (What is missing names them): what they say may not be true."
        yield Finding(
            "changed", "Recorded files", f"{changed:,} changed", "warn", "", reason[0].upper() + reason[1:]
        )
    read, bad = found["read"], found["unreadable"] + found["implausible"]
    if found["cut_files"]:
        reason = "The records of requests are cut short: all counts, rates and times lack the requests that came after the cut."
        yield Finding(
            "records", "Request records", f"{read:,} read, then cut", "bad", "", reason, certain=True
        )
        return
    if not read and not bad:
        return
    value = f"{read:,} read" + (f", {bad:,} not used" if bad else "")
    share = bad / max(read, 1)
    if not bad:
        yield Finding("records", "Request records", value)
        return
    reason = f"{percent(share)} of the request records could not be read or believed: counts and rates are too small."
    yield Finding(
        "records", "Request records", value, "warn", "", reason if share > limits.RECORDS_DOUBTFUL else ""
    )
