"""One view's chain of chunks: the next recorder samples before the last is stopped, so that no moment is missed."""

from __future__ import annotations

import math
import time
from typing import Callable, Optional

import clock
import rates
from crew import Crew, Order, Target
from faults import is_full

FIRST_CHUNK_S = 0.5  # long enough to hold samples, short enough to wait for
BEGIN_WITHIN_S = 10.0
RETRIES = 5
RETRY_PAUSE_S = 0.2
STAGGER_S = (
    0.15  # between the views: two recorders that read symbols at once would take both cores of a small server
)


def next_boundary(now_s: float, chunk_s: float, at_least_s: float) -> float:
    """The first multiple of `chunk_s` on the wall clock that is `at_least_s` away or more."""
    return math.ceil((now_s + at_least_s) / chunk_s) * chunk_s


class Chunk:
    """One crew and the number and rate it runs under."""

    def __init__(self, crew: Crew, seq: int, rate_hz: int) -> None:
        self.crew = crew
        self.seq = seq
        self.rate_hz = rate_hz
        self.note = ""


class View:
    """Rotates the recorders of one view.

    Args:
        name: wall, cpu or gil.
        executable: py-spy.
        folder: where recorders write.
        chunk_s: seconds between boundaries; may be changed for the chunks to come.
        position: 0 for the first view; later ones rotate a little later.
        done: called with this view and each chunk that ended.
        stopping: called before a recorder is told to end.
    """

    def __init__(
        self,
        name: str,
        executable: str,
        folder: str,
        chunk_s: float,
        position: int,
        done: Callable[[View, Chunk], None],
        stopping: Callable[[View], None],
    ) -> None:
        self.name = name
        self.targets: list[Target] = []
        self.rate_hz = 0
        self._executable = executable
        self._folder = folder
        self.chunk_s = chunk_s
        self._rest_s = 0.0
        self._offset_s = position * STAGGER_S
        self._done = done
        self._about_to_stop = stopping
        self._seq = 0
        self._due_s = 0.0
        self._rest_until_s = 0.0
        self._current: Optional[Chunk] = None
        self._next: Optional[Chunk] = None
        self._ending: list[Chunk] = []
        self._stopping = False
        self.calibrating = (
            True  # the first chunk ends before the next begins: the next one's rate follows from it
        )
        self.calibrated = False
        self._retry_at = 0.0
        self.failures = 0  # in a row
        self.last_complaint = ""

    def begin(self, targets: list[Target], rate_hz: int) -> None:
        """Start the first, short chunk. The first target is the arbiter."""
        self.targets, self.rate_hz = targets, rate_hz
        self._next = self._start()

    def follow(self, targets: list[Target], *, at_once: bool = False) -> None:
        """Record these from the next chunk on, and who is new among them from now on.

        `at_once` begins the next chunk now: the arbiter has handed over to a new one.
        """
        self.targets = targets
        if at_once:
            self._due_s = clock.now()
        crews = [chunk.crew for chunk in (self._current, self._next) if chunk is not None]
        for crew in crews:
            for target in targets:
                crew.add(target)

    def end_by(self, boundary_s: float) -> None:
        """End the present chunk by the next multiple of `boundary_s`, however long it was to be."""
        self._due_s = min(self._due_s, next_boundary(clock.now(), boundary_s, 0.0) + self._offset_s)

    def rest_between(self, rest_s: float, phase_s: float) -> None:
        """Rest so long after each chunk from now on; where it did not yet, its turn comes so much later than the first view's."""
        if rest_s and not self._rest_s:
            if self._current is None:
                self._rest_until_s = clock.now() + phase_s
            else:
                self._due_s += phase_s
        self._rest_s = rest_s

    def _start(self) -> Optional[Chunk]:
        seq = self._seq
        self._seq += 1
        name = "%s-%06d" % (self.name, seq)
        gentle = self._current is not None or self._rest_until_s > 0
        order = Order(self._executable, self._folder, name, self.name, self.rate_hz, self.chunk_s, gentle)
        try:
            crew = Crew(order, self.targets, self._relieve)
        except OSError as error:
            if is_full(error):
                raise
            self._failed("py-spy could not be started: %s" % error.strerror)
            return None
        at_least = min(FIRST_CHUNK_S, self.chunk_s / 2)
        # With rests every chunk is as long as the other: a short one would cost its start for little.
        now = clock.now()
        self._due_s = (
            now + self.chunk_s
            if self._rest_s
            else next_boundary(now, self.chunk_s, at_least) + self._offset_s
        )
        return Chunk(crew, seq, self.rate_hz)

    def _relieve(self, pid: int) -> None:
        """The coming chunk's recorder of a process samples: the present one's may end."""
        if self._next is not None and self._current is not None:
            if self._current.crew.stopped_ns is None:
                self._about_to_stop(self)
            self._current.crew.relieve(pid)

    def _failed(self, complaint: str) -> None:
        self.failures += 1
        self.last_complaint = complaint
        self._retry_at = time.monotonic() + RETRY_PAUSE_S * self.failures

    @property
    def given_up(self) -> bool:
        """Whether it failed so often in a row that another try is useless."""
        return self.failures > RETRIES

    @property
    def idle(self) -> bool:
        """Whether no recorder runs."""
        return not (self._current or self._next or self._ending)

    @property
    def sampling(self) -> bool:
        """Whether a recorder samples at this moment."""
        return self._current is not None

    @property
    def crews(self) -> list[Crew]:
        """Every crew that runs."""
        chunks = [self._current, self._next, *self._ending]
        return [chunk.crew for chunk in chunks if chunk is not None]

    @property
    def starting(self) -> bool:
        """Whether a recorder is about to begin: it is looked at again in milliseconds."""
        return self._next is not None

    @property
    def ending(self) -> bool:
        """Whether a recorder that was told to end has not: at a low rate that takes seconds."""
        return bool(self._ending)

    @property
    def wake_at(self) -> float:
        """When (wall clock) something is to be done next."""
        if self._current:
            return self._due_s
        return self._rest_until_s if self.resting else clock.now() + RETRY_PAUSE_S

    @property
    def resting(self) -> bool:
        """Whether no recorder is to run at this moment."""
        return self._current is None and clock.now() < self._rest_until_s

    def tick(self) -> None:
        """Do what is due. Never waits."""
        for crew in self.crews:
            crew.poll()
        self._finish_ended()
        if self._stopping:
            return
        self._switch()
        if self.calibrating and self._current is not None:
            self._end_calibration(self._current)
        elif self._current is not None and self._rest_s and clock.now() >= self._due_s:
            self._rest_until_s = self._due_s + self._rest_s
            self._end(self._current)
        elif self._may_start():
            self._next = self._start()

    def _may_start(self) -> bool:
        if self._next is not None or self.given_up or time.monotonic() < self._retry_at:
            return False
        if self.calibrating:
            return not self._ending and not self.calibrated
        if self._current is None:
            return clock.now() >= self._rest_until_s
        return clock.now() >= self._due_s

    def _end_calibration(self, chunk: Chunk) -> None:
        self._due_s = (chunk.crew.sampling_ns or 0) / 1e9 + FIRST_CHUNK_S
        if clock.now() >= self._due_s:
            self._end(chunk, awaited=True)

    def _end(self, chunk: Chunk, awaited: bool = False) -> None:
        """End the present chunk, and have none."""
        self._about_to_stop(self)
        chunk.crew.stop(awaited)
        self._ending.append(chunk)
        self._current = None

    def _switch(self) -> None:
        coming = self._next
        if coming is None:
            return
        if coming.crew.ready:
            if self._current is not None:
                self._about_to_stop(self)
                self._current.crew.stop()
                self._ending.append(self._current)
            self._current, self._next = coming, None
        elif time.monotonic() - coming.crew.started_at > BEGIN_WITHIN_S:
            coming.note = "py-spy did not begin to sample within %.0f s" % BEGIN_WITHIN_S
            self._failed(coming.note)
            coming.crew.stop()
            self._ending.append(coming)
            self._next = None

    def _finish_ended(self) -> None:
        for chunk in [self._current, self._next, *self._ending]:
            if chunk is None or chunk.crew.exit_code is None:
                continue
            if chunk not in self._ending:
                self._ended_by_itself(chunk)
            else:
                self._ending.remove(chunk)
                if chunk.crew.exit_code == 0:
                    self.failures = 0
            self._done(self, chunk)

    def _ended_by_itself(self, chunk: Chunk) -> None:
        complaint = chunk.crew.log.complaint or "exit code %s" % chunk.crew.exit_code
        chunk.note = "the recorder ended by itself: %s" % complaint
        self._failed(complaint)
        if chunk is self._current:
            self._current = None
        else:
            self._next = None

    def stop(self) -> None:
        """Stop for good: every recorder writes its file."""
        self._stopping = True
        self._about_to_stop(self)
        for crew in self.crews:
            crew.stop(awaited=True)
        self._ending += [chunk for chunk in (self._current, self._next) if chunk is not None]
        self._current = self._next = None


def accounts(name: str, chunk: Chunk) -> rates.Measured:
    """What a finished chunk of a view cost."""
    crew = chunk.crew
    begun = crew.sampling_ns or crew.ended_ns or 0
    stopped = crew.stopped_ns or crew.ended_ns or begun
    return rates.Measured(chunk.rate_hz, max(0, stopped - begun) / 1e9, crew.cpu_s, crew.start_cpu_s, name)
