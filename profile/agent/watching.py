"""Watching beside recording: metrics, births and deaths, logs. Whatever fails here ends neither the rest nor a recording."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, TypeVar

from metrics import Metrics

if TYPE_CHECKING:
    from asked import Watch
    from census import Census
    from log_follower import Logs
    from wire import Writer

FINISH_WITHIN_S = 20.0  # for what stood in the logs when `stop` came, at the pace of the network
BUSY_S = 0.02
FAILURES = 20  # of one part, after which it is given up

Made = TypeVar("Made")


class Watching:
    """Watches one gunicorn until it is stopped. `tick` must be called often; it never waits and never raises.

    Args:
        wanted: what `watch` asked for.
        census: who belongs to the gunicorn.
        writer: where messages go.
    """

    def __init__(self, wanted: Watch, census: Census, writer: Writer) -> None:
        self.stopped = False
        self._census = census
        self._writer = writer
        self._tree = census.tree
        self._stopping_since: Optional[float] = None
        self._gone = False
        self._failures: Dict[str, int] = {}
        self._notes: List[str] = []
        self._metrics: Optional[Metrics] = None
        self._logs: Optional[Logs] = None
        if wanted.interval_s is not None:
            self._metrics = self._made("Metrics", lambda: self._new_metrics(wanted.interval_s or 1.0))
        if wanted.logs is not None:
            logs = wanted.logs
            self._logs = self._made("Logs", lambda: self._new_logs(logs))

    def begin(self) -> None:
        """Answer, and tell who is there."""
        sources = self._logs.sources if self._logs is not None else []
        notes = self._notes + (self._logs.notes if self._logs is not None else [])
        self._writer.say({"type": "watching", "sources": sources, "notes": notes})
        self._census.tell_all()

    @property
    def wait_s(self) -> float:
        """How long the caller may sleep before the next `tick`."""
        if self._stopping_since is not None:
            return BUSY_S
        parts = [part for part in (self._metrics, self._logs) if part is not None]
        return min([max(0.0, part.wait_s) for part in parts], default=1.0)

    def tick(self) -> None:
        """Do what is due."""
        if self.stopped:
            return
        if self._stopping_since is not None:
            self._finish(self._stopping_since)
            return
        if self._census.gone and not self._gone:
            self._gone = True
            self._complain("The arbiter has ended: its host and its logs are watched on.")
        if self._metrics is not None:
            self._guarded("Metrics", self._metrics.tick)
        if self._logs is not None:
            if self._census.tree.pids != self._tree.pids:
                self._tree = self._census.tree
                self._guarded("Logs", self._follow)
            self._guarded("Logs", self._tick_logs)

    def stop(self) -> None:
        """Look a last time; `stopped` becomes true once the logs have been read to the ends they have now."""
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self._guarded("Workers", self._census.look)

    def close(self) -> None:
        """End at once."""
        self.stopped = True
        for part in (self._metrics, self._logs):
            if part is not None:
                self._guarded("Closing", part.close)
        self._metrics = self._logs = None

    def _finish(self, since: float) -> None:
        late = time.monotonic() - since > FINISH_WITHIN_S
        if late:
            self._complain("The logs could not be sent to their ends within %.0f s." % FINISH_WITHIN_S)
        logs = self._logs
        if late or logs is None or self._guarded("Logs", logs.finish) is True:
            self.close()

    def _new_metrics(self, interval_s: float) -> Metrics:
        return Metrics(interval_s, self._census, self._say_droppable, self._complain)

    def _new_logs(self, wanted: Dict[str, Any]) -> Logs:
        from log_follower import Logs  # only where logs are asked for

        return Logs(self._census.tree, wanted, self._writer.say, self._writer.has_room)

    def _say_droppable(self, message: Dict[str, Any]) -> bool:
        return self._writer.say(message, important=False)

    def _follow(self) -> None:
        if self._logs is not None:
            self._logs.follow(self._tree)

    def _tick_logs(self) -> None:
        if self._logs is not None:
            self._logs.tick()

    # -- what fails

    def _complain(self, text: str) -> None:
        self._writer.say({"type": "log", "message": text})

    def _made(self, name: str, make: Callable[[], Made]) -> Optional[Made]:
        try:
            return make()
        except Exception as error:
            self._notes.append(
                "%s cannot be watched: %s: %s" % (name, type(error).__name__, str(error)[:200])
            )
            return None

    def _guarded(self, name: str, action: Callable[[], object]) -> object:
        """Run `action`; what goes wrong is told as a `log` line: an `error` would be taken for an answer."""
        try:
            return action()
        except Exception as error:
            count = self._failures[name] = self._failures.get(name, 0) + 1
            if count == 1:
                self._complain("%s: %s: %s" % (name, type(error).__name__, str(error)[:200]))
            if count == FAILURES:
                self._give_up(name)
            return None

    def _give_up(self, name: str) -> None:
        self._complain("%s: given up after %d failures." % (name, FAILURES))
        part: Any = None
        if name == "Metrics":
            part, self._metrics = self._metrics, None
        elif name == "Logs":
            part, self._logs = self._logs, None
        if part is not None:
            self._guarded("Closing", part.close)
