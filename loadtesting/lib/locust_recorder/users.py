"""Virtual users: how many came and went, how late their waits ended, and which of them a greenlet belongs to."""

from __future__ import annotations

from typing import Any

import gevent

from locust_recorder.clock import now

_MOST_ERRORS = 200
Counts = dict[str, Any]
"""As `users` in records.LOAD_EVENT_KINDS."""


class Users:
    """Of this process. Locust's own classes are given one method each that calls here (patches.py)."""

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._numbered = 0
        self.arrived = 0
        self._late_ns = [0, 0, 0]
        """How many waits ended since this was last told, their lateness in sum, the largest."""
        self._here: list[Any] = []
        self._counts: Counts = {
            "created": {}, "completed": 0, "failed": 0, "skipped": 0, "errors": {}, "unanswered": {},
        }  # fmt: skip
        self.changed = False

    def came(self, user: Any, greenlet: Any) -> None:  # noqa: ANN401 - Locust's User, its greenlet
        """Locust has started a user."""
        self.name_of(user)
        greenlet.toolkit_user = user
        self._here.append(greenlet)
        self.arrived += 1
        created, name = self._counts["created"], type(user).__name__
        created[name] = created.get(name, 0) + 1
        self.changed = True

    def snapshot(self) -> Counts:
        """The counts as they stand. Who has left is looked for here: gevent would tell of the last ones too late."""
        gone = [greenlet for greenlet in self._here if greenlet.dead]
        if gone:
            self._here = [greenlet for greenlet in self._here if not greenlet.dead]
            self.changed = True
        for greenlet in gone:
            ended_well = greenlet.exception is None or isinstance(greenlet.exception, gevent.GreenletExit)
            self._counts["completed" if ended_well else "failed"] += 1
        return self._counts

    def raised(self, error: BaseException) -> None:
        """A task of the locustfile raised."""
        errors = self._counts["errors"]
        text = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
        key = text if text in errors or len(errors) < _MOST_ERRORS else "others"
        errors[key] = errors.get(key, 0) + 1
        self.changed = True

    def name_of(self, user: Any) -> str:  # noqa: ANN401 - Locust's User
        """Unlike that of any other user of this load; empty where there is none."""
        if user is None:
            return ""
        known: str | None = getattr(user, "toolkit_name", None)
        if known is None:
            self._numbered += 1
            known = user.toolkit_name = f"{self._worker}-{self._numbered}"
        return known

    def current(self) -> Any:  # noqa: ANN401 - Locust's User
        """The user whose code runs now; None where that is nobody's."""
        greenlet = gevent.getcurrent()
        for _ in range(8):  # a user may start greenlets, and those others
            user = getattr(greenlet, "toolkit_user", None)
            if user is not None:
                return user
            parent = getattr(greenlet, "spawning_greenlet", None)
            greenlet = parent() if parent is not None else None
            if greenlet is None:
                return None
        return None

    def waited(self, user: Any, planned: int) -> None:  # noqa: ANN401 - Locust's User
        """The wait between two tasks is over; it was to end at `planned`."""
        late = max(0, now() - planned)
        user.toolkit_late_ns = late
        count, total, most = self._late_ns
        self._late_ns = [count + 1, total + late, max(most, late)]

    def take_late_ns(self, user: Any) -> int:  # noqa: ANN401 - Locust's User
        """How late the user came out of its last wait: the next request was meant so much earlier. Taken once."""
        late: int = getattr(user, "toolkit_late_ns", 0)
        if late:
            user.toolkit_late_ns = 0
        return late

    def tally(self) -> dict[str, float]:
        """`arrived`, and how late waits ended since this was last asked."""
        count, total, most = self._late_ns
        self._late_ns = [0, 0, 0]
        mean = total / count if count else 0.0
        return {"arrived": self.arrived, "late_ms": round(mean / 1e6, 1), "late_max_ms": round(most / 1e6, 1)}


def total(snapshots: list[Counts]) -> Counts:
    """The counts of all processes together."""
    found: Counts = {"created": {}, "completed": 0, "failed": 0, "skipped": 0, "errors": {}, "unanswered": {}}
    for one in snapshots:
        for name in ("completed", "failed", "skipped"):
            found[name] += one[name]
        for name in ("created", "errors", "unanswered"):
            for key, value in one[name].items():
                found[name][key] = found[name].get(key, 0) + value
    return found
