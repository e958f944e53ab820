"""One run from its first stage to its bundle, whatever happens on the way."""

from __future__ import annotations

import platform
import shutil
import signal
import time
import traceback
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import toolkit
from toolkit.analysis.trust.findings import JUDGED
from toolkit.errors import (
    CheckFailedError,
    InterruptedRunError,
    RunInvalidError,
    ToolkitError,
)
from toolkit.plan.judging import checks_of, wanted_shape
from toolkit.plan.loading import plan_text
from toolkit.plan.secrets import mask_urls
from toolkit.recording.files import write_atomically
from toolkit.recording.jsonl import JsonLines
from toolkit.recording.manifest import Manifest
from toolkit.run.context import Run, unexpected
from toolkit.run.folder import make_run_folder, point_latest
from toolkit.run.interrupts import Interrupts
from toolkit.run.secret_scan import files_with, secrets_of
from toolkit.run.stages import check_everything

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from toolkit.plan.model import Plan
    from toolkit.recording.layout import RunFolder
    from toolkit.run.desk import Desk
    from toolkit.run.stages import RunKind

    Judged = Callable[[dict[str, Any]], bool]
    """Takes the summary, with its `trust` and `checks`; whether run.json is another one now."""


class Report(Protocol):
    """Builds what is derived of a run."""

    def begin(self, folder: RunFolder) -> None:
        """The load's records are whole: they may be read from here on. Waits for nothing."""

    def build(self, folder: RunFolder, judged: Judged) -> list[str]:
        """Build all of it, and say of each part that could not be built why."""


