"""When samples are taken, and how often what is costly is looked at."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

metrics = import_module("metrics")
pace = import_module("pace")


@pytest.mark.parametrize(
    ("now", "interval", "following"),
    [(100.2, 1.0, 101.0), (100.0, 1.0, 101.0), (100.25, 0.5, 100.5), (119.0, 60.0, 120.0), (0.95, 0.1, 1.0)],
)
def test_the_grid(now: float, interval: float, following: float) -> None:
    assert metrics.next_on_grid(now, interval) == pytest.approx(following)


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: float) -> None:
        self.now = now
        monkeypatch.setattr(metrics.clock, "now", lambda: self.now)
        monkeypatch.setattr(metrics.clock, "now_ns", lambda: round(self.now * 1e9))


class Part:
    """Stands in for host, service and processes."""

    def __init__(self, *_: Any) -> None:
        self.fails = False

    def read(self, *_: Any) -> dict[str, int]:
        if self.fails:
            raise RuntimeError("it broke")
        return {"value": 1}

    def close(self) -> None:
        pass


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """(clock, metrics, what was said, what was complained of)."""
    clock = Clock(monkeypatch, 1000.3)
    for name in ("Host", "Service", "Processes"):
        monkeypatch.setattr(metrics, name, Part)
    census = SimpleNamespace(tree=SimpleNamespace(arbiter=SimpleNamespace(pid=1)), gone=False)
    said: list[dict[str, Any]] = []
    complained: list[str] = []

    def say(message: dict[str, Any]) -> bool:
        said.append(message)
        return not said[-1].get("refuse") and len(said) != 2

    return clock, metrics.Metrics(1.0, census, say, complained.append), said, complained


def test_a_late_sample_has_its_true_time_and_the_next_is_on_the_grid(sampled: Any) -> None:
    clock, sampler, said, _ = sampled
    sampler.tick()
    assert not said
    assert sampler.wait_s == pytest.approx(0.7)
    clock.now = 1001.0004
    sampler.tick()
    sampler.tick()
    clock.now = 1003.6  # two were missed
    sampler.tick()
    sampler.tick()
    assert sampler.wait_s == pytest.approx(0.4)
    assert [line["t"] for line in said] == [round(1001.0004 * 1e9), round(1003.6 * 1e9)]


def test_a_clock_that_is_set_back_stops_nothing(sampled: Any) -> None:
    clock, sampler, said, _ = sampled
    clock.now = 400.2
    assert sampler.wait_s <= 1.0
    sampler.tick()
    clock.now = 401.0
    sampler.tick()
    assert [line["t"] for line in said] == [round(401.0 * 1e9)]


def test_a_part_that_fails_is_told_once_and_the_rest_goes_on(sampled: Any) -> None:
    clock, sampler, said, complained = sampled
    sampler._service.fails = True
    for now in (1001.0, 1002.0, 1003.0):
        clock.now = now
        sampler.tick()
    assert [line["service"] for line in said] == [{}, {}, {}]
    assert [line["host"] for line in said] == [{"value": 1}] * 3
    assert [text for text in complained if "it broke" in text] == [complained[0]]
    assert any("1 samples of the metrics were dropped" in text for text in complained), "the second was"


def test_a_costly_look_keeps_to_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    cost = [0.0]
    slow = pace.Pace(0.01, 2.0, lambda: cost[0])

    def look(spent: float) -> None:
        cost[0] += spent

    assert slow.due()
    slow.run(lambda: look(0.001))
    now[0] = 101.9
    assert not slow.due()
    now[0] = 102.0
    assert slow.due(), "cheap: only as long as was asked for"
    slow.run(lambda: look(0.5))
    now[0] = 151.0
    assert not slow.due(), "half a second in a hundredth of the time"
    now[0] = 152.0
    assert slow.due()
    assert slow.cost_s == pytest.approx(0.5)
