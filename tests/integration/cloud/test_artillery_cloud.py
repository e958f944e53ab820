"""Artillery on Fargate: the command that is built, and its report in the bundle. Only the call of the cloud is left out."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.engines.conftest import service
from toolkit.cli import main
from toolkit.engines import artillery_cloud
from toolkit.engines.node import artillery_folder

if TYPE_CHECKING:
    from tests.logged_service import LoggedService
    from toolkit.recording.layout import RunFolder

__all__ = ["service"]

pytestmark = [pytest.mark.needs_artillery]

FILE = """\
config:
  phases: [{duration: 3, arrivalRate: 5}]
  plugins: {ensure: {}}
  ensure: {thresholds: [{http.response_time.p99: 60000}]}
scenarios:
  - name: looks
    flow:
      - get: {url: /items/one}
      - get: {url: "{{ second }}"}
"""
PLAN = """\
name: cloudy
target: %s
load:
  scenarios:
    - file: own.yml
      variables: {second: %s}
      fargate: {count: 3, region: eu-west-1, spot: true, secret: [A, B]}
checks:
  - http.p95 < 5s
"""


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = artillery_folder() / "bin" / "run"
    (tmp_path / "artillery" / "bin").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("run.cjs"), tmp_path / "artillery" / "bin" / "run")
    monkeypatch.setattr(artillery_cloud, "artillery_folder", lambda: tmp_path / "artillery")
    monkeypatch.setenv("REAL_ARTILLERY", str(real))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yml").write_text(FILE)
    return tmp_path


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


def run_of(folder: Path) -> RunFolder:
    from toolkit.recording.layout import RunFolder

    return RunFolder((folder / "reports" / "latest").resolve())


def played(
    cloud: Path, service: LoggedService, second: str
) -> tuple[int, RunFolder, dict[str, Any], list[dict[str, Any]]]:
    (cloud / "plan.yml").write_text(PLAN % (service.url, second))
    before = len(service.requests())
    code = call("load", "plan.yml", "--yes")
    run = run_of(cloud)
    return code, run, json.loads(run.summary_json.read_text()), service.requests()[before:]


def test_sums_of_the_cloud_are_in_the_bundle(cloud: Path, service: LoggedService) -> None:
    code, run, summary, seen = played(cloud, service, "/items/two")
    assert code == 0, run.summary_text.read_text()
    asked = json.loads((run.load("own").path / "asked.json").read_text())
    assert asked[0] == "run:fargate"
    told = Counter(pairwise(asked))
    wanted = [
        ("--count", "3"),
        ("--region", "eu-west-1"),
        ("--secret", "A"),
        ("--secret", "B"),
        ("--target", service.url),
    ]
    assert all(told[one] == 1 for one in wanted)
    assert "--spot" in asked
    (entry,) = summary["aggregates"]
    assert (entry["workers"], entry["region"]) == (3, "eu-west-1")
    assert entry["requests"] == entry["answered"] == len(seen)
    assert entry["codes"] == {"200": len(seen)}
    assert entry["scenarios"] == {"looks": len(seen) // 2}
    assert entry["p95_ms"] <= entry["max_ms"]
    text = run.summary_text.read_text()
    assert "Sums of 3 workers in eu-west-1, as Artillery told them" in text
    assert f"Requests completed:  {len(seen)}" in text
    assert "no single requests, request ids" in text, "what is not there is said"
    assert "No request was recorded" not in text
    assert "left no request records" not in text
    assert summary["load_kind"]["totals"]["succeeded"] == len(seen), "the page's section has it"
    verdicts = {row["name"]: row["verdict"] for row in summary["checks"]["rows"]}
    assert verdicts["http.p95 < 5s"] == verdicts["no 5xx"] == verdicts["no socket error"] == "held"
    assert any("p99" in name for name in verdicts), "Artillery's own threshold stands beside them"


def test_a_5xx_in_the_sums_fails_the_check(cloud: Path, service: LoggedService) -> None:
    code, _, summary, seen = played(cloud, service, "/broken")
    assert code == 99
    assert "was 15" in summary["checks"]["reason"] or f"was {len(seen) // 2}" in summary["checks"]["reason"]


def test_a_cloud_that_refuses_is_told(
    cloud: Path, service: LoggedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_REFUSES", "1")
    code, _, summary, seen = played(cloud, service, "/items/two")
    assert (code, seen) == (1, [])
    assert "could not load credentials" in summary["run"]["reason"]
    assert summary["aggregates"] == []


def test_it_is_asked_about_before(
    cloud: Path, service: LoggedService, capsys: pytest.CaptureFixture[str]
) -> None:
    (cloud / "plan.yml").write_text(PLAN % (service.url, "/"))
    assert call("load", "plan.yml") == 2
    assert "3 workers on AWS Fargate in eu-west-1, which costs money" in capsys.readouterr().err
    assert not (cloud / "reports").exists()
