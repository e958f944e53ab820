"""The plan's words for a Locust run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from toolkit.engines.locust_options import RAMP_S, RUN_TIME_S, AwayWorkers, LocustOptions, Stage
from toolkit.plan.kubernetes import KubernetesLoad
from toolkit.plan.quantities import Duration
from toolkit.plan.reaching import Ssh, server_address
from toolkit.plan.shorthand import in_short

_PAGE_PORT = 8089
LOCAL = "local:"


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


class LocustWorkers(BaseModel):
    """Workers on one machine; in short its address alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    address: Annotated[str, AfterValidator(server_address)] = Field(
        description="local:, ssh://[user@]host[:port], or ssh://alias of the SSH configuration"
    )
    processes: int = Field(1, ge=1, le=256, description="on this machine; one keeps one core busy")
    python: str = Field(
        "python3", min_length=1, description="of a host reached by SSH: its Python that has the same Locust"
    )
    ssh: Ssh = Field(default_factory=Ssh)


def _machines(value: Any) -> Any:  # noqa: ANN401 - before validation it may be anything
    """A number is so many processes on this machine."""
    if isinstance(value, str):
        value = int(value) if value.lstrip("-").isdigit() else [value]
    if isinstance(value, int) and not isinstance(value, bool):
        return [{"address": LOCAL, "processes": value}] if value else []
    return value


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
    workers: Annotated[
        list[Annotated[LocustWorkers, in_short("address")]],
        BeforeValidator(_machines, json_schema_input_type=int | str | list[str | LocustWorkers]),
    ] = Field(
        default_factory=list,
        description="processes that make the users under a master; 0 or none: one process does it all; or machines: local:, ssh://host",
    )
    kubernetes: KubernetesLoad | None = Field(
        None, description="instead of workers: master and workers are pods of a cluster"
    )
    files: list[Path] = Field(
        default_factory=list,
        description="lent to workers elsewhere beside the locustfile and the modules that it imports: files and folders "
        "that lie beside it or below",
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

    def away(self) -> list[LocustWorkers]:
        """Those on other hosts."""
        return [one for one in self.workers if one.address != LOCAL]

    def options(self) -> LocustOptions:
        """As the engine takes it."""
        default = LocustOptions()
        return LocustOptions(
            users=self.users or default.users,
            spawn_rate=self.spawn_rate,
            run_time_s=self.run_time or default.run_time_s,
            stages=_stages(self.stages),
            workers=sum(one.processes for one in self.workers if one.address == LOCAL),
            away=tuple(AwayWorkers(one.address, one.processes, one.python) for one in self.away()),
            kubernetes=self.kubernetes.options() if self.kubernetes else None,
            files=tuple(self.files),
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
