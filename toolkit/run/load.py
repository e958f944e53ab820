"""Drives the scenarios of a plan: starts the engines, watches them, ends them, collects their records."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.engines.live import LiveTail
from toolkit.engines.registry import engine
from toolkit.errors import CheckFailedError, RunInvalidError, ToolkitError
from toolkit.plan.secrets import mask_urls
from toolkit.recording.manifest import LoadEntry
from toolkit.run.canary import start_canary
from toolkit.run.cluster import Clusters
from toolkit.run.desk import Progress
from toolkit.run.engine_processes import EngineProcesses, end_all, start_engine
from toolkit.run.folder import require_room
from toolkit.run.generator import GeneratorWatch
from toolkit.run.jobs import canary_of, in_turn, planned_loads, recovery_loads
from toolkit.run.lending import reach_lenders
from toolkit.run.live_checks import LATE_NS, LiveChecks
from toolkit.run.scaling import Scaling
from toolkit.run.secret_scan import environment_without_secrets

if TYPE_CHECKING:
    from toolkit.engines.base import Engine, Launch
    from toolkit.recording.layout import LoadFolder
    from toolkit.run.canary import CanaryProcess
    from toolkit.run.context import Run
    from toolkit.run.jobs import PlannedLoad
    from toolkit.run.lending import Lending
    from toolkit.run.live_checks import Failure

_POLL_S = 0.1
_TELL_S = 0.5  # reading the records costs the generator's machine some CPU
_ENGINE_WIND_DOWN_S = 5.0  # Artillery's own start and end, field/artillery.md §1


@dataclass
class _Driven:
    """One engine."""

    engine: Engine
    folder: LoadFolder
    launch: Launch
    entry: LoadEntry
    tail: LiveTail
    replicas: int | None = None
    """What the service is scaled to before it starts."""
    process: EngineProcesses | None = None
    began: float = 0.0
    arriving: float = 0.0
    """When its first phase was seen to begin: an engine may take many seconds before; 0 until then."""
    stopped_by_us: bool = False
    broke: bool = False
    """A limit of a stress broke, which is its end."""
    overdue: bool = False

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll()

    def remaining_s(self) -> float:
        """As planned, from when its users began to arrive; 0 once only those are left that take longer."""
        if not self.arriving and self.engine.users_arrive(self.folder):
            self.arriving = time.monotonic()
        lasted_s = time.monotonic() - self.arriving if self.arriving else 0.0
        return max(0.0, self.launch.planned_s + _ENGINE_WIND_DOWN_S - lasted_s)

    @property
    def sends(self) -> bool:
        return self.running and (self.launch.sends_after or not self.engine.users_left(self.folder))


@dataclass
class Drive:
    """All scenarios of one run; `finish` may be called at any time and any number of times."""

    run: Run
    waiting: list[_Driven] = field(default_factory=list)
    begun: list[_Driven] = field(default_factory=list)
    canary: CanaryProcess | None = None
    watch: GeneratorWatch | None = None
    checks: LiveChecks = field(default_factory=lambda: LiveChecks(()))
    scaling: Scaling | None = None
    lending: Lending | None = None
    """Where some of the load is made on other hosts."""
    clusters: Clusters | None = None
    """Where some of it is made in pods."""
    stress: bool = False
    """The load is raised until a limit breaks; False again once one broke, or none can any more."""
    _steps_ended: float = 0.0
    _quiet: bool = False
    _finished: bool = False

    def prepare(self) -> None:
        """Make every command before any load starts."""
        manifest = self.run.manifest
        self.stress = "limits" in manifest.shape
        self.checks = LiveChecks([*(manifest.checks or ()), *manifest.shape.get("limits", ())])
        self.checks.follow(self.run.sessions)
        scale = self.run.plan.load.scale if self.run.plan.load else None
        self.scaling = Scaling(self.run, scale) if scale else None
        self.lending = reach_lenders(self.run)
        self.clusters = Clusters(self.run)
        self.clusters.reach()
        self.waiting += [self._made(planned) for planned in planned_loads(self.run.plan)]

    def _made(self, planned: PlannedLoad) -> _Driven:
        scenario = planned.scenario
        folder = self.run.folder.load(planned.name)
        folder.path.mkdir(parents=True, exist_ok=True)
        made = engine(scenario.engine)
        file = str(scenario.file) if scenario.file else ""
        entry = LoadEntry(name=planned.name, file=file, engine=scenario.engine)
        self.run.manifest.loads.append(entry)
        self.run.manifest.versions.update(made.versions())
        launch = made.launch(planned.job, folder)
        tail = LiveTail(folder.request_parts, on_block=self.checks.taker(folder))
        return _Driven(made, folder, launch, entry, tail, planned.replicas)

    def drive(self) -> None:
        """Start what is due, wait until all has ended, keep the observer told.

        Raises:
            InterruptedRunError: a signal came.
        """
        parallel = not in_turn(self.run.plan)
        told = 0.0
        self._watch_generator()
        while self.waiting or any(driven.running for driven in self.begun) or self._may_still_break():
            while self.waiting and (parallel or not any(driven.running for driven in self.begun)):
                self._start(self.waiting.pop(0))
            time.sleep(_POLL_S)
            self.run.interrupts.check()
            self.run.watch_agents()
            require_room(self.run.folder.path)
            if self.watch is not None:
                self.watch.sample_if_due()
            self._end_overdue()
            self._note_ended()
            self._note_quiet()
            if time.monotonic() >= told + _TELL_S:
                told = time.monotonic()
                self.run.desk.observer.progress(self.progress())
                if self._stopped_by_a_check():
                    return
        self._note_ended()

    def finish(self) -> None:
        """End what still runs and collect every record there is."""
        if self._finished:
            return
        self._finished = True
        running = [driven for driven in self.begun if driven.running]
        for driven in running:
            driven.stopped_by_us = True
        end_all([driven.process for driven in running if driven.process is not None])
        self._stop_watching()
        self._note_ended()
        for driven in self.begun:
            driven.engine.collect(driven.folder)
        self._leave_out("the run ended before")

    def _leave_out(self, why: str) -> None:
        for driven in self.waiting:
            self.run.missing(f"Scenario {driven.entry.name} was not started: {why}.")
        self.waiting = []

    def _stopped_by_a_check(self) -> bool:
        """Look at the checks that have a window; whether one of them wants the load to end."""
        if any(driven.remaining_s() and driven.arriving for driven in self.begun):
            self.checks.begin(time.time_ns())
        for failure in self.checks.look(time.time_ns()):
            if failure.entry.get("limit"):
                self._break(failure)
                continue
            stops = bool(failure.entry.get("abort"))
            self.run.event("check_failed", check=failure.check.text, stops=stops, **failure.seen())
            if stops:
                failure.entry["aborted"] = failure.seen()
                self.run.problem(CheckFailedError(f"Stopped by a check: {failure.words}."))
                return True
            self.run.desk.observer.note(f"a check does not hold: {failure.words}")
        return False

    def _break(self, failure: Failure) -> None:
        """A limit of the stress broke: end the steps, and see whether the service recovers."""
        if not self.stress:
            return
        self.stress = False
        failure.entry["aborted"] = failure.seen()
        self.run.event("stress_broke", check=failure.check.text, **failure.seen())
        self.run.desk.observer.note(f"a limit broke: {failure.words}")
        running = [driven for driven in self.begun if driven.running]
        for driven in running:
            driven.stopped_by_us = driven.broke = True
        end_all([driven.process for driven in running if driven.process is not None])
        self._note_ended()
        self.waiting = [self._made(planned) for planned in recovery_loads(self.run.plan)]

    def _may_still_break(self) -> bool:
        """After the last step its windows are looked at, before a stress that held is over."""
        if not self.stress or not self.begun:
            return False
        self._steps_ended = self._steps_ended or time.monotonic()
        self.stress = time.monotonic() < self._steps_ended + LATE_NS / 1e9 + 2 * _TELL_S
        return self.stress

    def progress(self) -> Progress:
        """Sums over all scenarios."""
        counts = [driven.tail.poll() for driven in self.begun]
        p95 = [count.p95_ms for count in counts if count.p95_ms is not None]
        return Progress(
            elapsed_s=self.run.elapsed_s(),
            remaining_s=self._remaining_s(),
            requests=sum(count.requests for count in counts),
            requests_per_s=sum(count.per_s for count in counts),
            p95_ms=max(p95, default=None),
            failed=sum(count.failed for count in counts),
            samples=self._samples(),
        )

    def _samples(self) -> int | None:
        sessions = self.run.sessions.values()
        return sum(session.sample_count for session in sessions) if sessions else None

    def _remaining_s(self) -> float:
        left = [driven.remaining_s() for driven in self.begun if driven.running]
        if in_turn(self.run.plan):
            return sum(left) + sum(driven.launch.planned_s + _ENGINE_WIND_DOWN_S for driven in self.waiting)
        return max(left, default=0.0)

    def _watch_generator(self) -> None:
        """Before the first user: the canary learns what an idle service answers like."""
        plan, folder = self.run.plan, self.run.folder.generator
        self.watch = GeneratorWatch(folder)
        url = canary_of(plan)
        if plan.load is None or url is None:
            return
        try:
            environment = environment_without_secrets(plan)
            self.canary = start_canary(
                url, plan.load.canary.rate, self.run.manifest.run_id, folder, environment
            )
        except OSError as error:
            self.run.missing(f"No canary was sent: {error.strerror or error}.")
            return
        self.run.event("canary_started", url=mask_urls(url), pid=self.canary.pid)

    def _stop_watching(self) -> None:
        if self.watch is not None:
            self.watch.close()
        if self.canary is not None:
            problem = self.canary.stop()
            self.run.event("canary_ended", problem=problem)
            if problem:
                self.run.missing(f"The canary ended early: {problem}.")

    def _start(self, driven: _Driven) -> None:
        if driven.replicas is not None and self.scaling is not None:
            self.scaling.to(driven.replicas)
        driven.began = time.monotonic()
        driven.entry.started_ns = time.time_ns()
        try:
            driven.process = self._started(driven.launch, driven.folder)
        except OSError as error:
            raise ToolkitError(f"{driven.entry.engine} could not be started: {error}.") from None
        self.begun.append(driven)
        if self.watch is not None:
            self.watch.add(driven.entry.name, driven.process.pids)
        if driven.launch.page:
            self.run.desk.observer.note(f"{driven.entry.name}: Locust's own page is {driven.launch.page}")
        pid = next(iter(driven.process.pids), None)  # none where all of it runs in a cluster
        self.run.event("load_started", scenario=driven.entry.name, pid=pid)

    def _started(self, launch: Launch, folder: LoadFolder) -> EngineProcesses:
        if launch.pods is not None and self.clusters is not None:
            main, workers = self.clusters.start(launch, launch.pods, folder)
            return EngineProcesses(main, list(zip(launch.helpers, workers, strict=True)), folder)
        return start_engine(launch, folder, environment_without_secrets(self.run.plan), self.lending)

    def _note_quiet(self) -> None:
        """Artillery takes a second to see that its last user has left, and another to end: no reason to wait with the rest."""
        if (
            not self._quiet
            and not self.stress
            and not self.waiting
            and not any(driven.sends for driven in self.begun)
        ):
            self._quiet = True
            self.run.event("users_left")
            self.run.end_recordings()

    def _end_overdue(self) -> None:
        late = [
            driven
            for driven in self.begun
            if driven.running and time.monotonic() - driven.began > driven.launch.deadline_s
        ]
        for driven in late:
            driven.overdue = True
        end_all([driven.process for driven in late if driven.process is not None])

    def _note_ended(self) -> None:
        for driven in self.begun:
            if driven.process is None or driven.running or driven.entry.ended_ns:
                continue
            code = driven.process.exit_code or 0
            driven.entry.ended_ns = time.time_ns()
            driven.entry.exit_code = code
            ending = driven.engine.ending(code, driven.folder, driven.stopped_by_us)
            problem = "" if driven.broke else ending.problem
            if driven.overdue:
                problem = (
                    f"it still ran {driven.launch.deadline_s:.0f} s after its start, "
                    f"{driven.launch.planned_s:.0f} s were planned, and was ended"
                )
            driven.entry.problem = problem
            driven.entry.checks = list(ending.checks)
            self.run.event("load_ended", scenario=driven.entry.name, exit_code=code, problem=problem)
            error = _error(driven.entry.name, "invalid" if driven.overdue else ending.outcome, problem)
            if error is not None:
                self.run.problem(error)
            if ending.out_of_time:
                self._leave_out(f"{driven.entry.name} reached its limit of time")


def _error(name: str, outcome: str, problem: str) -> ToolkitError | None:
    if outcome == "invalid":
        return RunInvalidError(f"Scenario {name}: {problem}.", "Its numbers must not be used.")
    if outcome == "check-failed":
        return CheckFailedError(f"Scenario {name}: {problem}.")
    if outcome == "failed":
        return ToolkitError(f"Scenario {name}: {problem}.", f"See load/{name}/console.log in the run folder.")
    return None
