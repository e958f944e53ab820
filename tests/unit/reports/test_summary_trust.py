"""What summary.txt says of its own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import small_run
from toolkit.analysis.results import read_results
from toolkit.reports import summary_text
from toolkit.reports.rebuild import rebuild

if TYPE_CHECKING:
    from pathlib import Path


def text(root: Path, trust: dict[str, Any]) -> str:
    results = read_results(small_run(root))
    results.summary["trust"] = trust
    ((_, content),) = summary_text.render(results)
    return content.decode()


def row(name: str, tone: str = "good", value: str = "all of them", words: str = "") -> dict[str, Any]:
    return {"key": name, "name": name, "value": value, "tone": tone, "words": words}


def test_numbers_that_must_not_be_used_say_so_before_anything_else(tmp_path: Path) -> None:
    reasons = ["The load generator could not keep up: 4 of 10 users arrived.", "A\u202e doubt."]
    said = text(tmp_path, {"verdict": "invalid", "reasons": reasons, "rows": [row("Arrivals", "bad")]})
    lines = said.splitlines()
    assert lines[:4] == ["DO NOT USE THESE NUMBERS", f"  - {reasons[0]}", "  - A\\u202e doubt.", ""]
    assert "Can this be trusted? No: do not use these numbers" in lines
    assert said.count(reasons[0]) == 1


def test_a_doubt_stands_in_its_section(tmp_path: Path) -> None:
    rows = [
        row("Arrivals"),
        row("Send lag", "warn", "late", "from here to there"),
        row("View gil", "warn", "not shown", "no GIL"),
    ]
    reasons = ["Sent late, from here to there."]
    said = text(tmp_path, {"verdict": "doubtful", "reasons": reasons, "rows": rows})
    lines = said.splitlines()
    assert lines[0] == "All virtual users finished"
    start = lines.index("Can this be trusted? With care")
    assert lines[start + 1 : start + 6] == [
        "  - Sent late, from here to there.",
        "     looked at  found",
        "     Arrivals   all of them",
        "  !  Send lag   late",
        "  !  View gil   not shown: no GIL",
    ]


def test_nothing_found(tmp_path: Path) -> None:
    said = text(tmp_path, {"verdict": "good", "reasons": [], "rows": [row("Arrivals")]})
    assert "Can this be trusted? Yes, as far as was looked\n" in said


@pytest.mark.parametrize("changes", [False, True])
def test_who_builds_the_report_is_told_before_it_is_written(tmp_path: Path, changes: bool) -> None:
    run = small_run(tmp_path)
    told: list[str] = []

    def judged(summary: dict[str, Any]) -> bool:
        told.append(summary["trust"]["verdict"])
        assert not run.summary_text.exists()
        manifest = read_results(run).manifest
        manifest.outcome = "invalid"
        if changes:
            manifest.save(run.manifest)
        return changes

    rebuild(run, judged)
    assert told == ["good"]
    assert run.summary_text.read_text().startswith("DO NOT USE" if changes else "All virtual users")
