"""Bodies of known sizes: what the summary says of sizes is what was sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from toolkit.demo.service import DemoState

ROOT = Path(__file__).resolve().parents[3]
KIB = 1024
SCENARIO = """
config:
  phases: [{arrivalCount: 4, duration: 1s}]
scenarios:
  - flow:
      - loop: [{get: {url: /test-get/0, name: body}}]
        count: 5
      - get: {url: /test-get/1, name: body}
      - get: {url: /test-get/2, name: body}
      - get: {url: /test-get/3, name: body}
"""


@pytest.mark.parametrize(
    ("number", "size"), [(0, KIB), (1, 4 * KIB), (3, 64 * KIB), (6, 4 * KIB * KIB), (7, None)]
)
def test_a_number_is_a_size(anybody: httpx.Client, number: int, size: int | None) -> None:
    first, second = (anybody.get(f"/test-get/{number}") for _ in range(2))
    if size is None:
        assert first.status_code == 404
    else:
        assert [len(answer.content) for answer in (first, second)] == [size, size]
        assert first.content != second.content


@pytest.mark.needs_artillery
def test_the_summary_has_their_sizes(demo: DemoState, tmp_path: Path) -> None:
    (tmp_path / "sizes.yml").write_text(SCENARIO)
    before = len(demo.access_log.read_text().splitlines())
    load = {"canary": "off", "scenarios": [{"file": "sizes.yml"}]}  # a canary would ask for bodies, too
    (tmp_path / "plan.yml").write_text(json.dumps({"name": "sizes", "target": demo.url, "load": load}))
    argv = [sys.executable, "-m", "toolkit", "load", str(tmp_path / "plan.yml"), "--json", "--quiet"]
    done = subprocess.run(
        [*argv, "--reports", str(tmp_path / "reports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    totals = json.loads(done.stdout)["summary"]["totals"]
    sizes = sorted(([KIB] * 5 + [4 * KIB, 16 * KIB, 64 * KIB]) * 4)
    assert totals["count"] == len(sizes)
    assert totals["bytes_in_median"] == KIB
    assert totals["bytes_in_mean"] == sum(sizes) / len(sizes)
    assert totals["bytes_in_mode"] == KIB
    logged = [json.loads(line) for line in demo.access_log.read_text().splitlines()[before:]]
    assert sorted(line["bytes"] for line in logged if line["path"].startswith("/test-get/")) == sizes
