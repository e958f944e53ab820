"""The engine `barrier`: how it is started, and what it left behind when it ended."""

from __future__ import annotations

import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.engines.barrier.settings import VARIABLE, BarrierSettings
from toolkit.engines.barrier.sources.registry import check_table
from toolkit.engines.base import Ending, Launch, SaysNothingBefore
from toolkit.engines.events import last_words, said_last
from toolkit.engines.parts import join_parts
from toolkit.engines.sender.requests import Requests
from toolkit.engines.sender.template import MissingFieldError
from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.jsonl import read_lines

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.recording.layout import LoadFolder

CONDUCT = (sys.executable, "-m", "toolkit.engines.barrier.conduct")
_LAST_BYTES = 16 * 1024
_MARGIN_S = 300.0
"""For connecting, and for requests that populate."""


class Barrier(SaysNothingBefore):
    """The engine `barrier`."""

    name = "barrier"
    check_input = "its requests are made once and not sent, its databases connected to, its functions loaded"

    def check(self, job: LoadJob) -> list[str]:
        """Requests that cannot be made, databases that cannot be reached, functions that there are not."""
        try:
            settings = settings_of(job, Path())
        except ToolkitError as error:
            return [f"{job.name}: {error}"]
        found = [f"{job.name}: {problem}." for problem in _unmade(settings)]
        for name, table in settings.verify["read"].items():
            try:
                check_table(table)
            except ToolkitError as error:
                found.append(f"{job.name}: table {name}: {error}")
        return found

    def check_argv(self) -> list[str]:
        """Nothing is started."""
        return []

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job.

        Raises:
            UsageError: there is no target.
        """
        settings = settings_of(job, folder.path.resolve())
        verify = settings.verify
        reads_s = 2 * len(verify["read"]) * verify["timeout"] + verify["settle"]
        populates_s = sum(one["times"] for one in settings.populate) * verify["timeout"]
        return Launch(
            argv=CONDUCT,
            env={VARIABLE: settings.text()},
            cwd=Path.cwd(),
            planned_s=0.0,
            deadline_s=settings.act["timeout"] + reads_s + populates_s + _MARGIN_S,
            sends_after=True,
        )

    def users_arrive(self, folder: LoadFolder) -> bool:
        """Once the actions are released."""
        return said_last(folder, "phase_started", _LAST_BYTES)

    def users_left(self, folder: LoadFolder) -> bool:
        """Once each action has its answer, or none."""
        return said_last(folder, "users_left", _LAST_BYTES)

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """A process that was lost, or a state that could not be read: nothing can be said of the data."""
        if stopped_by_us:
            return Ending(
                "interrupted", "it was stopped before its end: whether the data survived is not known"
            )
        events = list(read_lines(folder.events))
        problems = [str(row.get("message")) for row in events if row.get("kind") == "worker_error"]
        if problems:
            return Ending("invalid", "; ".join(problems))
        if any(row.get("kind") == "done" for row in events):
            return Ending("passed")
        if exit_code < 0:
            how = signal.Signals(-exit_code).name
            return Ending("invalid", f"the process that conducts the actions was ended by {how}")
        return Ending("failed", last_words(folder).removeprefix("Error: "))

    def collect(self, folder: LoadFolder) -> None:
        """Join what the releasing processes wrote into `folder.requests`."""
        join_parts(folder)

    def versions(self) -> dict[str, str]:
        """Of what reads answers and databases."""
        return {name: metadata.version(name) for name in ("httptools", "sqlalchemy")}


def settings_of(job: LoadJob, folder: Path) -> BarrierSettings:
    """What the processes are given.

    Raises:
        UsageError: there is no target.
    """
    if not job.consistency:
        raise UsageError("the engine barrier needs consistency: in the plan.")
    if urlsplit(job.target).scheme not in {"http", "https"}:
        raise UsageError("the engine barrier needs a target: http://host:port or https://.")
    return BarrierSettings(scenario=job.name, target=job.target, folder=str(folder), **job.consistency)


def _unmade(settings: BarrierSettings) -> list[str]:
    """Requests that could not be made, of each kind one."""
    act = settings.act
    example = {
        name: choice[0] if isinstance(choice, list) else choice["first"]
        for name, choice in act["values"].items()
    }
    asked: list[tuple[dict[str, Any], dict[str, Any], str]]
    asked = [(one, {"number": 1}, "populate") for one in settings.populate]
    asked.append((act, {**example, "id": "x"}, "act"))
    asked += [
        ({"request": table["http"], "headers": table["headers"]}, {}, f"verify.read.{name}")
        for name, table in settings.verify["read"].items()
        if table.get("http")
    ]
    found = []
    for one, record, place in asked:
        try:
            Requests(settings.sending(one, 1.0)).prepare(record, "x")
        except MissingFieldError as error:
            found.append(
                f"{place}: {one['request']}: there is no value {error.field!r}; there are {', '.join(record) or 'none'}"
            )
        except ValueError as error:
            found.append(f"{place}: {one['request']}: {error}")
    return found
