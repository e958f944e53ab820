"""How much load, in a few words: `rate: 20` and `duration: 1m` in place of the engine's own phases or stages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from toolkit.plan.quantities import Duration
from toolkit.plan.shorthand import ONE_OR_SEVERAL, in_short

Kind = Literal["load", "stress", "endurance", "soak", "spike", "smoke", "capacity"]


Counts = Annotated[
    list[Annotated[int, Field(gt=0, le=1000)]], ONE_OR_SEVERAL, Field(min_length=1, max_length=50)
]


class Scale(BaseModel):
    """How the service is given another number of replicas; in short the command alone."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    command: str = Field(
        min_length=1,
        description="run here by a shell before the first clients of each number: {replicas}; {before} is the last one",
    )
    ready: str = Field(
        "",
        description="http://… that answers 2xx, or a command that ends with 0, once all are there; default: as the command ends",
    )
    timeout: Duration = Field(60.0, gt=0, le=3600, description="for the command, and then for being ready")


class Level(BaseModel):
    """The level of the load; what each kind takes where nothing is said stands in kinds.py."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    rate: int | None = Field(
        None,
        gt=0,
        le=100_000,
        description="of Artillery's files: users that arrive a second; of stress the first step, and what each step adds",
    )
    users: int | None = Field(
        None,
        gt=0,
        le=1_000_000,
        description="of locustfiles: users that are there at once; of stress the first step, and what each step adds",
    )
    duration: Duration | None = Field(
        None,
        ge=1,
        description="at the level, without the ramp; of stress: of each step; of spike: of the spike",
    )
    ramp: Duration | None = Field(None, ge=0, description="of load and endurance: before it, from nothing")
    steps: int | None = Field(None, gt=0, le=1000, description="of stress: how many at most; default: 20")
    peak: float | None = Field(
        None, gt=1, le=10_000, description="of spike: so many times the level; default: 10"
    )
    recovery: Duration | None = Field(
        None, ge=4, description="of stress and spike: at the first level again; default: 30s"
    )
    clients: Counts | None = Field(
        None, description="of capacity: how many at once, one number or several in turn; default: 1, 2, 4, 8"
    )
    repetitions: int | None = Field(
        None, gt=0, le=1_000_000, description="of capacity: of each client; default: 10"
    )
    limit: Duration | None = Field(
        None,
        gt=0,
        description="of capacity: the time for all repetitions of one number of clients; default: 60s",
    )
    replicas: Counts | None = Field(
        None, description="of capacity: of the service, one number or several in turn; needs scale"
    )
    scale: Annotated[Scale | None, in_short("command")] = Field(
        None, description="of capacity: the command that gives the service so many replicas"
    )
