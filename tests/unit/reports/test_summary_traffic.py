"""What summary.txt and report.html say of records that were sent from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.run_folders import small_run
from toolkit.analysis.results import read_results
from toolkit.recording.ledger import LedgerHead, boot_id
from toolkit.reports import summary_text, unknown_records
from toolkit.reports.page_traffic import traffic_words

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.analysis.results import Results


def sent(root: Path) -> Results:
    run = small_run(root)
    ledger = run.loads()[0].ledger
    ledger.path.mkdir()
    ledger.begin(LedgerHead("/f\u202e.jsonl", "ab", 5, "tok", boot_id=boot_id()), None, iter(()))
    ledger.claims.write_text("c p1 1 2 3\n")
    ledger.marks("p1").write_text("s 1 1 10\na 1 201\ns 2 2 1790000000000000000\nu 2 ETIMEDOUT\n")
    ledger.invalid.write_text('{"record": 5, "line": 9, "problem": "<b>\\u001b[1m"}\n')
    return read_results(run)


def test_every_count_and_what_is_unknown(tmp_path: Path) -> None:
    results = sent(tmp_path)
    ((_, content),) = summary_text.render(results)
    lines = content.decode().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("Records sent from files"))
    load = results.run.loads()[0].name
    assert lines[start + 2].split() == [load, "5", "1", "1", "2", "1", "1"]
    rest = "\n".join(lines[start + 3 :])
    assert "answers of this run: 1 with 201" in rest
    assert "2 were not sent (1 of them claimed by a process): load --resume" in rest
    assert "tok-2       ETIMEDOUT" in rest
    assert "<b>\\x1b[1m" in rest
    assert "/f\\u202e.jsonl" in rest


def test_all_of_the_unknown_stand_in_a_file(tmp_path: Path) -> None:
    ((name, content),) = unknown_records.render(sent(tmp_path))
    assert name.startswith("exports/")
    assert name.endswith("-unknown.jsonl")
    assert content.decode().splitlines() == [
        '{"record": 2, "line": 2, "sent_ns": 1790000000000000000, "request_id": "tok-2", "problem": "ETIMEDOUT"}'
    ]


def test_the_page_says_that_not_all_is_known(tmp_path: Path) -> None:
    (words,) = traffic_words(sent(tmp_path).summary)
    assert (words["verdict"], words["tone"]) == ("not all is known", "warn")
    assert [one["count"] for one in words["counts"]] == ["5", "1", "1", "2", "1", "1"]


def test_a_ledger_that_cannot_be_read_is_said_to_be_missing(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    run.loads()[0].ledger.path.mkdir()
    summary = read_results(run).summary
    assert summary["traffic"] == []
    assert any("ledger" in sentence for sentence in summary["missing"])
