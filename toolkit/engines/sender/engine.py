"""The engine `sender`: how it is started, and what it left behind when it ended."""

from __future__ import annotations

import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from toolkit.engines.base import Ending, Launch, SaysNothingBefore
from toolkit.engines.events import last_words, said_last
from toolkit.engines.parts import join_parts
from toolkit.engines.sender.opening import resumable, unfit
from toolkit.engines.sender.record_files import format_of, scan
from toolkit.engines.sender.requests import Requests
from toolkit.engines.sender.settings import VARIABLE, SendSettings
from toolkit.errors import ToolkitError, UsageError
from toolkit.recording.jsonl import read_lines
from toolkit.recording.layout import RunFolder

if TYPE_CHECKING:
    from toolkit.engines.base import LoadJob
    from toolkit.recording.layout import LoadFolder

DEAL = (sys.executable, "-m", "toolkit.engines.sender.deal")
LONGEST_S = 7 * 24 * 3600.0
"""How many records there are, and how long an answer takes, is known only at the end."""
_LAST_BYTES = 16 * 1024


class Sender(SaysNothingBefore):
    """The engine `sender`."""

    name = "sender"
    check_input = "the file, which is read"

    def check(self, job: LoadJob) -> list[str]:
        """The file as far as is needed to know that something of it can be sent; all of it where it is one JSON array."""
        try:
            settings = settings_of(job, Path())
            Requests(settings)  # a header that cannot be
            _look_at(job, settings)
            if settings.resume:
                resumable(RunFolder(Path(job.resume or "")).load(job.name).ledger, job.file)
        except ToolkitError as error:
            return [str(error)]
        except ValueError as error:
            return [f"{job.name}: {error}."]
        return []

    def check_argv(self) -> list[str]:
        """Nothing is started: the file is read."""
        return []

    def launch(self, job: LoadJob, folder: LoadFolder) -> Launch:
        """The command for a job.

        Raises:
            UsageError: there is no target, or no ledger to go on from.
        """
        settings = settings_of(job, folder.path.resolve())
        return Launch(
            argv=DEAL,
            env={VARIABLE: settings.text()},
            cwd=Path.cwd(),
            planned_s=0.0,
            deadline_s=LONGEST_S,
        )

    def users_arrive(self, folder: LoadFolder) -> bool:
        """Once the file has been looked through."""
        return folder.events.exists()

    def users_left(self, folder: LoadFolder) -> bool:
        """From the last lines that the dealer wrote."""
        return said_last(folder, "users_left", _LAST_BYTES)

    def ending(self, exit_code: int, folder: LoadFolder, stopped_by_us: bool) -> Ending:
        """A sender that was lost, or records that were not sent: the run is invalid, and can be resumed."""
        if stopped_by_us:
            return Ending("interrupted", f"it was stopped before its end; {_resume(folder)}")
        events = list(read_lines(folder.events))
        problems = [str(row.get("message")) for row in events if row.get("kind") == "worker_error"]
        if problems:
            return Ending("invalid", f"{'; '.join(problems)}; {_resume(folder)}")
        if any(row.get("kind") == "done" for row in events):
            return Ending("passed")
        if exit_code < 0:
            how = signal.Signals(-exit_code).name
            return Ending(
                "invalid", f"the process that deals out records was ended by {how}; {_resume(folder)}"
            )
        return Ending("failed", last_words(folder).removeprefix("Error: "))

    def collect(self, folder: LoadFolder) -> None:
        """Join what the sending processes wrote into `folder.requests`."""
        join_parts(folder)

    def versions(self) -> dict[str, str]:
        """Of what reads the answers."""
        return {"httptools": metadata.version("httptools")}


def settings_of(job: LoadJob, folder: Path) -> SendSettings:
    """What the processes are given.

    Raises:
        UsageError: no target, or no ledger to go on from.
    """
    if not job.send:
        raise UsageError(f"{job.name}: the engine sender needs send: in the plan.", "At least a request.")
    if urlsplit(job.target).scheme not in {"http", "https"}:
        raise UsageError(f"{job.name}: the engine sender needs a target: http://host:port or https://.")
    resume = ""
    if job.resume is not None:
        ledger = RunFolder(job.resume).load(job.name).ledger
        if not ledger.path.is_dir():
            raise UsageError(
                f"{job.resume} has no ledger of a scenario {job.name}.", "Resume a run that sent it."
            )
        resume = str(ledger.path.resolve())
    return SendSettings(
        scenario=job.name,
        file=str(job.file.resolve()),
        target=job.target,
        folder=str(folder),
        resume=resume,
        **job.send,
    )


def _look_at(job: LoadJob, settings: SendSettings) -> None:
    """See that there is a record that can be sent.

    Raises:
        UsageError: there is none; says what is wrong with the first.
    """
    fields = sorted(Requests(settings).fields)
    whole = format_of(job.file) == "json"
    first, fit = "", False
    for found in scan(job.file):
        problem = unfit(found, fields)
        first = first or (f"{job.file}:{found.line}: {problem}" if problem else "")
        fit = fit or not problem
        if fit and not whole:
            return
    if not fit:
        raise UsageError(f"No record of {job.file} can be sent. The first: {first}.")


def _resume(folder: LoadFolder) -> str:
    return f"--resume {folder.path.parents[1]} sends the rest"
