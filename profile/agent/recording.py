"""A recording: every view's chain of chunks, the budget over all of them, and the service that is being watched."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional

import clock
import facts
import procfs
import stopped
import watch
from faults import Fault, no_space
from rates import Budget, Measured
from views import Chunk, View, accounts

if TYPE_CHECKING:
    from census import Census
    from store import Store
    from workdir import WorkDirectory

Say = Callable[[Dict[str, Any]], bool]

LEAST_FREE_BYTES = 50 * 1000 * 1000
# Where somebody waits; where one recorder is to relieve another, which both sample meanwhile; where old ones are still to end.
AWAITED_S, RELIEVING_S, ENDING_S, CALM_S = 0.01, 0.02, 0.1, 0.25
FIRST_TRIES = 3  # first chunks of the wall view without a sample before it is a fault
STOP_WITHIN_S = 12.0


class Wanted(NamedTuple):
    """What `record` asked for; `verdicts` as `check.verdicts` gives them, for the views asked for."""

    verdicts: dict[str, dict[str, Any]]
    budget_percent: float
    rate_hz: Optional[int]
    chunk_s: float


class Recording:
    """Records one gunicorn until it is stopped or a fault ends it. `tick` must be called often; it never waits.

    Args:
        work: the agent's directory.
        census: who belongs to the gunicorn; the caller sees to it that it looks.
        wanted: which views and how.
        store: takes finished chunks.
        say: sends one message.
    """

    def __init__(self, work: WorkDirectory, census: Census, wanted: Wanted, store: Store, say: Say) -> None:
        self.tree = tree = census.tree
        self.stopped = False
        self._folder = work.running
        self._census = census
        self._looks = census.looks
        self._wanted = wanted
        self._store = store
        self._say = say
        names = list(dict.fromkeys(verdict["recorded_as"] for verdict in wanted.verdicts.values()))
        self._views = [
            View(
                name, work.executable, work.running, wanted.chunk_s, position, self._done, self._about_to_stop
            )
            for position, name in enumerate(names)
        ]
        self._budget = Budget(
            wanted.budget_percent,
            wanted.chunk_s,
            names,
            watch.size_of(tree, wanted.chunk_s),
            wanted.rate_hz,
        )
        self._costs: dict[str, Measured] = {}
        self._halted: dict[str, set[tuple[int, int]]] = {}
        self._tries = 0
        self._answered = False
        self._stopping_since: Optional[float] = None
        self._cpu_from = (time.monotonic(), time.process_time())

    def begin(self) -> None:
        """Start the first chunk of every view.

        Raises:
            Fault: `no-space`.
        """
        self._check_space()
        for view in self._views:
            view.begin(watch.targets(self.tree, self._budget.chunk_s), self._budget.calibration_hz)

    def tick(self) -> None:
        """Do what is due.

        Raises:
            Fault: fatal; the caller stops the recording and goes on ticking until `stopped`.
        """
        for view in self._views:
            view.tick()
        if self._stopping_since is not None:
            self._end_when_idle()
            return
        if self._census.looks != self._looks:
            self._looks = self._census.looks
            self._follow()
        self._answer()
        for view in self._views:
            if view.given_up:
                raise self._failed(view.last_complaint)

    @property
    def wait_s(self) -> float:
        """How long the caller may sleep before the next `tick`."""
        if self._stopping_since is not None or any(view.calibrating for view in self._views):
            return AWAITED_S
        if any(view.starting for view in self._views):
            return RELIEVING_S
        due = min([view.wake_at for view in self._views], default=clock.now())
        longest = ENDING_S if any(view.ending for view in self._views) else CALM_S
        return max(0.001, min(due - clock.now(), longest))

    def stop(self) -> None:
        """End every recorder with its data; `stopped` becomes true once they are gone."""
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            for view in self._views:
                view.stop()

    def _end_when_idle(self) -> None:
        late = time.monotonic() - (self._stopping_since or 0.0) > STOP_WITHIN_S
        if late:
            for view in self._views:
                for crew in view.crews:
                    crew.signal(9)
        if late or all(view.idle for view in self._views):
            self.stopped = True

    # -- one chunk has ended

    def _about_to_stop(self, view: View) -> None:
        self._halted[view.name] = stopped.halted(self.tree.pids)

    def _done(self, view: View, chunk: Chunk) -> None:
        before = self._halted.pop(view.name, None)
        if before is not None:
            released = stopped.release(self.tree.pids, before)
            if released:
                self._say(
                    {
                        "type": "log",
                        "message": "Processes left stopped by py-spy were continued: %s." % released,
                    }
                )
        line = chunk_line(view, chunk)
        self._store.add("%s-%06d.raw.gz" % (view.name, chunk.seq), chunk.crew.output, line)
        chunk.crew.clean()
        if chunk.crew.full and self._stopping_since is None:
            raise no_space(self._folder, fatal=True)
        if line["exit_code"] != 0:
            return
        self._costs[view.name] = accounts(view.name, chunk)
        if view.calibrating:
            self._calibrate(view, line["samples"] or 0)
        elif len(self._costs) == len(self._views):
            self._adapt()

    def _calibrate(self, view: View, samples: int) -> None:
        """Once every view has had its first chunk, the accounts set the rate and the recording proper begins."""
        self._tries += 1
        view.calibrated = samples > 0 or view.name != "wall"  # an idle service has nothing in cpu and gil
        if not view.calibrated and self._tries >= FIRST_TRIES + len(self._views):
            raise Fault(
                "no-samples",
                "py-spy runs but saw no thread of the service.",
                "Ask for a higher rate, or look at agent.log.",
                fatal=True,
            )
        if all(each.calibrated for each in self._views):
            self._adapt()
            for each in self._views:
                each.rate_hz = self._budget.rate_of(each.name)
                each.calibrating = False

    def _adapt(self) -> None:
        chunks, self._costs = list(self._costs.values()), {}
        self._budget.size = watch.size_of(self.tree, self._budget.chunk_s)
        before = self._budget.chunk_s
        rate = self._budget.round(chunks)
        for view in self._views:
            view.chunk_s = self._budget.chunk_s
        self._rest()
        self._set_rates(rate if self._budget.chunk_s == before else self._budget.rate_hz)

    def _rest(self) -> None:
        """Views take turns: what they cost together is the same at every moment, and the least."""
        rest_s = self._budget.rest_s
        for position, view in enumerate(self._views):
            view.rest_between(rest_s, position * (view.chunk_s + rest_s) / len(self._views))

    def _set_rates(self, rate: Optional[int]) -> None:
        """From the next chunk on, which comes soon where this one is too dear; None where nothing changes."""
        if rate is None:
            return
        for view in self._views:
            before, view.rate_hz = view.rate_hz, self._budget.rate_of(view.name)
            if view.rate_hz < before:
                view.end_by(self._wanted.chunk_s)
        if self._answered:
            self._say({"type": "rate", "views": self._rates(), "budget": self._budget_message()})

    def _rates(self) -> dict[str, Any]:
        return {view.name: {"rate_hz": float(view.rate_hz)} for view in self._views}

    def _budget_message(self) -> dict[str, Any]:
        elapsed = max(0.001, time.monotonic() - self._cpu_from[0])
        return self._budget.as_message(100.0 * (time.process_time() - self._cpu_from[1]) / elapsed)

    def _answer(self) -> None:
        """Say `recording` once the first samples of every view were seen and every view samples on, or rests."""
        if self._answered or any(
            view.calibrating or not (view.sampling or view.resting) for view in self._views
        ):
            return
        self._answered = True
        rates = {view.name: float(view.rate_hz) for view in self._views}
        views = {
            name: dict(verdict, rate_hz=rates[verdict["recorded_as"]])
            for name, verdict in self._wanted.verdicts.items()
        }
        self._say({"type": "recording", "views": views, "budget": self._budget_message()})

    def _failed(self, complaint: str) -> Fault:
        if not procfs.alive(self.tree.arbiter.pid, self.tree.arbiter.start_ticks):
            return self._gone()
        if "no space left" in complaint.lower():
            return no_space(self._folder, fatal=True)
        code = "not-permitted" if "permission" in complaint.lower() else "internal"
        return Fault(
            code, "py-spy failed again and again: %s" % complaint, "See the chunks' notes.", fatal=True
        )

    # -- after each look at the processes

    def _check_space(self) -> None:
        free = facts.disk_free_bytes(self._folder)
        if free < LEAST_FREE_BYTES:
            raise no_space(self._folder, fatal=True, told="Only %d MB are free in %%s." % (free // 1000000))

    def _follow(self) -> None:
        self._check_space()
        if self._census.gone:
            raise self._gone()
        before, now = self.tree, self._census.tree
        self.tree = now
        new_arbiter = now.arbiter.pid != before.arbiter.pid
        if new_arbiter or now.pids != before.pids:
            for view in self._views:
                view.follow(watch.targets(now, self._budget.chunk_s), at_once=new_arbiter)
        if self._answered:
            self._set_rates(self._budget.resized(watch.size_of(now, self._budget.chunk_s)))
            self._rest()

    def _gone(self) -> Fault:
        told = "The arbiter %d has ended." % self.tree.arbiter.pid
        return Fault("gone", told, "What was recorded until then is kept.", fatal=True)


def chunk_line(view: View, chunk: Chunk) -> dict[str, Any]:
    """The line of one ended chunk (CHUNK_FIELDS but for `bytes`)."""
    crew = chunk.crew
    log = crew.log
    notes = [chunk.note]
    if crew.sampling_ns is None and not chunk.note:
        notes.append("stopped before it sampled")
    elif crew.exit_code != 0 and not chunk.note:
        notes.append(log.complaint or "py-spy ended with %s" % crew.exit_code)
    notes.append(crew.note)
    if crew.forced:
        notes.append("SIGINT was not enough to end it")
    end = crew.stopped_ns or crew.ended_ns or 0
    start = min(crew.sampling_ns or end, end)  # the clock may have been set back meanwhile
    return {
        "view": view.name,
        "seq": chunk.seq,
        "start_ns": start,
        "end_ns": end,
        "rate_hz": float(chunk.rate_hz),
        "samples": log.samples,
        "errors": log.errors,
        "late_s": log.late_s,
        "cpu_s": round(crew.cpu_s, 4),
        "exit_code": crew.exit_code,
        "note": "; ".join(item for item in notes if item) or None,
    }
