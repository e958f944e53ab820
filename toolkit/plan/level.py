"""How much load, in a few words: `rate: 20` and `duration: 1m` in place of the engine's own phases or stages."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from toolkit.plan.quantities import Duration

Kind = Literal["load", "stress", "endurance", "soak", "spike", "smoke"]


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