_OUTCOMES = (
    (InterruptedRunError, "interrupted"),
    (RunInvalidError, "invalid"),
    (CheckFailedError, "check-failed"),
)
_MOST_NAMED = 6
SEE = "The report says more under “Can this be trusted?”."


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `error` is None where all went well."""

    folder: RunFolder
    exit_code: int
    error: ToolkitError | None
    seconds: float


def execute(
    plan: Plan,
    kind: RunKind,
    command: str,
    desk: Desk,
    report: Report,
    *,
    duration_s: float | None = None,
) -> Outcome:
    """Check, run the stages, undo them, write the bundle.

    Raises:
        ToolkitError: before anything was recorded; then no run folder is left.
    """
    interrupts = Interrupts()
    with interrupts.listening():
        with interrupts.raising():
            desk.observer.stage("check")
            check_everything(plan, desk)
        run = _begin(plan, kind, command, desk, interrupts, duration_s)
        run.records_whole = partial(report.begin, run.folder)
        error = _run_stages(run, kind)
        run.unwind()
        if error is not None and not _worth_keeping(run, error):
            run.close()
            shutil.rmtree(run.folder.path, ignore_errors=True)
            raise error
        return _end(run, error, report, ends_by_signal=kind.ends_by_signal)


def _begin(
    plan: Plan, kind: RunKind, command: str, desk: Desk, interrupts: Interrupts, duration_s: float | None
) -> Run:
    now = time.time_ns()
    folder = make_run_folder(plan.reports, plan.name, now)
    manifest = Manifest(
        run_id=folder.path.name,
        plan_name=plan.name,
        command=command,
        started_ns=now,
        kind=kind.name,
        target=mask_urls(plan.target),
        checks=checks_of(plan),
        shape=wanted_shape(plan) if kind.name != "profile" and plan.load else {},
        commit=plan.commit,
    )
    manifest.versions = {
        "toolkit": toolkit.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    manifest.save(folder.manifest)
    write_atomically(folder.plan, plan_text(plan))
    signalled = kind.ends_by_signal
    return Run(plan, folder, manifest, JsonLines(folder.events), desk, interrupts, signalled, duration_s)


def _run_stages(run: Run, kind: RunKind) -> ToolkitError | None:
    for name, stage in kind.stages:
        waits = name in {"drive load", "profile"}  # these look at the signals themselves, at a safe place
        try:
            with run.stage(name):
                if waits:
                    stage(run)
                else:
                    with run.interrupts.raising():
                        stage(run)
        except ToolkitError as error:
            run.event("failed", stage=name, message=str(error))
            return error
        except Exception as error:  # noqa: BLE001 - whatever it is, what has begun must be undone
            run.event("failed", stage=name, message=str(error), traceback=traceback.format_exc())
            return unexpected(name, error)
    return None


def _end(run: Run, error: ToolkitError | None, report: Report, *, ends_by_signal: bool) -> Outcome:
    run.manifest.ended_ns = time.time_ns()
    leaked = _look_for_secrets(run)
    if leaked is not None:
        run.problem(leaked)
    settled = error or _worst(run, ends_by_signal=ends_by_signal)
    _settle(run, settled, "ended")
    settled = settled or _worst(run, ends_by_signal=ends_by_signal)  # the last lines may not have found room
    run.desk.observer.stage("report")

    def judged(summary: dict[str, Any]) -> bool:
        """What the numbers say of the run: they must not be used, or a check did not hold; an interruption comes before both."""
        nonlocal settled
        if error is not None or isinstance(settled, RunInvalidError):
            return False
        _take_judgement(run, summary)
        worst = _worst(run, ends_by_signal=ends_by_signal)
        if worst is settled or not isinstance(worst, (RunInvalidError, CheckFailedError)):
            return False
        settled = worst
        _settle(run, worst, "judged")
        return True

    problem = _build(run, report, judged, ends_by_signal=ends_by_signal)
    final = settled or problem or _look_for_secrets(run)
    run.close()
    point_latest(run.folder)
    return Outcome(run.folder, final.exit_code if final else 0, final, run.elapsed_s())


def _take_judgement(run: Run, summary: dict[str, Any]) -> None:
    """Of checks one line stands for all of them, those of the engines included."""
    trust, checks = summary["trust"], summary["checks"]
    if trust["verdict"] == "invalid":
        run.problems.append(RunInvalidError(f"{JUDGED}{trust['reasons'][0]}", SEE))
    if checks["reason"]:
        run.problems = [problem for problem in run.problems if not isinstance(problem, CheckFailedError)]
        run.problems.append(CheckFailedError(checks["reason"]))


def _look_for_secrets(run: Run) -> ToolkitError | None:
    files = files_with(run.folder.path, {*run.desk.secrets, *secrets_of(run.plan)})
    if not files:
        return None
    named = ", ".join(map(str, files[:_MOST_NAMED])) + (", …" if len(files) > _MOST_NAMED else "")
    return ToolkitError(
        f"A secret that this run used stands in {named} of {run.folder.path}.",
        "Do not hand the folder on: find out who wrote it there, and change the secret.",
    )


def _settle(run: Run, error: ToolkitError | None, kind: str) -> None:
    """Write down how the run ends."""
    manifest = run.manifest
    manifest.exit_code = error.exit_code if error else 0
    manifest.outcome = _outcome_of(error)
    manifest.reason = str(error) if error else ""
    run.event(kind, outcome=manifest.outcome, exit_code=manifest.exit_code)
    run.save()


def _build(run: Run, report: Report, judged: Judged, *, ends_by_signal: bool) -> ToolkitError | None:
    """The report; a signal meanwhile lets it be finished, a second one does not."""
    again = f"toolkit report {run.folder.path} builds it again."
    before = run.interrupts.count
    try:
        with run.interrupts.patient():
            problems = report.build(run.folder, judged)
    except KeyboardInterrupt:
        problems = ["interrupted"]
    except ToolkitError as error:
        problems = [error.message.rstrip(".")]
    if problems and run.interrupts.count > before:  # DuckDB makes an error of its own of a signal
        stopped = run.interrupts.error()
        stopped.hint = f"The report is not whole; {again}"
        return stopped
    if problems:
        return ToolkitError(f"The report is not whole: {'; '.join(problems)}.", again)
    if run.interrupts.count > before and not ends_by_signal:
        return run.interrupts.error()
    return None


def _worst(run: Run, *, ends_by_signal: bool) -> ToolkitError | None:
    if run.interrupts.count and not (ends_by_signal and run.interrupts.number == signal.SIGINT):
        return run.interrupts.error()
    return min(run.problems, key=_rank, default=None)


def _rank(problem: ToolkitError) -> int:
    """Numbers that must not be used come before a fault, a fault before a check that did not hold."""
    if isinstance(problem, RunInvalidError):
        return 0
    return 2 if isinstance(problem, CheckFailedError) else 1


def _outcome_of(error: ToolkitError | None) -> str:
    if error is None:
        return "passed"
    return next((name for kind, name in _OUTCOMES if isinstance(error, kind)), "failed")


def _worth_keeping(run: Run, error: ToolkitError) -> bool:
    """What was recorded, always; and the logs of a failure that the operator's own words cannot mend."""
    chunks = any(any(server.stacks.glob("*.raw.gz")) for server in run.folder.servers())
    driven = any(load.console.exists() for load in run.folder.loads())
    return chunks or driven or isinstance(error, InterruptedRunError) or error.exit_code == 1
