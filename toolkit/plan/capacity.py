"""What a plan of kind capacity runs: each number of clients in turn, for each number of replicas; decision 023."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.engines.clients.settings import Clients

if TYPE_CHECKING:
    from toolkit.plan.model import Plan, Scenario

KIND = "capacity"
CLIENTS, REPETITIONS, LIMIT_S = (1, 2, 4, 8), 10, 60.0


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    load: str
    """What the run folder calls it: `play@8`, with replicas `play@3x8`. No scenario's name may hold an `@`."""
    scenario: Scenario
    clients: Clients
    replicas: int | None


def cells_of(plan: Plan) -> list[Cell]:
    """In the order in which they run; empty for any other kind."""
    level = plan.load
    if level is None or plan.kind != KIND:
        return []
    numbers: list[int | None] = [*level.replicas] if level.replicas else [None]
    return [
        Cell(
            f"{scenario.name}@{f'{replicas}x' if replicas else ''}{count}",
            scenario,
            _clients(plan, scenario, count),
            replicas,
        )
        for replicas in numbers
        for scenario in level.scenarios
        for count in level.clients or CLIENTS
    ]


def one_client(plan: Plan, scenario: Scenario) -> Clients | None:
    """What a scenario's file is checked with."""
    return _clients(plan, scenario, 1) if scenario.call or scenario.test is not None else None


def cells_shape(plan: Plan) -> list[dict[str, Any]]:
    """As run.json has them: `{"load", "scenario", "clients", "repetitions", "replicas", "limit_s"}`."""
    return [
        {
            "load": cell.load,
            "scenario": cell.scenario.name,
            "clients": cell.clients.count,
            "repetitions": cell.clients.repetitions,
            "replicas": cell.replicas,
            "limit_s": cell.clients.limit_s,
        }
        for cell in cells_of(plan)
    ]


def _clients(plan: Plan, scenario: Scenario, count: int) -> Clients:
    level = plan.load
    return Clients(
        call=scenario.call,
        test=scenario.test or "",
        python=scenario.python,
        count=count,
        repetitions=(level.repetitions if level else None) or REPETITIONS,
        limit_s=(level.limit if level else None) or LIMIT_S,
    )
