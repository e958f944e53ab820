"""Mistakes in Artillery files, each with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from toolkit.engines import scenario_validation
from toolkit.engines.artillery import Artillery
from toolkit.engines.base import LoadJob
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
config:
  target: http://127.0.0.1:1
  phases:
    - duration: 2m
      arrivalRate: 3
scenarios:
  - name: a
    flow:
      - get: { url: / }
      - think: 200ms
"""


@pytest.fixture(autouse=True)
def _no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise UsageError("no Node here")

    monkeypatch.setattr(scenario_validation, "find_node", missing)


def check(folder: Path, text: str, **job: Any) -> list[str]:
    file = folder / "s.yml"
    file.write_text(text, encoding="utf-8")
    return [
        found.removeprefix(str(folder) + "/")
        for found in Artillery().check(LoadJob("s", file, job.pop("target", ""), **job))
    ]


def test_a_right_file_has_no_mistake(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("arrivalRate: 3", "arrivalRate: 0.5", "s.yml:5", "must be whole"),
        ("arrivalRate: 3", "arrivalRte: 3", "s.yml:5", "Did you mean `arrivalRate`?"),
        ("arrivalRate: 3", "arrivalRate: -1", "s.yml:5", "at least 0"),
        ("arrivalRate: 3", "arrivalRate: 0", "s.yml:3", "would wait for ever"),
        ("duration: 2m", "duration: 1.5", "s.yml:4", "Write whole seconds"),
        ("duration: 2m", "duration: '1.5'", "s.yml:4", "is no duration"),
        ("duration: 2m", "duration: soon", "s.yml:4", "is no duration"),
        ("- duration: 2m\n      arr", "- arr", "s.yml:4", "has no `duration`"),
        ("target: http://127.0.0.1:1", "target: 127.0.0.1:1", "s.yml:2", "Write `http://127.0.0.1:1`"),
        ("target: http://127.0.0.1:1", "timeout: 3", "s.yml:1", "no `target`"),
        ("phases:", "phaces:", "s.yml:3", "Did you mean `phases`?"),
        ("scenarios:", "scenario:", "s.yml:6", "Did you mean `scenarios`?"),
        ("think: 200ms", "think: a while", "s.yml:10", "is no time"),
        ("- think", "  think", "s.yml:10", "Begin it with its own `-`"),
        ("- get:", "- gett:", "s.yml:9", "has no step `gett`. Did you mean `get`?"),
        ("{ url: / }", "{ utl: / }", "s.yml:9", "needs a `url`"),
        ("name: a", "engine: sockets", "s.yml:7", "no engine `sockets`"),
        ("name: a", "engine: socketoi", "s.yml:7", "Did you mean `socketio`?"),
        ("name: a", "weight: 0.5", "s.yml:7", "it must be whole"),
        ("name: a", "weight: 0", "s.yml:6", "none would be played"),
        ("  phases:", "  processor: gone.cjs\n  phases:", "s.yml:3", "the processor gone.cjs is not beside"),
        ("  phases:", "  payload: { path: gone.csv }\n  phases:", "s.yml:3", "the payload file gone.csv"),
        ("  phases:", "  plugins: { ensur: {} }\n  phases:", "s.yml:3", "Did you mean `ensure`?"),
        ("  - name: a", " - name: a\n\t x", "s.yml:8", "is not YAML"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, old: str, new: str, place: str, words: str) -> None:
    assert old in GOOD
    found = check(tmp_path, GOOD.replace(old, new))
    assert any(mistake.startswith(f"{place}:") and words in mistake for mistake in found), found


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    wrong = (
        GOOD.replace("arrivalRate: 3", "arrivalRate: 0.5")
        .replace("200ms", "a while")
        .replace("- get:", "- gett:")
    )
    assert len(check(tmp_path, wrong)) == 3


def test_what_a_ramp_may_and_a_variable_hides(tmp_path: Path) -> None:
    ramp = GOOD.replace("arrivalRate: 3", "arrivalRate: 0.5\n      rampTo: 1.5")
    assert check(tmp_path, ramp) == []
    hidden = GOOD.replace("arrivalRate: 3", 'arrivalRate: "{{ rate }}"')
    assert check(tmp_path, hidden) == []
    assert check(tmp_path, hidden, variables={"rate": 7}) == []
    assert "must be whole" in check(tmp_path, hidden, variables={"rate": 0.5})[0]


def test_environments_and_overrides_are_laid_over(tmp_path: Path) -> None:
    text = GOOD.replace(
        "  target: http://127.0.0.1:1", "  environments:\n    staging:\n      target: http://127.0.0.1:2"
    )
    assert "no `target`" in check(tmp_path, text)[0]
    assert check(tmp_path, text, environment="staging") == []
    assert check(tmp_path, text, target="http://127.0.0.1:3") == []
    assert "Did you mean `staging`?" in check(tmp_path, text, environment="stagin")[0]
    shorter = {"config": {"phases": [{"duration": 0.5, "arrivalRate": 1}]}}
    assert "duration" in check(tmp_path, GOOD, overrides=shorter)[0]


def test_emits_that_trap(tmp_path: Path) -> None:
    text = GOOD.replace("name: a", "engine: socketio").replace(
        "- get: { url: / }", "- emit: [echo, { x: 1 }]"
    )
    assert "may hold strings only" in check(tmp_path, text)[0]
    text = text.replace(
        "emit: [echo, { x: 1 }]", "emit: { channel: echo, data: x }\n        response: { channel: said }"
    )
    assert check(tmp_path, text) == []
    remarks = Artillery().remarks(LoadJob("s", tmp_path / "s.yml", ""))
    assert len(remarks) == 1
    assert "s.yml:10: a response without `data` holds the user" in remarks[0]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.yml", "", "it is empty"),
        ("s.yml", "- 1\n", "it is a list"),
        ("s.yml", "a: 1\na: 2\n", "is not YAML"),
        ("s.txt", "x", ".yml, .yaml, .json, .js or .ts"),
        ("gone.yml", None, "does not exist. Name an Artillery file (.yml, .yaml, .json, .js or .ts)"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    found = Artillery().check(LoadJob("s", file, ""))
    assert len(found) == 1
    assert words in found[0]


def test_a_fraction_of_a_second_is_worth_a_word_but_runs(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD.replace("200ms", "0.2")) == []
    remarks = Artillery().remarks(LoadJob("s", tmp_path / "s.yml", ""))
    assert remarks == [f"{tmp_path / 's.yml'}:10: `think: 0.2` waits about 1 ms; `200ms` waits as it reads."]


def test_every_address_that_a_file_loads_is_known_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER", "10.1.2.3")
    text = (
        GOOD.replace("url: /", 'url: "http://{{ $env.OTHER }}/a"')
        + '      - post: { url: "https://{{ unknown }}/b" }\n'
    )
    (tmp_path / "s.yml").write_text(text)
    job = LoadJob("s", tmp_path / "s.yml", "")
    assert Artillery().targets(job) == ["http://127.0.0.1:1", "http://10.1.2.3/a", "https://{{ unknown }}/b"]
    assert (
        Artillery().targets(LoadJob("s", tmp_path / "s.yml", "http://127.0.0.1:2"))[0] == "http://127.0.0.1:2"
    )


def test_an_acknowledgement_inside_emit_would_never_be_waited_for(tmp_path: Path) -> None:
    text = GOOD.replace("- name: a\n", "- name: a\n    engine: socketio\n").replace(
        "get: { url: / }", "emit: { channel: say, data: hi, acknowledge: {} }"
    )
    (found,) = check(tmp_path, text)
    assert found.startswith("s.yml:10: ")
    assert "passes over `acknowledge` inside `emit`. It stands beside it" in found
