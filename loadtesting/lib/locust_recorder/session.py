"""Ties the recorder to a Locust process: what it listens to, and when it writes."""

from __future__ import annotations

import atexit
import signal
from typing import TYPE_CHECKING, Any

import gevent
import locust

from locust_recorder import patches
from locust_recorder.event_lines import EventLines
from locust_recorder.leaving import wait_for_workers
from locust_recorder.phases import Phases
from locust_recorder.pulse import beat
from locust_recorder.recorder import Recorder
from locust_recorder.stages import StagesShape
from locust_recorder.users import Users, total

if TYPE_CHECKING:
    from locust_recorder.settings import Settings

FLUSH_S = 0.25
TELL_S = 0.5
_REPORT = "toolkit_users"


class Session:
    """One Locust process: alone, the master, or a worker."""

    def __init__(self, given: Settings) -> None:
        self._given = given
        self._events = EventLines(given.events)
        self._users = Users(given.worker)
        self._phases = Phases(given, self._events)
        self._recorder: Recorder | None = None
        self._of_workers: dict[str, dict[str, Any]] = {}
        self._environment: Any = None

    def open(self) -> None:
        """Before Locust's own main begins."""
        locust.events.init.add_listener(self._init)
        if self._given.makes_users:
            self._recorder = Recorder(self._given, self._events, self._users, self._phases)
            patches.install(self._recorder, self._users)
            atexit.register(self._recorder.close)

    def _init(self, environment: Any, runner: Any, **_: Any) -> None:  # noqa: ANN401 - Locust's
        self._environment = environment
        events = environment.events
        signal.signal(signal.SIGINT, self._at_once)
        if self._given.stages and self._given.worker == 0:
            environment.shape_class = StagesShape(self._given.stages, self._phases)
            environment.shape_class.runner = runner
        if self._recorder is not None:
            events.request.add_listener(self._request)
            events.user_error.add_listener(lambda exception, **_: self._users.raised(exception))
            gevent.spawn(beat, self._events, self._users, self._given.worker or 1)
        if self._given.worker:
            self._phases.follow(runner)
            events.report_to_master.add_listener(self._report)
        else:
            self._phases.lead(runner, environment)
            if self._given.workers:
                wait_for_workers(runner, environment)
            events.worker_report.add_listener(self._hear)
            events.quit.add_listener(self._quit)
        events.quitting.add_listener(lambda **_: self._wait_for_nobody())
        events.test_stopping.add_listener(lambda **_: self._stops())
        gevent.spawn(self._write)

    def _request(self, **event: Any) -> None:  # noqa: ANN401 - as the user fires it
        if self._recorder is None:
            return
        call = getattr(event.get("response"), "toolkit_call", None)
        try:
            if call is not None and not call.settled:
                self._recorder.reported(call, event)
            else:
                self._recorder.foreign(event)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            self._events.say("worker_error", message=f"a request could not be recorded: {error!r}")

    def _report(self, data: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - Locust's
        data[_REPORT] = self._users.snapshot()

    def _hear(self, client_id: str, data: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - Locust's
        counts = data.get(_REPORT)
        if isinstance(counts, dict):
            self._of_workers[client_id] = counts
            self._users.changed = True

    def _write(self) -> None:
        tell_in = TELL_S
        while True:
            gevent.sleep(FLUSH_S)
            if self._recorder is not None:
                self._recorder.flush()
            tell_in -= FLUSH_S
            if tell_in <= 0:
                tell_in = TELL_S
                self._tell()

    def _tell(self) -> None:
        if self._given.worker:
            return
        counts = self._users.snapshot()
        if self._users.changed:
            self._users.changed = False
            self._events.say("users", **total([counts, *self._of_workers.values()]))

    def _stops(self) -> None:
        if self._given.worker == 0:
            self._events.say("stopping")

    def _at_once(self, _number: int, _frame: Any) -> None:  # noqa: ANN401 - a frame
        """Ctrl-C: users are not waited for."""
        self._wait_for_nobody()
        raise KeyboardInterrupt

    def _wait_for_nobody(self) -> None:
        """At its own end Locust says that it quits after its users have left; after a signal, which may mean that the
        controller is dead, it says so before: then nobody is waited for.
        """
        if self._environment is not None:
            self._environment.stop_timeout = 0

    def _quit(self, exit_code: int, **_: Any) -> None:  # noqa: ANN401 - Locust's
        self._phases.end()
        self._tell()
        self._events.say("users_left")
        asked = self._environment.process_exit_code
        self._events.say("done", exit_code=exit_code, asked=asked)
