"""What the generator's machine says: its CPU, its event loop, and the canary beside it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from toolkit.analysis.trust import limits
from toolkit.analysis.trust.canary import at_its_pace, is_answer, percentile
from toolkit.analysis.trust.findings import Finding, milliseconds, percent
from toolkit.analysis.trust.series import busiest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.trust.canary import Comparison, Window
    from toolkit.analysis.trust.reading import Canary, Generator, Row

_WAITS_BUSILY = {"uniform", "poisson", "count"}


@dataclass(frozen=True)
class Machine:
    """The generator's machine during the load."""

    generator: Generator
    from_s: float
    to_s: float
    """From the first to the last request."""

    @cached_property
    def _middles_s(self) -> list[float]:
        return [row["t_ns"] / 1e9 - float(row["interval_s"]) / 2 for row in self.generator.cpu]

    @cached_property
    def _loops(self) -> list[tuple[float, Row]]:
        pulses = ((row["t_ns"] / 1e9 - 0.5, row) for load in self.generator.loads for row in load.pulses)
        return sorted(pulses, key=lambda pair: pair[0])

    def rows_between(self, from_s: float, to_s: float) -> list[Row]:
        """The samples of CPU whose middle lies in it."""
        first, end = (bisect_left(self._middles_s, at_s) for at_s in (from_s, to_s))
        return self.generator.cpu[first:end]

    def loops_between(self, from_s: float, to_s: float, name: str = "loop_ms") -> list[float]:
        """Delays (ms; by default the means) of the event loops, one a second and thread."""
        first, end = (bisect_left(self._loops, at_s, key=lambda pair: pair[0]) for at_s in (from_s, to_s))
        return [float(row.get(name) or 0.0) for _, row in self._loops[first:end]]

    def at_its_limit(self, from_s: float, to_s: float) -> bool:
        """Whether the busiest thread used, or waited for, all of a core in most of that time."""
        values = [value for row in self.rows_between(from_s, to_s) if (value := busiest(row)) is not None]
        full = sum(value >= limits.BUSY_THREAD for value in values)
        return bool(values) and full >= limits.BUSY_SHARE * len(values)


def generator_cpu(machine: Machine) -> Iterator[Finding]:
    """Artillery makes all requests of a worker in one thread: one core is all that this thread can use."""
    rows = machine.rows_between(machine.from_s, machine.to_s)
    values = [used for row in rows if (used := busiest(row)) is not None]
    if not values:
        return
    value = f"{median(values):.2f} of a core (median), {max(values):.2f} at most"
    name = "CPU of the generator's busiest thread"
    full = sum(one >= limits.BUSY_THREAD for one in values) / len(values)
    if full < limits.BUSY_SHARE:
        yield Finding(
            "generator_cpu", name, value, words="used or waited for; one core is all that it can use"
        )
        return
    modes = {row.get("mode") for load in machine.generator.loads for row in load.schedules}
    if modes & _WAITS_BUSILY:
        words = (
            "a plain arrivalRate or arrivalCount waits in a busy loop, so that a full core says nothing by itself; "
            "`rampTo` of the same number does not"
        )
        yield Finding("generator_cpu", name, value, "none", words)
        return
    reason = (
        f"The load generator's busiest thread was at the limit of its core in {percent(full)} of the seconds: response times "
        "hold some of its own slowness."
    )
    yield Finding("generator_cpu", name, value, "warn", "at its limit", reason)


def host_cpu(machine: Machine) -> Iterator[Finding]:
    """A machine without a core to spare delays whatever runs on it."""
    rows = machine.rows_between(machine.from_s, machine.to_s)
    if not rows:
        return
    cores = max(float(row["cores"]) for row in rows)
    used = [float(row["host_cpu"]) for row in rows]
    value = f"{median(used):.1f} of {cores:.0f} cores (median)"
    full = sum(one >= limits.HOST_BUSY * cores for one in used) / len(used)
    if full < limits.BUSY_SHARE:
        yield Finding("host_cpu", "CPU of the generator's machine", value)
        return
    reason = (
        f"The load generator's machine had no core to spare in {percent(full)} of the seconds: what ran on it, the generator "
        "too, had to wait for one."
    )
    words = "no core to spare; where the service runs on the same machine, they slow each other"
    yield Finding("host_cpu", "CPU of the generator's machine", value, "warn", words, reason)


