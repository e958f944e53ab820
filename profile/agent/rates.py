"""How often to sample: as often as the budget of CPU time allows, all views and their fixed costs together.

Recorders cost CPU three times over: to start (symbols of every process are read, once a chunk), per sample, and, where
one recorder looks after a whole tree, to look for new processes (all of /proc, ten times a second). The first and the
last do not depend on the rate. What remains of the budget buys samples.
The law for a sample is a first guess; from then on the kernel's accounts of finished recorders decide.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Optional

MAX_HZ, MIN_HZ, MAX_ASKED_HZ = 100, 1, 1000
# py-spy sees that it is to end only when it wakes for its next sample: at 1 Hz a run waits seconds for its last chunk.
# So slow only where this rate would cost DEAR times the budget.
PROMPT_HZ, DEAR = 2, 1.5
CALIBRATION_MIN_HZ = 20  # so that the first, short chunk holds samples whatever the budget, and ends soon
PROCESS_S, THREAD_S = 0.0003, 0.00007  # CPU per sample: per process and per thread
SCAN_S_PER_PROCESS = 10 * 20e-6  # per second and process of the whole machine, for the look at /proc
MOST_SCAN_SHARE = 0.8  # of what a running recorder was seen to use: the rest is sampling
START_S_PER_PROCESS = 0.010
# The wall view reads every thread at every sample, the others only those that do something: at the same rate it costs the
# most and says the least more, so it gets the fewest.
WEIGHTS = {"wall": 1 / 2}
LOWEST_TRUSTED_SHARE = 0.8  # of the law: an idle service costs less per sample than the same one under load
FORGET = 0.3  # per round, of a sample that was dearer: it became cheap because the load rests, and that will come back
# A service that has grown so many threads since its samples were last paid for works harder too: each sample is then dearer
# than threads alone explain, and that is known only when the chunk has ended.
GROWN, CAUTION = 1.5, 1.5
UNTRIED = 2.0  # what the first chunk saw was perhaps idle, and the load may come at once: begin at half of what it could pay
AIM = 0.9  # of the budget: a service under load grows dearer between two corrections
UPPER, LOWER = 1.1, 0.8  # the measured cost may be so far from the budget before the rate is changed
CALM_ROUNDS = 3  # rounds below LOWER before the rate is raised: lowering is urgent, raising is not
STEP_UP = 1.5
PAUSE_ROUNDS = 12
LONGEST_ADVISED_CHUNK_S = 60.0
# Of the budget, for starting recorders. Beyond that chunks are made longer, by whole multiples: a window that can be told apart
# by five seconds but holds three samples says less than one of ten seconds that holds thirty.
MOST_START_SHARE = 0.4
STRETCHES, LONGEST_CHUNK_S = (1, 2, 3, 4, 6), 30.0
SETTLED = 0.7  # of that share, before chunks are made shorter again
# Where even MIN_HZ costs more than the budget, recorders run for this part of the time at the least, and rest between chunks.
LEAST_ACTIVE = 0.25


class Size(NamedTuple):
    """How much there is to look at."""

    processes: int
    threads: int
    on_machine: int  # processes that are looked through for new ones; 0 where each has its own recorder


class Measured(NamedTuple):
    """The accounts of one finished chunk; `start_cpu_s` was used before it sampled."""

    rate_hz: float
    duration_s: float
    cpu_s: float
    start_cpu_s: float
    view: str


def one_by_one(processes: int, on_machine: int, chunk_s: float) -> bool:
    """Whether a recorder for each process costs less than one for the whole tree."""
    return processes * START_S_PER_PROCESS / chunk_s <= SCAN_S_PER_PROCESS * on_machine


def sample_s(size: Size) -> float:
    """CPU seconds that one sample of everything is thought to cost."""
    return PROCESS_S * size.processes + THREAD_S * size.threads


def within(rate: float, lowest: int) -> int:
    """A rate that py-spy takes, in the bounds of what we choose by ourselves."""
    return int(max(lowest, min(MAX_HZ, rate)))


class Budget:
    """Chooses the views' rates, from what their recorders were seen to cost. `rate_hz` is that of a view of weight 1.

    Args:
        percent: of one core, for all views together.
        chunk_s: how long a chunk is to be; the attribute of that name is how long it is (docs/decisions/009).
        views: what is recorded.
        size: what there is to look at.
        fixed_hz: a rate that was asked for; the budget then only predicts and reports.
    """

    def __init__(
        self, percent: float, chunk_s: float, views: list[str], size: Size, fixed_hz: Optional[int] = None
    ) -> None:
        self.percent = percent
        self.chunk_s = self._least_chunk_s = chunk_s
        self._views = views
        self._weights = {view: WEIGHTS.get(view, 1.0) if len(views) > 1 else 1.0 for view in views}
        self.size = size
        self.fixed_hz = fixed_hz
        self._start_s = START_S_PER_PROCESS * size.processes
        self._scan_share = SCAN_S_PER_PROCESS * size.on_machine
        # What a sample costs, as a share of what the law says for the size at that time: a service that grows threads
        # under load grows the cost at once, and is not waited for.
        self._dearness = dict.fromkeys(views, 1.0)
        self._paid_threads = size.threads
        self._measured_percent: Optional[float] = None
        self._calm = 0
        self._rounds = 0
        self._too_dear = MAX_HZ + 1
        self._patience = 0
        self._pause = PAUSE_ROUNDS
        self.lowest_hz = PROMPT_HZ  # no view goes below
        self.active = 1.0  # part of the time in which recorders run (docs/decisions/026)
        self._stretch()
        self._lower_floor()
        self._rest()
        self.rate_hz = fixed_hz or self._within(self._affordable())

    def rate_of(self, view: str) -> int:
        """The rate of one view."""
        return self.fixed_hz or self._within(self.rate_hz * self._weights[view])

    def _sample_s(self, view: str) -> float:
        caution = CAUTION if self.size.threads > GROWN * self._paid_threads else 1.0
        return caution * self._dearness[view] * sample_s(self.size)

    def resized(self, size: Size) -> Optional[int]:
        """The service has grown or shrunk; the new rate where the old one can no longer be paid."""
        self.size = size
        self._lower_floor()
        self._rest()
        if self.fixed_hz or self.predicted_percent <= UPPER * self.percent:
            return None
        return self._set(min(self.rate_hz, self._within(self._affordable())))

    def _lower_floor(self) -> None:
        """Once too dear, always too dear: the floor must not go up and down with the accounts."""
        prompt = self.fixed_percent + 100.0 * PROMPT_HZ * sum(map(self._sample_s, self._views))
        if prompt > DEAR * self.percent:
            self.lowest_hz = MIN_HZ

    def _rest(self) -> None:
        """Let recorders rest for as long as MIN_HZ is too dear; run all the time again once that is clearly paid."""
        if self.fixed_hz or self.lowest_hz > MIN_HZ:
            return
        lowest = self.fixed_percent + 100.0 * MIN_HZ * sum(map(self._sample_s, self._views))
        if self.active < 1.0 or lowest > UPPER * self.percent:
            self.active = min(1.0, max(LEAST_ACTIVE, AIM * self.percent / lowest))

    @property
    def rest_s(self) -> float:
        """How long recorders rest after each chunk; 0 where one chunk follows the other."""
        return self.chunk_s * (1.0 / self.active - 1.0)

    def _stretch(self) -> None:
        """Make chunks as long as starting their recorders demands; a rate that was asked for pays what it costs."""
        if self.fixed_hz:
            return
        start = 100.0 * len(self._views) * self._start_s / (MOST_START_SHARE * self.percent)
        needed, settled = self._chunk_for(start), self._chunk_for(start / SETTLED)
        if needed > self.chunk_s or settled < self.chunk_s:
            self.chunk_s = max(needed, min(settled, self.chunk_s))

    def _chunk_for(self, least_s: float) -> float:
        lengths = [self._least_chunk_s * times for times in STRETCHES]
        allowed = [length for length in lengths if length <= max(LONGEST_CHUNK_S, self._least_chunk_s)]
        return next((length for length in allowed if length >= least_s), allowed[-1])

    def _within(self, rate: float) -> int:
        return within(rate, self.lowest_hz)

    @property
    def calibration_hz(self) -> int:
        """The rate of the first, short chunk."""
        return self.fixed_hz or max(self.rate_hz, CALIBRATION_MIN_HZ)

    def round(self, chunks: list[Measured]) -> Optional[int]:
        """Take the accounts of one chunk of every view; the new rate where it is to change.

        The first round is the calibration. Later ones lower the rate at once and raise it gently.
        """
        chunks = [chunk for chunk in chunks if chunk.duration_s > 0.2]
        if not chunks:
            return None
        self._rounds += 1
        self._learn(chunks)
        self._stretch()
        self._lower_floor()
        cost = self.active * sum(map(self._cost_percent, chunks)) * len(self._views) / len(chunks)
        self._rest()
        if self._rounds == 1:
            return None if self.fixed_hz else self._set(self._within(self._affordable() / UNTRIED))
        previous = self._measured_percent
        self._measured_percent = cost if previous is None else 0.5 * previous + 0.5 * cost
        return None if self.fixed_hz else self._correct(cost)

    def _learn(self, chunks: list[Measured]) -> None:
        weight = 1.0 if self._rounds == 1 else 0.5
        start = max(chunk.start_cpu_s for chunk in chunks)
        self._start_s += weight * (start - self._start_s)
        running = min((chunk.cpu_s - chunk.start_cpu_s) / chunk.duration_s for chunk in chunks)
        self._scan_share = min(SCAN_S_PER_PROCESS * self.size.on_machine, MOST_SCAN_SHARE * running)
        law = sample_s(self.size)
        self._paid_threads = self.size.threads
        for chunk in chunks:
            seen = max(self._variable_s(chunk) / (chunk.rate_hz * chunk.duration_s), 1e-6) / law
            before = self._dearness[chunk.view]
            if self._rounds == 1:
                self._dearness[chunk.view] = max(seen, LOWEST_TRUSTED_SHARE)
            else:
                self._dearness[chunk.view] = seen if seen > before else before + FORGET * (seen - before)

    def _variable_s(self, chunk: Measured) -> float:
        running = chunk.cpu_s - chunk.start_cpu_s
        return max(running - self._scan_share * chunk.duration_s, 0.1 * running, 0.0)

    def _cost_percent(self, chunk: Measured) -> float:
        return 100.0 * (
            (chunk.cpu_s - chunk.start_cpu_s) / chunk.duration_s + chunk.start_cpu_s / self.chunk_s
        )

    def _correct(self, cost: float) -> Optional[int]:
        self._patience = max(0, self._patience - 1)
        self._calm = self._calm + 1 if cost < LOWER * self.percent else 0
        if cost > UPPER * self.percent:
            # At 1 to 4 Hz one step is a large one: what proved too dear is not tried again soon, and ever less often.
            self._too_dear, self._patience = self.rate_hz, self._pause
            self._pause = min(2 * self._pause, 64 * PAUSE_ROUNDS)
            return self._set(min(self.rate_hz - 1, self._within(self._affordable())))
        if self._calm >= CALM_ROUNDS:
            self._calm = 0
            higher = min(int(self.rate_hz * STEP_UP) + 1, self._within(self._affordable()))
            if self._patience:
                higher = min(higher, self._too_dear - 1)
            return self._set(max(self.rate_hz, higher))
        return None

    def _set(self, rate: int) -> Optional[int]:
        rate = self._within(rate)
        if rate == self.rate_hz:
            return None
        self.rate_hz = rate
        return rate

    @property
    def fixed_percent(self) -> float:
        """What all views cost at any rate."""
        return 100.0 * len(self._views) * (self._start_s / self.chunk_s + self._scan_share)

    @property
    def predicted_percent(self) -> float:
        """What all views are thought to cost at the rate that is set, rests and all."""
        samples = sum(self._sample_s(view) * self.rate_of(view) for view in self._views)
        return self.active * (self.fixed_percent + 100.0 * samples)

    def _affordable(self) -> float:
        one_hz = sum(self._sample_s(view) * self._weights[view] for view in self._views)
        return (AIM * self.percent - self.fixed_percent) / (100.0 * one_hz)

    def as_message(self, agent_percent: Optional[float] = None) -> dict[str, Any]:
        """The `budget` object on the wire; percentages are of one core."""
        known = self._measured_percent
        exceeded = (self.predicted_percent if known is None else known) > UPPER * self.percent
        return {
            "percent": self.percent,
            "rate_hz": self.rate_hz,
            "chunk_s": self.chunk_s,
            "rest_s": round(self.rest_s, 1),
            "asked_for": self.fixed_hz is not None,
            "fixed_percent": round(self.fixed_percent, 2),
            "predicted_percent": round(self.predicted_percent, 2),
            "measured_percent": None if known is None else round(known, 2),
            "agent_percent": None if agent_percent is None else round(agent_percent, 2),
            "processes": self.size.processes,
            "threads": self.size.threads,
            "exceeded": exceeded,
            "message": self._advice() if exceeded else self._resting() or None,
        }

    def _resting(self) -> str:
        if self.active == 1.0:
            return ""
        return (
            "Even at %d Hz the recorders need more than the budget of %.1f %% of a core: they record for %.0f s and rest for "
            "%.0f s, in turn. A larger budget, or fewer views, leaves no gaps."
            % (MIN_HZ, self.percent, self.chunk_s, self.rest_s)
        )

    def _advice(self) -> str:
        if self.fixed_hz:
            return "At the %d Hz asked for the recorders take about %.1f %% of a core." % (
                self.fixed_hz,
                self.predicted_percent,
            )
        views = len(self._views)
        if self.rate_hz > self.lowest_hz:
            return (
                "The recorders took %.1f %% of a core, more than the budget of %.1f %%: the rate is lowered."
                % (
                    self._measured_percent or self.predicted_percent,
                    self.percent,
                )
            )
        lowest = 100.0 * (views * self._scan_share + sum(map(self._sample_s, self._views)) * self.lowest_hz)
        told = "Even at %d Hz the recorders need more than the budget of %.1f %% of a core" % (
            self.lowest_hz,
            self.percent,
        )
        if self.active < 1.0:
            told += ", although they rest for %.0f %% of the time" % (100.0 * (1.0 - self.active))
        chunk_s = 100.0 * views * self._start_s / max(self.percent - lowest, 0.001)
        if self.chunk_s < chunk_s <= LONGEST_ADVISED_CHUNK_S:
            return (
                told
                + ", because each chunk costs %.2f s to start: chunks of %.0f s or more would fit."
                % (
                    self._start_s,
                    chunk_s + 1,
                )
            )
        needed = max(self.predicted_percent, self._measured_percent or 0.0)
        return told + ": raise it to %.0f %%, or record fewer views." % math.ceil(needed)
