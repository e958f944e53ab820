"""What a plan says of a Locust run beside its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.engines.kubernetes.options import KubernetesOptions

RUN_TIME_S = 60.0
RAMP_S = 5.0
"""All users are there after so long, where nothing is said; at least one a second comes."""


@dataclass(frozen=True)
class Stage:
    """So many users for so long."""

    name: str
    users: int
    spawn_rate: float
    duration_s: float


@dataclass(frozen=True)
class AwayWorkers:
    """Workers on one other host."""

    address: str
    processes: int
    python: str


@dataclass(frozen=True)
class LocustOptions:
    """Defaults are for a file of which the plan says nothing."""

    users: int = 10
    spawn_rate: float | None = None
    """Users a second; None: all of them within `RAMP_S`."""
    run_time_s: float = RUN_TIME_S
    stages: tuple[Stage, ...] = ()
    """Instead of users, spawn_rate and run_time."""
    workers: int = 0
    """Processes here that make the users, under a master; 0 and none away: one process does it all."""
    away: tuple[AwayWorkers, ...] = ()
    kubernetes: KubernetesOptions | None = None
    """Master and workers are pods of a cluster; None: the master runs here."""
    files: tuple[Path, ...] = ()
    """Lent to the workers that are away, beside the locustfile and the modules that it imports."""
    classes: tuple[str, ...] = ()
    """Of the file's User classes; empty: all."""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    stop_timeout_s: float = 10.0
    """How long users may take to end their task when the run is over."""
    web_port: int | None = None
    """Locust's own page, on this machine alone; None: none."""
    arguments: tuple[str, ...] = ()
    """For options that the file itself defines."""

    @property
    def all_workers(self) -> int:
        """Here and away, or in a cluster."""
        pods = self.kubernetes.workers if self.kubernetes else 0
        return self.workers + sum(one.processes for one in self.away) + pods

    @property
    def planned_s(self) -> float:
        """How long it lasts."""
        return sum(stage.duration_s for stage in self.stages) if self.stages else self.run_time_s

    @property
    def users_a_second(self) -> float:
        """The spawn rate that holds."""
        return self.spawn_rate or max(1.0, self.users / RAMP_S)
