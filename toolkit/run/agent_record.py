"""What one agent has told so far: its files on disk, its facts, rates and workers, and what is missing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.recording.files import write_atomically
from toolkit.run.agent_files import AgentFiles, RefusedError
from toolkit.run.agent_trust import pids
from toolkit.run.agent_types import budget_of, facts_of, view_states
from toolkit.run.agent_watch import WatchFiles, worker_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from toolkit.recording.layout import ServerFolder

    OnEvent = Callable[[str, dict[str, Any]], None]

_MOST_MISSING = 50
_MOST_WORKERS = 2000
_EVENT_BYTES = 50_000_000
"""In events.jsonl, of one server: what it says there is not compressed, and no server may fill the operator's disk."""


class AgentRecord:
    """Takes every message that is no answer; its `hear` runs in the reader's thread.

    Args:
        folder: where all of it is written.
        log: takes one line of text.
        on_event: gets `(kind, details)`.
        ack: tells the agent that a file is on disk.
        offset_ns: what to add to the server's times at this moment.
    """

    def __init__(
        self,
        folder: ServerFolder,
        log: Callable[[str], None],
        on_event: OnEvent,
        ack: Callable[[str], None],
        offset_ns: Callable[[], int],
    ) -> None:
        self.facts: dict[str, Any] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.budget: dict[str, Any] = {}
        self.chunks: dict[str, int] = {}
        self.samples: dict[str, int] = {}
        self.workers: list[int] = []
        self.missing: list[str] = []
        self.fault = ""
        self.fault_code = ""
        self.recording = self.watching = False
        self.watch: WatchFiles | None = None
        self.watch_notes: list[str] = []
        self._folder, self._log, self._on_event = folder, log, on_event
        self._ack, self._offset_ns = ack, offset_ns
        self.files = AgentFiles(folder)
        self._event_bytes = 0

    def hear(self, message: dict[str, Any]) -> None:
        """Take one message.

        Raises:
            OSError: this side cannot write.
        """
        handler = self._HANDLERS.get(message["type"])
        try:
            if handler is None:
                self._log(f"not of the protocol: a message of type {message['type']!r}")
            else:
                handler(self, message)
        except RefusedError as error:
            self._log(f"refused: {error.message}")
            self._miss(f"something that its agent sent was refused: {error.message}")
            self._tell("refused", {"message": error.message})

    def learn_facts(self, facts: Mapping[str, Any]) -> None:
        """Add to the facts, and keep facts.json up to date; what is not known is left out."""
        self.facts.update({name: value for name, value in facts_of(facts).items() if value not in ("", {})})
        text = json.dumps(self.facts, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        write_atomically(self._folder.facts, text)

    def learn_rates(self, message: dict[str, Any]) -> None:
        """Take views and budget out of an answer."""
        for view, state in view_states(message.get("views")).items():
            self.views[view] = {**self.views.get(view, {}), **state}
        if isinstance(message.get("budget"), dict):
            self.budget = budget_of(message["budget"])

    def close(self) -> None:
        """Close the files; what is half of one is dropped."""
        self.files.close()
        if self.watch is not None:
            self.watch.close()

    def _file(self, message: dict[str, Any]) -> None:
        name = self.files.part(message)
        if name is not None:
            self._ack(name)

    def hear_chunk(self, message: dict[str, Any]) -> None:
        """Take the row of a chunk.

        Raises:
            RefusedError: it is malformed, or came before.
        """
        row = self.files.row(message)
        self.chunks[row["view"]] = self.chunks.get(row["view"], 0) + 1
        self.samples[row["view"]] = self.samples.get(row["view"], 0) + (row["samples"] or 0)

    def _rate(self, message: dict[str, Any]) -> None:
        self.learn_rates(message)
        self._tell("rate", {"views": dict(self.views), "budget": self.budget})

    def begin_watching(self, log_limit_bytes: int) -> None:
        """From now on metrics, logs and workers are written down."""
        self.watch = WatchFiles(self._folder, log_limit_bytes)

    def _watching(self, answer: dict[str, Any]) -> None:
        """Take the answer to `watch`.

        Raises:
            RefusedError: a source is malformed.
        """
        if self.watch is not None:
            self.watch.sources(answer.get("sources"))
        notes = answer.get("notes")
        self.watch_notes = [str(note) for note in notes if note] if isinstance(notes, list) else []

    def _workers(self, message: dict[str, Any]) -> None:
        born, died = pids(message.get("born")), pids(message.get("died"))
        changed = {*born, *died}
        self.workers = ([pid for pid in self.workers if pid not in changed] + born)[-_MOST_WORKERS:]
        at = message.get("t")
        if self.watch is not None and isinstance(at, int):
            self.watch.workers(at, worker_rows(message.get("born")), worker_rows(message.get("died")))
        at_ns = at + self._offset_ns() if isinstance(at, int) else time.time_ns()
        self._tell("workers", {"born": born, "died": died, "at_ns": at_ns})

    def _metrics(self, message: dict[str, Any]) -> None:
        self._watched().metrics(message)

    def _log_block(self, message: dict[str, Any]) -> None:
        self._watched().block(message)

    def _log_source(self, message: dict[str, Any]) -> None:
        self._watched().sources([message])

    def _watched(self) -> WatchFiles:
        if self.watch is None:
            raise RefusedError("metrics or logs that nobody asked for")
        return self.watch

    def _words(self, message: dict[str, Any]) -> None:
        self._log(f"agent: {message.get('message')}")

    def _error(self, message: dict[str, Any]) -> None:
        text = str(message.get("message") or message.get("code") or "unknown")
        self._log(f"fault: {message.get('code')}: {text} {message.get('hint') or ''}")
        self._miss(f"the recorder reported: {text}")
        if message.get("fatal") is True:
            self.fault_code = self.fault_code or str(message.get("code"))
            self.fault = self.fault or text
        fault = {"code": message.get("code"), "message": text, "fatal": message.get("fatal") is True}
        self._tell("fault", fault)

    def _clock(self, message: dict[str, Any]) -> None:
        by_s = message.get("by_s")
        if not isinstance(by_s, (int, float)):
            raise RefusedError("a clock that was set by nothing")
        self._miss(
            f"its clock was set by {by_s:+,.1f} s during the run: what the service stamped itself since then is off by that, "
            "what was recorded is not"
        )
        self._tell("clock", {"by_s": by_s})

    def _lost(self, message: dict[str, Any]) -> None:
        if self.recording or self.watching:
            self._miss(f"the agent was lost, the recording ends there: {message['reason']}")
        self._on_event("lost", {"reason": message["reason"]})

    _HANDLERS: ClassVar[dict[str, Callable[[AgentRecord, dict[str, Any]], None]]] = {
        "file": _file,
        "chunk": hear_chunk,
        "rate": _rate,
        "workers": _workers,
        "watching": _watching,
        "metrics": _metrics,
        "log_block": _log_block,
        "log_source": _log_source,
        "log": _words,
        "clock": _clock,
        "error": _error,
        "lost": _lost,
    }

    def _tell(self, kind: str, details: dict[str, Any]) -> None:
        """An event that the server is the cause of: only so many."""
        if self._event_bytes > _EVENT_BYTES:
            self._miss("its agent said more than anybody could need; the rest of it is not in events.jsonl")
            return
        self._event_bytes += len(json.dumps(details))
        self._on_event(kind, details)

    def _miss(self, sentence: str) -> None:
        if sentence not in self.missing and len(self.missing) < _MOST_MISSING:
            self.missing.append(sentence)
