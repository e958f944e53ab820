"""Which address the canary asks, and how dear it may be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from toolkit.plan.model import Canary, Plan
from toolkit.run import canary_process
from toolkit.run.canary import canary_url
from toolkit.run.jobs import canary_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("choice", "targets", "expected"),
    [
        ({}, ["http://shop:8000"], "http://shop:8000/"),
        ({}, ["http://shop:8000/api"], "http://shop:8000/api"),
        ({}, ["{{ $env.TARGET }}", "https://shop"], "https://shop/"),
        ({}, ["ws://shop:8000/ws"], "http://shop:8000/ws"),
        ({}, ["http://me:secret@shop:8000"], "http://shop:8000/"),
        ({}, ["{{ $env.TARGET }}"], None),
        ({}, [], None),
        ("/healthz", ["http://shop:8000/api"], "http://shop:8000/healthz"),
        ({"path": "/items?page=1"}, ["https://shop"], "https://shop/items?page=1"),
        ("http://other:9000/ping", ["http://shop:8000"], "http://other:9000/ping"),
        ({"url": "http://me:secret@other/ping"}, [], "http://other/ping"),
        ("off", ["http://shop:8000"], None),
        (False, ["http://shop:8000"], None),
        (True, ["http://shop:8000"], "http://shop:8000/"),
    ],
)
def test_what_it_asks(choice: Any, targets: list[str], expected: str | None) -> None:
    assert canary_url(Canary.model_validate(choice), targets) == expected


def test_by_default_it_asks_what_the_load_gets_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "shop.yml"
    file.write_text(
        "config: {target: 'http://shop:8000', phases: [{duration: 1, arrivalRate: 1}], variables: {page: news}}\n"
        "scenarios:\n"
        "  - flow:\n"
        "      - post: {url: /login, json: {name: ada}}\n"
        "      - get: {url: '/users/{{ id }}'}\n"
        "      - get: {url: /mine, headers: {authorization: '{{ token }}'}}\n"
        "      - loop: [{get: {url: '/{{ page }}?all=1', name: news}}]\n"
        "        count: 2\n"
        "      - get: {url: /later}\n",
        encoding="utf-8",
    )
    said = {"version": 1, "name": "shop", "load": {"scenarios": [{"file": str(file)}]}}
    assert canary_of(Plan.model_validate(said)) == "http://shop:8000/news?all=1"
    said["load"]["canary"] = "/healthz"  # type: ignore[index]
    assert canary_of(Plan.model_validate(said)) == "http://shop:8000/healthz"


@pytest.mark.parametrize(
    "choice",
    [{"path": "healthz"}, {"url": "ftp://shop/"}, {"path": "/a", "url": "http://shop/"}, {"rate": 0}],
)
def test_what_it_cannot_be_told(choice: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's; the words are tested with the plan
        Canary.model_validate(choice)


def sing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answers_s: list[float | None], rate: float | None = None
) -> Any:
    """What it writes of its pace, where its first answers take so long."""
    told = {"url": "http://shop/", "shown": "http://shop/", "rate": rate, "id": "x", "agent": "x"}
    canary = canary_process.Canary({**told, "file": str(folder / "canary.jsonl")})
    left = iter(answers_s)
    monkeypatch.setattr(canary, "_ask", lambda _late_s: next(left))
    waits = iter([False] * len(answers_s) + [True])
    monkeypatch.setattr(canary_process, "told_to_end", lambda _wait_s: next(waits))
    canary.sing()
    rows = [json.loads(line) for line in (folder / "canary.jsonl").read_text().splitlines()]
    return next(row for row in rows if row["kind"] == "pace")


@pytest.mark.parametrize(
    ("answers_s", "rate", "per_s", "idle_ms"),
    [
        ([0.001] * 5, None, 20.0, 1.0),
        ([0.4, 0.1, 0.2, None, 0.3], None, 1.0, 100.0),  # a tenth of the time of one worker
        ([0.1] * 5, 10, 10.0, 100.0),  # who asks for a rate gets it
        ([None] * 5, None, 1.0, None),
    ],
)
def test_a_dear_answer_is_asked_for_less_often(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers_s: list[float | None],
    rate: float | None,
    per_s: float,
    idle_ms: float | None,
) -> None:
    pace = sing(tmp_path, monkeypatch, answers_s, rate)
    assert (pace["per_s"], pace["idle_ms"]) == (per_s, idle_ms)
