"""A session with the agent on one server: from the first look to the proof that nothing of it is left there."""

from __future__ import annotations

import getpass
import socket
import time
from typing import TYPE_CHECKING, Any, Self

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.probes.delivery import PROTOCOL
from toolkit.run.agent_cleaning import Cleaning, WayBack
from toolkit.run.agent_record import AgentRecord
from toolkit.run.agent_start import Starter
from toolkit.run.agent_trust import VIEWS, pids
from toolkit.run.agent_types import arbiter_of, view_states

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from toolkit.recording.layout import ServerFolder
    from toolkit.run.agent_files import AgentLog
    from toolkit.run.agent_link import AgentLink
    from toolkit.run.agent_push import Placed
    from toolkit.run.agent_record import OnEvent
    from toolkit.run.agent_sudo import Elevation
    from toolkit.transports.base import Transport

FIND_S, CHECK_S, RECORD_S, STOP_S, BYE_S, PING_S = 30.0, 90.0, 90.0, 90.0, 20.0, 15.0
WATCH_S = 30.0
BYE_BROKEN_S = 5.0
CLOCK_ROUND_TRIPS = 8


class AgentSession:
    """One running agent. Use `agent_opening.open_session`; close it in every case (it is a context manager)."""

    def __init__(
        self,
        transport: Transport,
        folder: ServerFolder,
        placed: Placed,
        elevation: Elevation,
        words: AgentLog,
        write_down: Callable[[str], None],
        on_event: OnEvent,
        redial: Callable[[], None] | None = None,
    ) -> None:
        self._transport, self._placed, self._elevation = transport, placed, elevation
        self._words, self._log, self._on_event = words, write_down, on_event
        self._redial = redial
        self._link: AgentLink | None = None
        self._record = AgentRecord(folder, write_down, on_event, self._acknowledge, lambda: self.offset_ns)
        self._verdicts: dict[str, dict[str, Any]] = {}
        self._grace_s = 15.0
        self.breaks: list[dict[str, Any]] = []
        """Of the connection, as in `manifest.ServerEntry`; one that was not mended has no `silent_s`."""
        self.unclear = ""
        """Why nobody could look, at the end, what is left there; empty where it was seen."""
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def lost(self) -> str:
        """Why the agent is gone; empty while it is there."""
        return self._link.lost if self._link else ""

    @property
    def fault(self) -> str:
        """Why the agent stopped recording by itself; empty while it records."""
        return self._record.fault

    @property
    def service_ended(self) -> bool:
        """Whether it stopped because the service was gone."""
        return self._record.fault_code == "gone"

    @property
    def facts(self) -> dict[str, Any]:
        """What the agent found, as in PROTOCOL.md; also in facts.json."""
        return self._record.facts

    @property
    def views(self) -> dict[str, dict[str, Any]]:
        """Per view rate and validity, as in `manifest.ServerEntry`."""
        return self._record.views

    @property
    def budget(self) -> dict[str, Any]:
        """What recording may cost and does, as in `manifest.ServerEntry`."""
        return self._record.budget

    @property
    def chunks(self) -> dict[str, int]:
        """Chunks that have arrived, per view."""
        return self._record.chunks

    @property
    def samples(self) -> dict[str, int]:
        """Samples in them, per view."""
        return self._record.samples

    @property
    def sample_count(self) -> int:
        """Samples of all views so far."""
        return sum(list(self.samples.values()))

    @property
    def workers(self) -> list[int]:
        """PIDs of gunicorn's workers, as last told."""
        return self._record.workers

    @property
    def missing(self) -> list[str]:
        """A sentence for each thing that should have been recorded and was not."""
        return self._record.missing

    @property
    def offset_ns(self) -> int:
        """To be added to the server's times to get this machine's."""
        return self._link.clock.offset_ns if self._link else 0

    @property
    def offset_error_ns(self) -> int:
        """How far `offset_ns` may be off, either way."""
        return self._link.clock.error_ns if self._link else 0

    def greet(
        self, run_id: str, grace_s: float, max_s: float, password: Callable[[str], str] | None
    ) -> dict[str, Any]:
        """Start the agent (a second time, with a password, where sudo wants one) and greet it; see `open_session`."""
        self._grace_s = grace_s
        hello = {"op": "hello", "protocol": PROTOCOL, "run": run_id, "who": _operator()}
        hello |= {"grace_s": grace_s, "max_s": max_s}
        parts = (self._transport, self._placed, self._elevation, self._record.hear, self._log, grace_s)
        self._link, answer = Starter(*parts, self._redial, self._hear_line).start(hello, password)
        self._record.learn_facts({**_object(answer.get("facts")), "directory": answer.get("directory")})
        self._link.measure_clock(CLOCK_ROUND_TRIPS, PING_S)
        details = {
            "python": self.facts.get("python"),
            "user": self.facts.get("user"),
            "offset_ns": self.offset_ns,
        }
        self._on_event("agent", {**details, "program": self._placed.program, "sudo": self._elevation.wanted})
        return answer

    def find(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        """Find the arbiter: `{"arbiter": {…}, "workers": […], "all": […]}`, see PROTOCOL.md.

        Raises:
            UnreachableError: no gunicorn there.
            UsageError: several, or the chosen one is none; the message lists them.
        """
        found = self.ask({"op": "find", "choice": dict(choice)}, "found", FIND_S)
        if not isinstance(found.get("arbiter"), dict) or not pids([found["arbiter"]]):
            raise ToolkitError(f"The agent on {self._transport.address} found no arbiter that makes sense.")
        arbiter = arbiter_of(found["arbiter"])
        told = {name: arbiter.get(name) for name in ("pid", "listen")}
        self._record.learn_facts({"gunicorn": _object(found.get("gunicorn")), "arbiter": told})
        self._record.workers = pids(found.get("workers"))
        workers = found["workers"] if isinstance(found.get("workers"), list) else []
        workers = [one for one in workers if isinstance(one, dict)]
        return {**found, "workers": workers, "arbiter": {"name": "", **arbiter}}

    def check(self, views: Sequence[str] = VIEWS) -> dict[str, Any]:
        """See that py-spy may read the arbiter: `{"python": …, "views": {view: {"valid", "reason", …}}}`.

        Raises:
            NotPermittedError: it may not; names the cure.
        """
        checked = self.ask({"op": "check"}, "checked", CHECK_S)
        known = {**_object(self.facts.get("gunicorn")), **_object(checked.get("gunicorn"))}
        self._record.learn_facts({"gunicorn": known, "target_python": checked.get("python")})
        self._verdicts = states = view_states(checked.get("views"))
        return {**checked, "views": {view: states[view] for view in states if view in views}}

    def watch(self, interval_s: float | None, logs: Mapping[str, Any] | None) -> dict[str, Any]:
        """Sample metrics and follow logs until `stop`.

        Args:
            interval_s: between two samples; None for no metrics.
            logs: `{"find", "files", "units", "limit_bytes"}` as in PROTOCOL.md; None for no logs.

        Returns:
            `{"followed": [path or unit], "not_followed": [sentence on a log that gives nothing yet], "notes": [what else to
            know]}`.

        Raises:
            ToolkitError: of the kind of the agent's error; nothing is watched then.
        """
        self._record.begin_watching(int((logs or {}).get("limit_bytes") or 0))
        asked = {"op": "watch", "interval_s": interval_s, "logs": dict(logs) if logs else None}
        self._record.watching = True
        self.ask(asked, "watching", WATCH_S)
        files = self._record.watch
        return {
            "followed": files.followed if files else [],
            "not_followed": files.not_followed if files else [],
            "notes": self._record.watch_notes,
        }

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """Have each line of metrics told, in the reader's thread, once `watch` was asked for."""
        if self._record.watch is not None:
            self._record.watch.listener = listener

    def record(
        self, views: Sequence[str], budget_percent: float, rate_hz: float | None, chunk_s: float
    ) -> dict[str, Any]:
        """Start recording; returns once the first samples of every view were seen.

        Raises:
            ToolkitError: of the kind of the agent's error; nothing records then.
        """
        asked = {"budget_percent": budget_percent, "rate_hz": rate_hz, "chunk_s": chunk_s}
        self._record.recording = True
        # What is true of each view is known before the first sample, and stands even where the answer is not waited for.
        self._record.learn_rates(
            {"views": {view: self._verdicts[view] for view in views if view in self._verdicts}}
        )
        recording = self.ask({"op": "record", "views": list(views), **asked}, "recording", RECORD_S)
        self._record.learn_rates(recording)
        return recording

    def end_recording(self) -> None:
        """Ask for the end of the recording alone, and do not wait for it; `stop` does, and ends the watching."""
        if self._link is not None and self._record.recording:
            self._link.say({"op": "stop", "only": "recording"})

    def stop(self, give_up: Callable[[], str] | None = None) -> None:
        """Stop recording and watching, and wait until all of it is here. A second call does nothing.

        Args:
            give_up: as `AgentLink.ask`: why not to wait for the rest.

        Raises:
            ToolkitError: it was given up; what came until then is kept.
            UnreachableError: the agent is gone; as above.
        """
        if self._record.recording or self._record.watching:
            self._record.recording = self._record.watching = False
            self.ask({"op": "stop"}, "stopped", STOP_S, give_up)

    def close(self) -> None:
        """Say goodbye, wait for the agent's end, and see that its folder is gone. A second call does nothing.

        Raises:
            ToolkitError: something is left on the server; says what and how to remove it.
        """
        if self._closed:
            return
        self._closed = True
        link = self._link
        try:
            if link is not None:
                self._part(link)
            self._cleaning().clean(self._unmended())
        finally:
            self._record.close()
            self._words.close()

    def abandon(self) -> None:
        """Close without a word about what fails: something else went wrong before, and that is what matters."""
        try:
            self.close()
        except ToolkitError as error:
            self._on_event("left-behind", {"message": str(error)})

    def ask(
        self,
        message: dict[str, Any],
        answer: str,
        timeout_s: float,
        give_up: Callable[[], str] | None = None,
    ) -> dict[str, Any]:
        """As `AgentLink.ask`, of an agent that is there."""
        if self._link is None or self._closed:
            raise UnreachableError(f"The session with {self._transport.address} is closed.")
        return self._link.ask(message, answer, timeout_s, give_up)

    def _part(self, link: AgentLink) -> None:
        link.leave()
        if not link.lost:
            try:
                # Where the way to it is broken, the agent ends by itself.
                link.ask({"op": "bye"}, "bye", BYE_BROKEN_S if link.broken else BYE_S)
            except ToolkitError as error:
                self._log(f"no goodbye: {error}")
        # An agent that was lost sees the end of its input, stops py-spy and removes its folder: give it the time.
        link.close(min(self._grace_s, 10.0))

    def _cleaning(self) -> Cleaning:
        # As root the agent works in a folder of its own, which it names; nothing else is ever removed.
        folders = (self._placed.folder, str(self.facts.get("directory") or ""))
        parts = (self._transport, self._elevation, self._record, self._log, self._hear_cleaning)
        return Cleaning(*parts, folders, self._placed, lost=bool(self.lost))

    def _hear_cleaning(self, kind: str, details: dict[str, Any]) -> None:
        if kind == "unclear":
            self.unclear = str(details["message"])
        self._on_event(kind, details)

    def _unmended(self) -> WayBack | None:
        """The way back to a server whose connection broke for good; None where it did not, or cannot be made anew."""
        if self._redial is None or not self.lost or not self.breaks or "ended_ns" in self.breaks[-1]:
            return None
        return WayBack(self._redial, self._grace_s)

    def _hear_line(self, kind: str, details: dict[str, Any]) -> None:
        """The connection broke, or was mended."""
        if kind == "line-broken":
            began_ns = time.time_ns() - int(details["silent_s"] * 1e9)
            self.breaks.append({"began_ns": began_ns, "reason": details["reason"]})
        elif kind == "line-ended":
            self.breaks.pop()  # it was no break: the agent ended
        else:
            self.breaks[-1] |= {"ended_ns": time.time_ns(), **details}
        self._log(f"{kind}: {details}")
        self._on_event(kind, details)

    def _acknowledge(self, name: str) -> None:
        if self._link is not None:
            self._link.say({"op": "ack", "name": name})


def _operator() -> str:
    """Who runs this, for another operator who finds the server taken."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):
        return socket.gethostname()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
