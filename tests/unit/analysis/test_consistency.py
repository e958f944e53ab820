"""What a run folder says of its data: read back, judged, and written for people."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.run_folders import small_run
from toolkit.analysis.checks.judge import checks_summary
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables
from toolkit.recording.consistency import ConsistencyHead
from toolkit.reports import summary_text
from toolkit.reports.page_consistency import consistency_words

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.analysis.results import Results


def judged(root: Path, *, after: bool = True) -> Results:
    """Four actions on two items: two told, one unknown, one unsent; item 1 sold twice from a stock of one."""
    run = small_run(root)
    folder = run.loads()[0].consistency
    folder.path.mkdir()
    invariants = ["each items: before.stock - stock == count(told by item)", "told within orders"]
    folder.write_head(ConsistencyHead(4, "t", 7, 2, invariants, {"items": "stock", "orders": "or\u202eder"}))
    items = {"t-1": 1, "t-2": 1, "t-3": 2, "t-4": 2}
    folder.actions.write_text(
        "".join(json.dumps({"id": key, "values": {"item": item}}) + "\n" for key, item in items.items())
    )
    folder.told("p1").write_text(
        '{"id":"t-1","start_ns":1000000,"status":201}\n{"id":"t-2","start_ns":3500000,"status":200}\n{"id":"t-4","unsent":true}\n'
    )
    before = {"items": [{"id": 1, "stock": 1}, {"id": 2, "stock": 1}], "orders": []}
    folder.write_state(folder.before, 1, before)
    if after:
        state: dict[str, list[dict[str, Any]]] = {
            "items": [{"id": 1, "stock": 0}, {"id": 2, "stock": 0}],
            "orders": [{"id": "t-1"}],
        }
        folder.write_state(folder.after, 2, state)
    return read_results(run)


def test_every_action_stands_where_its_client_was_told(tmp_path: Path) -> None:
    (entry,) = judged(tmp_path).summary["consistency"]
    counts = {name: entry[name] for name in ("actions", "told", "refused", "unknown", "unsent")}
    assert counts == {"actions": 4, "told": 2, "refused": 0, "unknown": 1, "unsent": 1}
    assert entry["spread_ms"] == 2.5
    assert entry["unknown_actions"] == [{"id": "t-3", "problem": "its process ended before an answer came"}]


def test_ids_by_service(tmp_path: Path) -> None:
    (entry,) = judged(tmp_path).summary["consistency"]
    stock, order = entry["invariants"]
    assert (stock["service"], stock["verdict"], stock["unclear"]) == ("stock", "broken", 1)
    assert stock["violating"] == [{"id": "1", "left": "1", "right": "2", "actions": ["t-1", "t-2"]}]
    assert [row["id"] for row in stock["undecided"]] == ["2"]
    assert [row["id"] for row in order["violating"]] == ["t-2"]
    assert (entry["violations"], entry["unclear"], entry["verdict"]) == (2, 1, "broken")


def test_in_words(tmp_path: Path) -> None:
    results = judged(tmp_path)
    ((_, content),) = summary_text.render(results)
    text = content.decode()
    assert "3 actions began within 2.5 ms" in text
    assert "the data did not stay right (2 violations)" in text
    assert "t-1, t-2" in text
    assert "\u202e" not in text
    (words,) = consistency_words(results.summary)
    assert (words["tone"], words["invariants"][0]["found"]) == ("bad", "1 of 2 ids disagree, 1 may")


def test_a_state_that_was_not_read_says_nothing(tmp_path: Path) -> None:
    (entry,) = judged(tmp_path, after=False).summary["consistency"]
    assert (entry["verdict"], entry["violations"]) == ("unjudged", 0)
    assert entry["invariants"][0]["problem"] == "the state was not read after the actions"


def test_a_recording_that_cannot_be_read_is_missing(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    run.loads()[0].consistency.path.mkdir()
    summary = read_results(run).summary
    assert summary["consistency"] == []
    assert any("consistency cannot be judged" in sentence for sentence in summary["missing"])


def test_checks_count_ids_and_fail_where_nothing_is_known(tmp_path: Path) -> None:
    def rows(results: Results) -> list[dict[str, Any]]:
        texts = ("consistency.violations == 0", "consistency.unclear <= 1")
        checks = [{"check": text, "name": text, "abort": False, "default": False} for text in texts]
        with open_tables(results.run) as connection:
            manifest = replace(results.manifest, checks=checks)
            return list(checks_summary(connection, manifest, results.summary)["rows"])

    found = rows(judged(tmp_path / "judged"))
    assert [(row["value"], row["verdict"]) for row in found] == [(2, "failed"), (1, "held")]
    unread = rows(judged(tmp_path / "unread", after=False))
    assert [row["verdict"] for row in unread] == ["failed", "failed"]
    assert "the state was not read after the actions" in unread[0]["reason"]
