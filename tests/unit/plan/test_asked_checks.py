"""`checks:` and `default_checks:` of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.plan.asked import wanted_checks
from toolkit.plan.loading import load_plan, plan_text


def _plan(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "p.yml"
    path.write_text(text, encoding="utf-8")
    return path


def _wanted(tmp_path: Path, text: str) -> list[tuple[str, bool]]:
    plan = load_plan(_plan(tmp_path, text), {}, {})
    return [(one["name"], one["abort"]) for one in wanted_checks(plan.checks, plan.default_checks)]


DEFAULTS = ["no 5xx", "no socket error", "no invalid record", "generator not the bottleneck"]


def test_a_text_a_mapping_and_a_text_without_quotes(tmp_path: Path) -> None:
    text = """
checks:
  - http.p95 < 250ms
  - http.p95{phase: peak} < 400ms
  - {check: "ws.ack.p99{phase: peak, name: echo} < 1s over 30s", abort: true, name: acks}
"""
    wanted = _wanted(tmp_path, text)
    assert wanted[:3] == [
        ("http.p95 < 250ms", False),
        ("http.p95{phase: peak} < 400ms", False),
        ("acks", True),
    ]
    assert [name for name, _ in wanted[3:]] == DEFAULTS


def test_the_plan_that_is_written_down_is_read_again(tmp_path: Path) -> None:
    plan = load_plan(
        _plan(tmp_path, "checks: ['http.p95{phase: \"a b\"} < 250ms']\ndefault_checks: [socket]\n"), {}, {}
    )
    assert load_plan(_plan(tmp_path, plan_text(plan)), {}, {}) == plan


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{}", DEFAULTS),
        ("default_checks: false", []),
        ("default_checks: [socket, generator]", [DEFAULTS[1], DEFAULTS[3]]),
        ("checks: ['http.errors{code: 5xx} rate < 1%']", DEFAULTS[1:]),
        ("checks: ['http.errors rate < 1%']", DEFAULTS[2:]),
        ("checks: ['http.errors{phase: peak} rate < 1%']", DEFAULTS),
        ("checks: ['http.errors{code: 404} == 0']", DEFAULTS),
        ("checks: ['requests.unanswered rate < 1%']", [DEFAULTS[0], *DEFAULTS[2:]]),
        ("checks: ['records.invalid < 5']", [*DEFAULTS[:2], DEFAULTS[3]]),
    ],
)
def test_a_check_of_one_s_own_stands_in_the_place_of_a_default(
    tmp_path: Path, text: str, names: list[str]
) -> None:
    assert [name for name, _ in _wanted(tmp_path, text) if name in DEFAULTS] == names


def test_all_mistakes_come_at_once_with_their_places(tmp_path: Path) -> None:
    text = """checks:
  - http.p95 < 250MB
  - htp.p95 < 1s
  - http.p95 < 1s
  - http.p95 <  1s
  - {check: http.p99 < 1s, abort: true}
  - {check: http.p90 < 1s, name: same}
  - {check: http.p75 < 1s, name: same}
  - {chek: http.p50 < 1s}
  - 5
default_checks: [sockets]
"""
    with pytest.raises(UsageError) as caught:
        load_plan(_plan(tmp_path, text), {}, {})
    told = str(caught.value)
    for said in (
        "p.yml:2: checks.0.check: 'http.p95 < 250MB': 'MB' is no unit",
        "p.yml:3: checks.1.check: 'htp.p95 < 1s': there is no quantity 'htp.p95'; did you mean 'http.p95'?",
        "p.yml:5: checks.3: the check http.p95 < 1s stands twice",
        "p.yml:6: checks.4: a check that stops the load needs a window: write http.p99 < 1s over 30s",
        "p.yml:8: checks.6.name: two checks are called same",
        "p.yml:9: checks.7.chek: unknown key; did you mean 'check'?",
        "p.yml:10: checks.8",
        "p.yml:11: default_checks.0: 'sockets' is not one of",
        "did you mean 'socket'?",
    ):
        assert said in told, told
    assert "neither true nor false" not in told


def test_a_check_with_tags_that_yaml_refuses_is_told_to_be_quoted(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_plan(_plan(tmp_path, "checks:\n  - http.p95{phase: peak, name: x} < 1s\n"), {}, {})
    assert "stands in quotes" in str(caught.value)


def test_the_demo_plan_s_checks_can_be_read() -> None:
    plan = load_plan(Path(__file__).parents[3] / "plans" / "demo.yml", {}, {})
    assert plan.checks
