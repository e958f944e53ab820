"""The phases of a Locust run: `ramp-up` until all users are there, then `steady`; of a shape, each number of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust_recorder.clock import now

if TYPE_CHECKING:
    from locust_recorder.event_lines import EventLines
    from locust_recorder.settings import Settings

MESSAGE = "toolkit_phase"
"""From the master to its workers: the phase that runs now."""
_SHORT_S = 1.0
"""A ramp that takes no longer is no phase of its own."""


class Phases:
    """`label` is the phase that runs now; after the last one still the last."""

    def __init__(self, given: Settings, events: EventLines) -> None:
        self.label = "steady"
        self._events = events
        self._run_time_s = given.run_time_s
        self._runner: Any = None
        self._seen: dict[str, int] = {}
        self._index = -1
        self._open = False
        self._began = 0

    def lead(self, runner: Any, environment: Any) -> None:  # noqa: ANN401 - Locust's
        """This process decides which phase it is: it is the master, or alone."""
        self._runner = runner
        start = runner.start

        def started(user_count: int, spawn_rate: float, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - as Locust's
            self._before_users(environment, user_count, float(spawn_rate))
            return start(user_count, spawn_rate, *rest, **more)

        runner.start = started
        environment.events.spawning_complete.add_listener(lambda **_: self._all_there())
        environment.events.test_stop.add_listener(lambda **_: self.end())

    def follow(self, runner: Any) -> None:  # noqa: ANN401 - Locust's
        """This process is a worker: its master says."""

        def told(msg: Any, **_: Any) -> None:  # noqa: ANN401 - Locust's
            self.label = str(msg.data)

        runner.register_message(MESSAGE, told)

    def begin(self, name: str, duration_s: float) -> None:
        """Another phase; one of a name that was there before gets a number."""
        self.end()
        times = self._seen[name] = self._seen.get(name, 0) + 1
        self.label = name if times == 1 else f"{name} {times}"
        self._index += 1
        self._open, self._began = True, self._began or now()
        if hasattr(self._runner, "clients"):
            self._runner.send_message(MESSAGE, self.label)
        self._events.say(
            "phase_started", phase=self.label, index=self._index, duration_s=round(duration_s, 3)
        )

    def end(self) -> None:
        """The phase that runs, if any, is over."""
        if self._open:
            self._open = False
            self._events.say("phase_ended", phase=self.label, index=self._index)

    def _before_users(self, environment: Any, user_count: int, spawn_rate: float) -> None:  # noqa: ANN401 - Locust's
        shape = environment.shape_class
        if shape is not None and getattr(shape, "names_phases", False):
            return
        if shape is not None and self._runner.shape_greenlet is not None:
            self.begin(f"{user_count} users", 0.0)
            return
        ramp_s = abs(user_count - self._runner.user_count) / spawn_rate if spawn_rate else 0.0
        if ramp_s > _SHORT_S:
            self.begin("ramp-up", ramp_s)
        else:
            self.begin("steady", self._left_s())

    def _all_there(self) -> None:
        if self._open and self.label.startswith("ramp-up"):
            self.begin("steady", self._left_s())

    def _left_s(self) -> float:
        passed_s = (now() - self._began) / 1e9 if self._began else 0.0
        return max(0.0, self._run_time_s - passed_s) if self._run_time_s else 0.0
