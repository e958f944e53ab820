"""What of a plan the engines are given, and where the load goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.engines.base import LoadJob
from toolkit.engines.registry import engine
from toolkit.plan.capacity import KIND, cells_of, one_client
from toolkit.plan.kinds import RECOVERY_LOAD, k6_options, laid_over, recovery_of
from toolkit.run.canary import canary_url

if TYPE_CHECKING:
    from toolkit.plan.capacity import Cell
    from toolkit.plan.model import Plan, Scenario


@dataclass(frozen=True)
class PlannedLoad:
    """One load that an engine is to be started for."""

    name: str
    """Of its folder in the run folder."""
    scenario: Scenario
    job: LoadJob
    replicas: int | None = None
    """What the service is scaled to before; None: it stays as it is."""


def canary_of(plan: Plan) -> str | None:
    """The address that the canary asks; None where there is none."""
    if plan.load is None:
        return None
    choice = plan.load.canary
    if choice.off:
        return None
    apart = all(one.apart for one in plan.load.scenarios)
    if apart and not choice.path and not choice.url:
        return None  # what is reached from there need not be reached from here
    jobs = [(engine(one.engine), job_of(plan, one)) for one in plan.load.scenarios]
    # What the load asks too can be compared with it; the bare target seldom can.
    reads = (read for loader, job in jobs for read in loader.reads(job)) if choice.path is None else iter(())
    targets = (target for loader, job in jobs for target in loader.targets(job)[:1])
    return canary_url(choice, chain(reads, targets))


def targets_of(plan: Plan) -> list[str]:
    """Every address that the plan's load goes to, and its canary, each once."""
    scenarios = plan.load.scenarios if plan.load else []
    found = [
        target for scenario in scenarios for target in engine(scenario.engine).targets(job_of(plan, scenario))
    ]
    if plan.load is not None and plan.load.canary.url and (url := canary_of(plan)):
        found.append(url)
    return list(dict.fromkeys(found))


def planned_loads(plan: Plan) -> list[PlannedLoad]:
    """What a run begins with, in its order: one load a scenario; of a capacity each number of clients."""
    if plan.load is None:
        return []
    if plan.kind == KIND:
        return [_cell_load(plan, cell) for cell in cells_of(plan)]
    return [PlannedLoad(one.name, one, job_of(plan, one)) for one in plan.load.scenarios]


def recovery_loads(plan: Plan) -> list[PlannedLoad]:
    """What follows on a stress that broke."""
    return [
        PlannedLoad(one.name + RECOVERY_LOAD, one, job_of(plan, one, recovery=True))
        for one in (plan.load.scenarios if plan.load else [])
        if recovery_of(plan, one)
    ]


def in_turn(plan: Plan) -> bool:
    """Whether each load waits for the one before."""
    return plan.kind == KIND or (plan.load is not None and plan.load.order == "sequential")


def _cell_load(plan: Plan, cell: Cell) -> PlannedLoad:
    job = replace(job_of(plan, cell.scenario), clients=cell.clients)
    return PlannedLoad(cell.load, cell.scenario, job, cell.replicas)


def job_of(plan: Plan, scenario: Scenario, *, recovery: bool = False) -> LoadJob:
    """A scenario of the plan as its engine takes it; `recovery`: what follows on a stress that broke."""
    overrides, locust = laid_over(plan, scenario, recovery=recovery)
    return LoadJob(
        name=scenario.name,
        file=scenario.file or Path(),
        target=plan.target,
        overrides=overrides,
        variables=scenario.variables,
        environment=scenario.environment,
        ack_timeout_s=scenario.ack_timeout,
        send=scenario.send.settings() if scenario.send else {},
        resume=plan.load.resume if plan.load else None,
        locust=locust,
        consistency=scenario.consistency.settings() if scenario.consistency else {},
        clients=one_client(plan, scenario),
        cloud=scenario.cloud,
        k6=k6_options(plan, scenario, recovery=recovery),
    )
