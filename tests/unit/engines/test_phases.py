"""Durations as Artillery reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.engines.artillery_script import load_script
from toolkit.engines.base import LoadJob
from toolkit.engines.phases import planned_s, seconds, think_s


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (60, 60),
        ("60", 60),
        ("2m", 120),
        ("90s", 90),
        ("1500ms", 1.5),
        ("1.5 minutes", 90),
        ("1h", 3600),
        (1.5, None),
        ("1.5", None),
        ("soon", None),
        (0, None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_seconds(value: object, expected: float | None) -> None:
    assert seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(2, 2), ("2", 2), ("200ms", 0.2), (0.2, None), ("0.2", None), (0, 0)]
)
def test_think(value: object, expected: float | None) -> None:
    assert think_s(value) == expected


def test_planned() -> None:
    assert (
        planned_s([{"duration": "1m", "arrivalRate": 1}, {"pause": 5}, {"duration": 10, "arrivalCount": 1}])
        == 75
    )
    assert planned_s([{"arrivalRate": 1, "rampTo": 5}]) == 1
    assert planned_s(None) == 1


def test_a_flow_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "s.yml"
    file.write_text(
        "config: { target: http://x, timeout: 5 }\n"
        "scenarios:\n"
        "  - flow:\n"
        "      - loop: [{ think: 10 }, { get: { url: / } }]\n"
        "        count: 3\n"
        "      - get: { url: / }\n"
    )
    script, mistakes = load_script(LoadJob("s", file, ""))
    assert mistakes == []
    assert script is not None
    assert script.longest_flow_s(ack_timeout_s=10) == 1.5 * 30 + 4 * 10


def test_the_bundled_scenarios_last_about_half_a_minute() -> None:
    for name in ("http", "socket"):
        script, mistakes = load_script(LoadJob(name, Path(f"loadtesting/{name}.yml"), ""))
        assert mistakes == []
        assert script is not None
        assert planned_s(script.config["phases"]) == 30
        assert all(phase["maxVusers"] == 200 for phase in script.config["phases"])
        assert all(scenario["name"].startswith("CSR – ") for scenario in script.scenarios)
