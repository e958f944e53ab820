"""The plan's words for a Locust run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from toolkit.engines.locust_options import RAMP_S, RUN_TIME_S, LocustOptions, Stage
from toolkit.plan.quantities import Duration

_PAGE_PORT = 8089


def _port(value: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
    """`true` is Locust's own port, `false` none."""
    if isinstance(value, bool):
        return _PAGE_PORT if value else None
    return value


class LocustStage(BaseModel):
    """So many users for so long."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    users: int = Field(ge=0, le=1_000_000, description="that are there in this stage")
    duration: Duration = Field(gt=0, description="of this stage, with the time in which its users come or go")
    spawn_rate: float | None = Field(
        None, gt=0, description="users a second that come or go; default: all at once"
    )
    name: str = Field("", max_length=100, description="as reports call it; default: its number of users")


class LocustLoad(BaseModel):
    """How Locust runs a locustfile."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    users: int | None = Field(None, gt=0, le=1_000_000, description="that are there at once; default: 10")
    spawn_rate: float | None = Field(
        None, gt=0, description=f"users that come a second; default: all within {RAMP_S:.0f} s"
    )
    run_time: Duration | None = Field(
        None, ge=1, description=f"from the first user to the end; default: {RUN_TIME_S:.0f} s"
    )
    stages: list[LocustStage] = Field(
        default_factory=list, description="instead of these three: one number of users after another"
    )
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="processes that make the users under a master; 0: one process does it all",
    )
    classes: list[str] = Field(default_factory=list, description="User classes of the file; default: all")
    tags: list[str] = Field(default_factory=list, description="only tasks with one of these tags")
    exclude_tags: list[str] = Field(default_factory=list, description="no tasks with one of these tags")
    stop_timeout: Duration = Field(
        10.0, ge=0, le=3600, description="how long users may take to end their task when the run is over"
    )
    web: Annotated[int | None, BeforeValidator(_port)] = Field(
        None,
        gt=0,
        lt=65536,
        description=f"Locust's own page while it runs, on 127.0.0.1: a port, or true for {_PAGE_PORT}",
    )
    arguments: list[str] = Field(
        default_factory=list, description="given to Locust, for options that the file itself defines"
    )

    def options(self) -> LocustOptions:
        """As the engine takes it."""
        default = LocustOptions()
        return LocustOptions(
            users=self.users or default.users,
            spawn_rate=self.spawn_rate,
            run_time_s=self.run_time or default.run_time_s,
            stages=_stages(self.stages),
            workers=self.workers,
            classes=tuple(self.classes),
            tags=tuple(self.tags),
            exclude_tags=tuple(self.exclude_tags),
            stop_timeout_s=self.stop_timeout,
            web_port=self.web,
            arguments=tuple(self.arguments),
        )


def _stages(stages: list[LocustStage]) -> tuple[Stage, ...]:
    return tuple(
        Stage(
            stage.name or f"{stage.users} users",
            stage.users,
            stage.spawn_rate or float(max(1, *(one.users for one in stages))),
            stage.duration,
        )
        for stage in stages
    )
