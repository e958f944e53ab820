"""The report page and the flamegraphs in a real Chromium, opened from disk. Each `.mjs` beside this file is one reader."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.page.watched_run import watched_run
from tests.unit.reports import sample_results
from toolkit.engines.node import find_node
from toolkit.reports import flamegraphs, page, page_build

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

INVALID = {
    "verdict": "invalid",
    "reasons": ["the generator was at its limit from 0:30 on"],
    "rows": [{"name": "Generator", "value": "98 % of a core", "tone": "bad", "words": "it is one process"}],
    "series": {},
}

pytestmark = [
    pytest.mark.needs_chromium,
    pytest.mark.skipif(
        not (ROOT / "node_modules" / "playwright-core").is_dir(),
        reason="playwright-core is not installed (make setup)",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of every kind of run, and flamegraphs: alone, and two inlined beside a third in a frame."""
    page_build.build()
    folder = tmp_path_factory.mktemp("pages")
    whole = sample_results.whole()
    runs = {
        "whole": whole,
        "load_alone": sample_results.load_alone(),
        "profile_alone": sample_results.profile_alone(),
        "hostile": sample_results.hostile(),
        "invalid": replace(whole, summary={**whole.summary, "trust": INVALID}),
        "watched": watched_run(folder / "run"),
        "watched_hostile": watched_run(folder / "hostile-run", hostile=True),
    }
    for name, run in runs.items():
        for _, content in page.render(run):
            (folder / f"{name}.html").write_bytes(content)
    (folder / "flamegraphs").mkdir()
    for path, content in flamegraphs.render(sample_results.whole()):
        (folder / path).write_bytes(content)
    for _, content in flamegraphs.render(sample_results.hostile()):
        (folder / "hostile.svg").write_bytes(content)
    one, two = ((folder / f"flamegraphs/web-{n}-wall.svg").read_text(encoding="utf-8") for n in (1, 2))
    (folder / "two.html").write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><div id="one">{one}</div><div id="two">{two}</div>'
        '<iframe src="flamegraphs/web-1-cpu.svg" width="1000" height="700"></iframe>',
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize(
    "reader",
    ["axis", "address", "findings", "keyboard", "report_page", "other_pages", "bare_svg", "two_svgs"],
)
def test_in_chromium(reader: str, folder: Path) -> None:
    given = {"folder": str(folder), "matched": _share_of("scoring.py")}
    done = subprocess.run(
        [find_node().path, HERE / f"{reader}.mjs", json.dumps(given)],
        env={**os.environ, "CHROMIUM": shutil.which("chromium") or ""},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _share_of(file: str) -> str:
    """The share of the first flamegraph's time below a frame of `file`, from the stacks themselves."""
    stacks = sample_results.whole().flames[0].stacks
    total = sum(count for _, count in stacks)
    return f"{sum(count for labels, count in stacks if any(file in label for label in labels)) / total * 100:.2f}"
