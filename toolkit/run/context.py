"""What the stages of one run share, and the order in which they are undone."""

from __future__ import annotations

import errno
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.run.folder import DiskFullError, LastWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.plan.model import Plan
    from toolkit.recording.jsonl import JsonLines
    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest
    from toolkit.run.agent_session import AgentSession
    from toolkit.run.desk import Desk
    from toolkit.run.interrupts import Interrupts
    from toolkit.transports.base import Transport


PATIENCE_S = 20.0
"""After a first Ctrl-C what was recorded is fetched, for so long."""


@dataclass
class Run:
    """One run on its way."""

    plan: Plan
    folder: RunFolder
    manifest: Manifest
    events: JsonLines
    desk: Desk
    interrupts: Interrupts
    ends_by_signal: bool = False
    """Whether the first signal is how it ends, and no interruption."""
    duration_s: float | None = None
    """How long to profile where there is no load; None: until a signal."""
    transports: dict[str, Transport] = field(default_factory=dict)
    sessions: dict[str, AgentSession] = field(default_factory=dict)
    problems: list[ToolkitError] = field(default_factory=list)
    """What went wrong without ending the run; the worst decides the exit code."""
    lost: set[str] = field(default_factory=set)
    """Servers whose agent is gone."""
    records_whole: Callable[[], None] = lambda: None
    """To be called when nothing more will be written of the load."""
    unwritable: bool = False
    """Whether the run folder could not be written, which is said once."""
    full: bool = False
    """Whether the disk was full, which is said once."""
    started: float = field(default_factory=time.monotonic)
    _said_of_breaks: dict[str, int] = field(default_factory=dict)
    _undo: list[tuple[str, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._last_words = LastWords(self.folder)

    def event(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        """One line in events.jsonl. A folder that cannot be written is a problem of the run, not of its caller."""
        try:
            self.events.append({"t_ns": time.time_ns(), "kind": kind, **details})
        except OSError as error:
            self._cannot_write(error)

    def save(self) -> None:
        """Write run.json as it stands; how the run ended, even where the disk is full."""
        ended = self.manifest.outcome != "running"
        try:
            self.manifest.save(self.folder.manifest)
        except OSError as error:
            self._cannot_write(error)
            if ended:
                with suppress(OSError):
                    self._last_words.say(self.folder.manifest, self.manifest.text())
        if ended:
            self._last_words.drop()

    def close(self) -> None:
        """No more events."""
        with suppress(OSError):  # a disk that is full was said before
            self.events.close()

    def undo_with(self, name: str, action: Callable[[], None]) -> None:
        """Register the counterpart of what a stage has just begun."""
        self._undo.append((name, action))

    def why_hurry(self) -> str:
        """Why what is not here yet is left behind: somebody is impatient. Empty where nobody is."""
        signals = self.interrupts
        if signals.count >= (3 if self.ends_by_signal else 2):
            return "The rest was not fetched: a second signal came."
        if signals.count and not self.ends_by_signal and time.monotonic() > signals.first_at + PATIENCE_S:
            return f"The rest was not fetched within {PATIENCE_S:.0f} s of the signal that ended the run."
        return ""

    def missing(self, sentence: str) -> None:
        """Something that belongs in the bundle is not there; say why."""
        if sentence not in self.manifest.missing:
            self.manifest.missing.append(sentence)
        self.event("missing", message=sentence)

    def watch_agents(self) -> None:
        """Say it once when an agent is gone or has given up; the load goes on, for its numbers stand without the recording."""
        for name, session in self.sessions.items():
            self._note_breaks(name, session)
            if name in self.lost or not (session.lost or session.fault):
                continue
            self.lost.add(name)
            if session.lost:
                self.problem(ToolkitError(f"The agent on {name} was lost: {session.lost}."))
            elif session.service_ended:
                said = f"gunicorn on {name} ended during the run: {session.fault}"
                self.problem(
                    UnreachableError(said, "Its log and the ends of its workers, in the report, say why.")
                )
            else:
                self.problem(ToolkitError(f"The recording on {name} ended early: {session.fault}"))

    def _note_breaks(self, name: str, session: AgentSession) -> None:
        said = self._said_of_breaks.get(name, 0)
        # Two sentences a break: that it is, and that it is over.
        for number in range(said, 2 * len(session.breaks)):
            one = session.breaks[number // 2]
            if number % 2 == 0:
                self.desk.observer.note(
                    f"{name}: the connection broke ({one['reason']}); the server records on, and is dialled again"
                )
            elif "silent_s" in one:
                self.desk.observer.note(
                    f"{name}: connected again after {one['silent_s']:.1f} s without a word"
                )
            else:
                return
            self._said_of_breaks[name] = number + 1

    def elapsed_s(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.started

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show and record a stage; run.json is saved after each, so that a killed run says how far it came."""
        entry: dict[str, Any] = {"name": name, "started_ns": time.time_ns(), "ended_ns": 0, "ok": False}
        self.manifest.stages.append(entry)
        self.desk.observer.stage(name)
        self.event("stage", name=name)
        try:
            yield
            entry["ok"] = True
        except Exception as error:
            self._note_full(error)
            raise
        finally:
            entry["ended_ns"] = time.time_ns()
            self.save()

    def unwind(self) -> None:
        """Undo everything in reverse. One counterpart that fails does not keep the others from running."""
        while self._undo:
            name, action = self._undo.pop()
            try:
                with self.stage(name):
                    action()
            except ToolkitError as error:
                self.problem(error)
            except Exception as error:  # noqa: BLE001 - the server must be left clean whatever breaks here
                self.problem(unexpected(name, error))

    def problem(self, error: ToolkitError) -> None:
        """Keep an error that must not end the run here."""
        self.problems.append(error)
        self.event("problem", message=str(error))
        self.desk.observer.note(str(error))

    def end_recordings(self) -> None:
        """Nothing more will be sent: let all recorders write their last files while the rest ends. Waits for nothing.

        What is watched goes on: the service may still be at work on what its clients gave up.
        """
        for session in self.sessions.values():
            session.end_recording()

    def _note_full(self, error: Exception) -> None:
        if is_disk_full(error) and not self.full:
            self.full = True
            self.missing(
                "What would have been written once the disk was full is not there: records, samples and logs may end early."
            )

    def _cannot_write(self, error: OSError) -> None:
        self._note_full(error)
        if not self.unwritable:
            self.unwritable = True
            self.problem(unexpected("writing the run folder", error))


def is_disk_full(error: Exception) -> bool:
    """Whether something did not fit."""
    return isinstance(error, DiskFullError) or (
        isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
    )


def unexpected(what: str, error: Exception) -> ToolkitError:
    """The toolkit's error for something that nobody foresaw, or that only the system can explain."""
    if is_disk_full(error):
        return DiskFullError(
            f"The disk is full: {what} failed.", "Free some, or name another folder with --reports."
        )
    return ToolkitError(f"{what} failed: {type(error).__name__}: {error}.")
