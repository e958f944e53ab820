"""What is said of a log that was not fetched, or not understood, whole."""

from __future__ import annotations

import pytest

from tests.unit.analysis.logs.recording import Recording, access, iso


def test_what_was_not_fetched_is_said(recording: Recording) -> None:
    log = recording.logs.source("/var/log/shop/a\nccess.log")
    recording.logs.block(log, 1.0, "torn li")
    recording.logs.dropped(log, 1.5, 1000)
    recording.logs.block(log, 2.0, "ne\n")
    recording.logs.dropped(log, 3.0, 5000, "limit")

    assert recording.ask("SELECT text FROM log_events ORDER BY position") == [("torn li",), ("ne",)]
    assert recording.ask("SELECT dropped_bytes, limited FROM log_sources") == [(6000, True)]
    assert recording.problems() == [
        "Log /var/log/shop/a?ccess.log of server app: 6000 bytes were not fetched, as its size limit was reached."
    ]


def test_a_truncation_of_which_nobody_knows_what_it_cut_away_is_said(recording: Recording) -> None:
    log = recording.logs.source("/var/log/shop/access.log")
    recording.logs.block(log, 1.0, "one\n")
    for second in (2.0, 4.0):
        recording.logs.truncated(log, second, second - 0.25)
        recording.logs.block(log, second + 1, "more\n")

    assert recording.problems() == [
        "Log /var/log/shop/access.log of server app was truncated 2 times: what was written in the moment before may be missing."
    ]


def test_bytes_without_an_index_are_read_and_said(recording: Recording) -> None:
    log = recording.logs.source()
    recording.logs.block(log, 1.0, "one\n")
    recording.builder.run.server("app").log_index.unlink()

    assert recording.ask("SELECT text FROM log_events") == [("one",)]
    assert recording.problems() == [
        "Log /var/log/shop/error.log of server app: when some of its lines were written is known only by the times "
        "that they name."
    ]


def test_what_was_guessed_or_not_read_of_an_access_log_is_said(recording: Recording) -> None:
    seen = recording.logs.source("/var/log/shop/access.log", role="access")
    known = access(iso(500))
    guessed = 'shop 10.0.0.1 "GET /cart HTTP/1.1" 200 17\n'
    recording.logs.block(seen, 1.0, known + guessed * 2 + "nothing that it knows\n")

    log = "Log /var/log/shop/access.log of server app"
    cure = "give gunicorn's access_log_format as access_format under servers[].logs in the plan."
    assert recording.problems() == [
        f"{log}: 1 of 4 lines could not be read as lines of an access log: {cure}",
        f"{log}: its format is not known, and request and status of 2 lines were guessed (a number after the request was taken "
        f"for the status): {cure}",
    ]


@pytest.mark.parametrize(("stray", "unread"), [("", 0), ("10.0.0.1 /cart 200 17\n", 1)])
def test_gunicorns_own_lines_in_the_access_log_are_no_reason_to_doubt_its_format(
    recording: Recording, stray: str, unread: int
) -> None:
    seen = recording.logs.source("/var/log/shop/all.log", role="access")
    own = "[2026-11-21 00:00:00 +0000] [7] [INFO] Booting worker with pid: 7\n"
    raised = 'Traceback (most recent call last):\n  File "/app/a.py", line 500, in f\n    g()\nKeyError: 1\n'
    recording.logs.block(seen, 1.0, own + stray + access(iso(500)) * 9 + raised + "printed\n")

    said = [f"{unread} of 16 lines could not be read as lines of an access log"] if unread else []
    assert [part in problem for part, problem in zip(said, recording.problems(), strict=True)] == [
        True
    ] * unread


def test_a_line_that_the_size_limit_cut_is_no_reason_to_doubt_the_format(recording: Recording) -> None:
    seen = recording.logs.source("/var/log/shop/access.log", role="access")
    recording.logs.block(seen, 1.0, access(iso(500)) * 3 + access(iso(500))[:30])
    recording.logs.dropped(seen, 3.0, 5000, "limit")

    (said,) = recording.problems()
    assert "5000 bytes were not fetched" in said


def test_an_access_log_that_is_read_whole_is_not_doubted(recording: Recording) -> None:
    seen = recording.logs.source("/var/log/shop/access.log", role="access")
    recording.logs.block(seen, 1.0, access(iso(500)) * 3)
    assert recording.problems() == []


def test_a_line_of_which_only_the_beginning_was_looked_at_is_told(recording: Recording) -> None:
    log = recording.logs.source("/var/log/shop/app.log", role="application")
    recording.logs.block(log, 1.0, "short\n" + "x" * (65 << 10) + "\n")

    assert recording.problems() == [
        "Log /var/log/shop/app.log of server app: 1 line is longer than 64 KiB: only the beginning was looked at."
    ]