def event_loop(machine: Machine) -> Iterator[Finding]:
    """A loop that is late is late for answers, too: the generator stamps them when it comes to them."""
    values = machine.loops_between(machine.from_s, machine.to_s, "loop_p99_ms")
    if not values:
        return
    typical = median(values)
    value = (
        f"p99 {milliseconds(typical)} late (median of the seconds), {milliseconds(max(values))} in the worst"
    )
    if typical < limits.LOOP_DOUBTFUL_MS:
        yield Finding("event_loop", "Event loop of the generator", value)
        return
    reason = (
        f"The load generator's event loop was {milliseconds(typical)} late at its 99th percentile: response times hold up to "
        "that much of its own slowness."
    )
    yield Finding("event_loop", "Event loop of the generator", value, "warn", "", reason)


def canary(bird: Canary, compared: Comparison, machine: Machine) -> Iterator[Finding]:
    """Where the load says slow and the canary says quick of the same address in the same seconds, the generator is slow."""
    if not bird.url:
        yield Finding("canary", "Canary", "none", "none")
        return
    asked = _during(bird, machine)
    unanswered = [float(row["ms"]) for row in asked if not is_answer(row)]
    if len(unanswered) == len(asked):
        yield Finding("canary", "Canary", "no answer", "warn", f"{bird.url} did not answer it")
        return
    idle = f", {milliseconds(bird.idle_ms)} before the load" if bird.idle_ms is not None else ""
    took = [one.ms for one in at_its_pace(asked, bird.per_s)]
    p50, p95 = milliseconds(percentile(took, 50)), milliseconds(percentile(took, 95))
    value = f"p50 {p50}, p95 {p95}{idle}"
    if unanswered:
        value += f"; {len(unanswered):,} of {len(asked):,} without an answer (after up to {milliseconds(max(unanswered))})"
    if not compared.windows:
        words = f"{len(asked) - len(unanswered):,} answers of {bird.url}; not compared: {compared.why_not}"
        yield Finding("canary", "Canary", value, "warn" if unanswered else "none", words)
        return
    slow = [window for window in compared.windows if window.slow]
    typical, typical_canary = (
        median(getattr(window, name) for window in compared.windows) for name in ("load_ms", "canary_ms")
    )
    words = (
        f"from the same address, {bird.url}, in the same {len(compared.windows)} windows (median of their p50): the load "
        f"{milliseconds(typical)}, the canary {milliseconds(typical_canary)}"
    )
    if len(slow) < limits.WINDOWS_LEAST:
        yield Finding("canary", "Canary", value, words=words)
        return
    mostly = len(slow) >= limits.WINDOWS_SHARE * len(compared.windows)
    if not mostly:
        words += f"; in {len(slow)} of them the load was slower beyond chance"
    yield _slower(slow, value, words, machine, mostly=mostly)


def _slower(slow: list[Window], value: str, words: str, machine: Machine, *, mostly: bool) -> Finding:
    excess_ms = median(window.excess_ms for window in slow)
    canary_ms, load_ms = median(one.canary_ms for one in slow), median(one.load_ms for one in slow)
    where = "" if mostly else f" in {len(slow)} windows"
    said = (
        f"the canary got the same answers {milliseconds(excess_ms)} quicker than the load did{where} ({milliseconds(canary_ms)} "
        f"against {milliseconds(load_ms)}, medians of the {len(slow)} windows in which the load was slower)"
    )
    spans = [(window.start_s, window.end_s) for window in slow]
    full = sum(machine.at_its_limit(*span) for span in spans) >= limits.WINDOWS_SHARE * len(spans)
    loops = [delay for span in spans for delay in machine.loops_between(*span)]
    late = bool(loops) and median(loops) >= limits.LOOP_SHARE * excess_ms
    much = excess_ms > max(limits.EXCESS_INVALID_MS, limits.EXCESS_INVALID_SHARE * canary_ms)
    if full and late and much and mostly:
        reason = (
            f"The load generator is the bottleneck, not the service: {said}, while the generator used all the CPU that it can "
            f"use and its event loop was {milliseconds(median(loops))} late."
        )
        return Finding("canary", "Canary", value, "bad", words, reason, certain=True)
    if full or late:
        reason = f"The load generator may be the bottleneck: {said}."
        return Finding("canary", "Canary", value, "warn", words, reason)
    # The generator was idle. A connection that is kept stays with its worker, busy or not; the canary's are new.
    return Finding(
        "canary", "Canary", value, "warn", f"{words}; yet nothing shows that the generator was slow"
    )


def _during(bird: Canary, machine: Machine) -> list[Row]:
    return [row for row in bird.requests if machine.from_s <= row["t_ns"] / 1e9 <= machine.to_s]
