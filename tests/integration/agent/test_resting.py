"""Where even one sample a second costs more than the budget, the recorders of the views rest, in turn."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.gunicorns import Gunicorn
from tests.integration.agent.load import Load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.agent.driver import Agent


def test_views_rest_in_turn_and_the_budget_is_kept(folder: Path, agent: Agent) -> None:
    threads = {"IDLE_THREADS": "600"}
    with Gunicorn(folder / "many", "sync", 1, environment=threads) as gunicorn, Load(gunicorn):
        wanted = {"rate_hz": None, "chunk_s": 1.0, "budget_percent": 8.0}
        answer = agent.record(gunicorn.pid, views=["wall", "cpu"], **wanted)
        budget = answer["budget"]
        assert budget["rest_s"] > 0
        assert "and rest for" in budget["message"]
        assert not budget["exceeded"]
        while sum(one["view"] == "wall" and one["seq"] > 0 for one in agent.chunks) < 2:
            agent.wait("chunk", timeout_s=20)
            agent.say(op="ping", t0=0)
        agent.stop()

    proper = {
        view: sorted((one for one in agent.chunks if one["view"] == view and one["seq"]), key=_start_s)
        for view in ("wall", "cpu")
    }
    wall, cpu = proper["wall"], proper["cpu"]
    for before, after in pairwise(wall):
        assert _start_s(after) - before["end_ns"] / 1e9 > 0.5 * budget["rest_s"], "it rests"
    cycle_s = _start_s(wall[1]) - _start_s(wall[0])
    assert 0.2 < (_start_s(cpu[0]) - _start_s(wall[0])) / cycle_s < 0.8, "while one rests, the other records"
    spent = (wall[0]["cpu_s"] + cpu[0]["cpu_s"]) / cycle_s
    assert spent < 0.8 * sum(one["cpu_s"] / _lasted_s(one) for one in (wall[0], cpu[0])), (
        "less than at every moment"
    )
    assert all(agent.samples(view, "hot_function") for view in proper)


def _lasted_s(chunk: dict[str, int]) -> float:
    return (chunk["end_ns"] - chunk["start_ns"]) / 1e9


def _start_s(chunk: dict[str, int]) -> float:
    return chunk["start_ns"] / 1e9
