"""What a plan may say of Artillery in a cloud, and the command that it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from toolkit.engines import artillery, artillery_cloud
from toolkit.engines.registry import engine
from toolkit.errors import UsageError
from toolkit.plan.loading import load_plan
from toolkit.recording.layout import LoadFolder
from toolkit.run.jobs import canary_of, job_of

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.plan.model import Plan

FILE = "config: {phases: [{duration: 5, arrivalRate: 1}]}\nscenarios: [{flow: [{get: {url: /}}]}]\n"
PLAN = """\
target: http://shop.example
load:
  scenarios:
    - file: own.yml
      azure: {count: 2, region: westeurope, memory: 4, quiet: false}
"""


class _Node:
    path, version = "/n/node", "v22"


@pytest.fixture(autouse=True)
def _artillery(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in (artillery, artillery_cloud):
        monkeypatch.setattr(module, "find_node", _Node)
        monkeypatch.setattr(module, "artillery_folder", lambda: tmp_path / "artillery")


def planned(tmp_path: Path, text: str = PLAN) -> Plan:
    (tmp_path / "own.yml").write_text(FILE)
    (tmp_path / "plan.yml").write_text(text)
    return load_plan(tmp_path / "plan.yml", {})


def test_options_are_passed_through(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert plan.load
    (scenario,) = plan.load.scenarios
    assert scenario.engine == "artillery-cloud"
    launch = engine(scenario.engine).launch(job_of(plan, scenario), LoadFolder(tmp_path / "load"))
    assert launch.argv[2] == "run:aci"
    assert launch.argv[5:11] == ("--count", "2", "--region", "westeurope", "--memory", "4")
    assert "--quiet" not in launch.argv
    assert launch.argv[11:] == ("--target", "http://shop.example", str(tmp_path / "own.yml"))
    assert "ARTILLERY_PLUGINS" not in launch.env, "our recorder is not in the cloud"
    assert launch.stop_s >= 60, "its workers are ended before it is"
    assert canary_of(plan) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("memory: 4", "output: x"), "--output cannot be passed through: the toolkit reads it"),
        (("memory: 4", "target: x"), "--target cannot be passed through: write target: of the plan"),
        (("memory: 4", "--cpu: 4"), "is no option of Artillery's"),
        (("count: 2", "count: none"), "count: 'none' is no number of workers"),
        (("      azure:", "      fargate: {}\n      azure:"), "name one cloud, not two"),
        (("      azure:", "      engine: k6\n      azure:"), "only Artillery's files run there"),
        (("load:", "kind: stress\nload:"), "kind: stress is judged by single requests"),
        (("load:\n", "load:\n  rate: 5\n"), "only an Artillery file"),
        (
            ("  scenarios:\n", "  scenarios:\n    - {name: other, file: own.yml}\n"),
            "it stands alone in its plan",
        ),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(UsageError) as raised:
        planned(tmp_path, PLAN.replace(*change))
    assert words in raised.value.message
