"""summary.txt as a person reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.run_folders import HOT, WORKER_A, RunFolderBuilder, failed, raw, request, small_run
from tests.unit.reports.sample_results import failing_requests
from toolkit.analysis.results import read_results
from toolkit.reports import summary_json, summary_text

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

CLASSIC = """\
All virtual users finished
Summary report @ 14:30:10(+0000) 2026-11-21
  Scenarios launched:  20
  Scenarios completed: 18
  Requests completed:  110
  Mean response/sec: 10.89
  Response time (msec):
    min: 1 max: 100 median: 45.5 p95: 94.5 p99: 98.9
  Scenario counts:
    browse: 10 (50%)
    sockets: 10 (50%)
  Codes:
    0: 10
    200: 94
    201: 5
    504: 1
  Errors:
    ECONNRESET: 1
"""
HEAD = ["count", "/sec", "errors", "checks", "4xx", "5xx", "mean", "stdev", "mode", "bin"]
HEAD += ["p50", "p75", "p90", "p95", "p99", "p99.9", "min", "max"]
CREATE = ["5", "0.49", "0", "0", "0", "0", "98.0", "1.6", "97.0", "2.0"]
CREATE += ["98.0", "99.0", "99.6", "99.8", "100.0", "100.0", "96.0", "100.0"]


def text_of(run: RunFolder) -> str:
    ((name, content),) = summary_text.render(read_results(run))
    assert name == "summary.txt"
    return content.decode()


def test_it_begins_as_artillerys_own_report_does(tmp_path: Path) -> None:
    assert text_of(small_run(tmp_path)).startswith(CLASSIC)


def test_each_request_name_has_its_numbers_in_columns_that_line_up(tmp_path: Path) -> None:
    lines = text_of(small_run(tmp_path)).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Requests ("))
    head, *rows = lines[at + 2 : at + 7]

    assert head.split() == HEAD
    create = next(row for row in rows if "create" in row)
    assert create.split()[2:] == CREATE
    ends = [match.end() for match in re.finditer(r"\S+", head)]
    for row in rows[:4]:
        assert {match.end() for match in re.finditer(r"\S+", row)} >= set(ends), row


def test_a_failed_request_is_counted_once_and_in_one_part(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", failing_requests())
    text = text_of(builder.build())

    assert "\n  Requests failed: 13 (6 no answer, 5 4xx, 2 failed checks)\n" in text
    assert re.search(r"\n  load data +70 +\S+ +6 +7 +5 +0 ", text)
    assert "\n    capture failed: 7\n    ECONNREFUSED: 6\n" in text


def test_the_profile_names_the_hot_function_and_what_was_left_out(tmp_path: Path) -> None:
    text = text_of(small_run(tmp_path))
    cpu = text[text.index("  CPU time:") :]

    assert "200 samples, 10 s of all threads, recorded for 10 s at 20 Hz in 2 chunks" in cpu
    assert "application in /srv/shop/shop/ (" in cpu
    assert re.search(r"hot \(views\.py\) +80\.0 +80\.0 +80\.0 +8\.00", cpu)
    assert "of threads that wait for work were left out" in cpu
    assert "recorder: 0.2 s of CPU (2 % of one core), 0 chunks lost, 0 late" in cpu
    assert "gunicorn" not in cpu  # the server's own frames are folded away


def test_no_name_can_steer_the_terminal(tmp_path: Path) -> None:
    evil = "a\u202eb\x1b[31m\r\n\x9b2J\u2066\U000e0041\u200b"
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.missing = [evil]
    builder.manifest.outcome, builder.manifest.reason = "failed", evil
    builder.load("http", [request(1, name=evil, scenario=evil), failed(2, evil)])
    builder.server("app", {"wall": {"valid": True, "reason": evil}, "cpu": {"valid": False, "reason": evil}})
    builder.chunk("app", "wall", 0, raw(WORKER_A, (f"{evil} (/srv/{evil}.py:1)",), 5))
    results = read_results(builder.build())

    ((_, content),) = summary_text.render(results)
    text = content.decode()
    ((_, json_content),) = summary_json.render(results)

    assert not [character for character in text if not (character.isprintable() or character == "\n")]
    assert "a\\u202eb\\x1b[31m\\x0d\\x0a\\x9b2J\\u2066" in text
    assert json_content.isascii()
    assert b"\x1b" not in json_content


def test_long_and_wide_names_do_not_break_the_columns(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.load("http", [request(1, name="x" * 300), request(2, name="予約を作成"), request(3, name="ok")])
    lines = text_of(builder.build()).splitlines()

    assert "  " + "x" * 300 in lines  # whole, on its own line
    short = next(line for line in lines if line.startswith("  ok"))
    wide = next(line for line in lines if line.startswith("  予約"))
    assert len(short) - len(wide) == 5  # five characters of two cells each


def test_an_interrupted_run_does_not_claim_that_all_users_finished(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.manifest.outcome, builder.manifest.reason = "interrupted", "SIGINT"
    builder.load("http", [request(1)])

    assert text_of(builder.build()).startswith(
        "The run was interrupted before all virtual users finished (SIGINT)\n"
    )


def test_a_run_with_nothing_in_it_has_a_summary(tmp_path: Path) -> None:
    text = text_of(RunFolderBuilder(tmp_path).build())

    assert text.startswith("No request was recorded\n")
    assert "  - No load was driven.\n" in text


def test_a_view_that_is_not_shown_says_why(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {"cpu": {"valid": False, "reason": "free-threaded Python"}})
    builder.chunk("app", "cpu", 0, raw(WORKER_A, (HOT,), 5))
    text = text_of(builder.build())

    assert "CPU time: not shown: free-threaded Python" in text
    assert "hot" not in text
