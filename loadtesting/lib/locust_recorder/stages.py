"""The shape that the plan's `stages` make: so many users for so long, one stage after another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust import LoadTestShape

if TYPE_CHECKING:
    from locust_recorder.phases import Phases


class StagesShape(LoadTestShape):  # type: ignore[misc]  # Locust may be another one than is installed here
    """Each stage is a phase with its own name."""

    abstract = True
    """Locust must not take it for one of the user's."""
    names_phases = True

    def __init__(self, stages: list[dict[str, Any]], phases: Phases) -> None:
        super().__init__()
        self._stages, self._phases = stages, phases
        self._current = -1

    def tick(self) -> tuple[int, float] | None:
        """Users and spawn rate of the stage that runs now; None after the last."""
        passed = self.get_run_time()
        for index, stage in enumerate(self._stages):
            passed -= stage["duration_s"]
            if passed < 0:
                if index != self._current:
                    self._current = index
                    self._phases.begin(stage["name"], stage["duration_s"])
                return stage["users"], stage["spawn_rate"]
        return None
