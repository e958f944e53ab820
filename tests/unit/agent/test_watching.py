"""Watching goes on whatever fails in it, and ends when it is told to."""

from __future__ import annotations

from collections import namedtuple
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

watching = import_module("watching")
asked = import_module("asked")

LOGS = {"find": True, "files": [], "units": [], "limit_bytes": 1}
Tree = namedtuple("Tree", "pids")


class Part:
    """Metrics or logs that can be told to fail."""

    def __init__(self, *_: Any) -> None:
        self.sources: list[Any] = [{"source": 0}]
        self.notes = ["a note of the logs"]
        self.wait_s = 0.25
        self.fails = False
        self.calls: list[str] = []
        self.ends_after = 2

    def tick(self) -> None:
        self.calls.append("tick")
        if self.fails:
            raise ValueError("broken\nhard")

    def follow(self, tree: Any) -> None:
        self.calls.append(f"follow {tree.pids}")

    def finish(self) -> bool:
        self.calls.append("finish")
        self.tick()
        self.ends_after -= 1
        return self.ends_after <= 0

    def close(self) -> None:
        self.calls.append("close")


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[dict[str, Any]] = []
        self.metrics, self.logs = Part(), Part()
        self.census = SimpleNamespace(
            tree=Tree([1, 2]),
            gone=False,
            look=lambda: None,
            tell_all=lambda: self.said.append({"type": "workers"}),
        )
        writer = SimpleNamespace(say=self.say, has_room=lambda: True)
        monkeypatch.setattr(watching.Watching, "_new_metrics", lambda *_: self.metrics)
        monkeypatch.setattr(watching.Watching, "_new_logs", lambda *_: self.logs)
        self.watching = watching.Watching(asked.Watch(1.0, LOGS), self.census, writer)

    def say(self, message: dict[str, Any], important: bool = True) -> bool:
        self.said.append(message)
        return True

    @property
    def told(self) -> list[str]:
        return [message["message"] for message in self.said if message["type"] == "log"]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_the_answer_comes_first_then_who_is_there(scene: Scene) -> None:
    scene.watching.begin()
    assert scene.said == [
        {"type": "watching", "sources": [{"source": 0}], "notes": ["a note of the logs"]},
        {"type": "workers"},
    ]


def test_a_part_that_cannot_be_made_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise OSError("no logs today")

    said: list[dict[str, Any]] = []

    def say(message: dict[str, Any], important: bool = True) -> bool:
        said.append(message)
        return True

    writer = SimpleNamespace(say=say, has_room=lambda: True)
    monkeypatch.setattr(watching.Watching, "_new_metrics", Part)
    monkeypatch.setattr(watching.Watching, "_new_logs", broken)
    census = SimpleNamespace(tree=Tree([1]), gone=False, tell_all=lambda: None)
    watching.Watching(asked.Watch(1.0, LOGS), census, writer).begin()
    assert said[0]["sources"] == []
    assert "no logs today" in said[0]["notes"][0]


@pytest.mark.parametrize("broken", ["metrics", "logs"])
def test_one_that_fails_again_and_again_is_given_up_and_the_other_goes_on(scene: Scene, broken: str) -> None:
    failing, fine = (scene.metrics, scene.logs) if broken == "metrics" else (scene.logs, scene.metrics)
    failing.fails = True
    for _ in range(100):
        scene.watching.tick()
    assert fine.calls.count("tick") == 100
    assert failing.calls.count("tick") == watching.FAILURES
    assert failing.calls[-1] == "close"
    assert len(scene.told) == 2, "once what failed, once that it was given up"
    assert not [message for message in scene.said if message["type"] == "error"]


def test_new_workers_are_followed_once(scene: Scene) -> None:
    scene.watching.tick()
    scene.census.tree = Tree([1, 2, 3])
    scene.watching.tick()
    scene.watching.tick()
    assert [call for call in scene.logs.calls if call != "tick"] == ["follow [1, 2, 3]"]


def test_stop_reads_the_logs_to_their_ends(scene: Scene) -> None:
    scene.watching.stop()
    scene.watching.tick()
    assert not scene.watching.stopped
    scene.watching.tick()
    assert scene.watching.stopped
    assert scene.logs.calls[-1] == "close"
    assert scene.metrics.calls == ["close"], "no sample after the end"


def test_logs_that_never_end_do_not_hold_it_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    scene.logs.ends_after = 10**9
    scene.watching.stop()
    for _ in range(10):
        scene.watching.tick()
        now[0] += 1.0
    assert not scene.watching.stopped
    now[0] += watching.FINISH_WITHIN_S
    scene.watching.tick()
    assert scene.watching.stopped
    assert "could not be sent to their ends" in scene.told[-1]


def test_logs_that_fail_at_the_end_do_not_hold_it_up(scene: Scene) -> None:
    scene.watching.stop()
    scene.logs.fails = True
    for _ in range(watching.FAILURES + 2):
        scene.watching.tick()
    assert scene.watching.stopped


def test_the_arbiters_end_is_told_once(scene: Scene) -> None:
    scene.census.gone = True
    scene.watching.tick()
    scene.watching.tick()
    assert len(scene.told) == 1
    assert "The arbiter has ended" in scene.told[0]
