"""Of which requests it may be said that they never reached a worker, and of which nobody can know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.joined_runs import JoinedRun, sentences
from tests.run_folders import failed, request
from toolkit.reports.summary_errors import error_lines

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"


def test_without_an_access_log_it_is_not_said_that_a_request_never_arrived(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)

    (row,) = run.join([request(1, 12, status=504)])

    assert (row["what"], row["why"], row["what_certainty"]) == ("unknown", "no_log", "none")
    assert sentences(run) == [
        "1 request got 504: it has no server line, as no access log was recorded, or not on every server: whether it reached a "
        "worker cannot be known."
    ]
    assert run.errors.summary["unseen"]["known"] is False
    assert run.errors.summary["unseen"]["by_server"]["count"] is None
    assert any("No log of server app was recorded" in note for note in run.errors.summary["notes"])


def test_one_server_without_an_access_log_is_enough_not_to_know(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, "a", "b")
    run.access_log("a")

    (row,) = run.join([request(1, 12, status=504)])

    assert (row["what"], row["why"]) == ("unknown", "no_log")


@pytest.mark.parametrize("what", ["dropped", "limit", "gone"])
def test_a_request_in_a_gap_of_the_log_is_not_said_to_be_unseen(tmp_path: Path, what: str) -> None:
    run = JoinedRun(tmp_path)
    source = run.access_log(kind="journal" if what == "gone" else "file")
    run.logs["app"].block(source, 3.5, "x\n")
    run.logs["app"].block(source, 4.0, "x\n")  # of which a limit may have cut the end
    run.logs["app"].line(source, 8.0, what, bytes=1000)
    run.access(1.01, "GET", "/data", 200)

    _, before, within = run.join([request(1, 12), request(2, 12, status=504), request(6, 12, status=504)])

    assert before["what"] == "none"
    assert (within["what"], within["why"]) == ("unknown", "gap")
    assert run.errors.summary["unseen"]["by_server"]["unknown"] == 1


def test_of_what_was_written_just_before_a_truncation_nothing_is_said(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    source = run.access_log()
    run.logs["app"].truncated(source, 8.0, 7.75)
    run.access(1.01, "GET", "/data", 200)

    found = run.join([request(1, 12), *(request(start, 12, status=504) for start in (7.3, 7.72, 7.9, 8.1))])

    assert [row["what"] for row in found[1:]] == ["none", "unknown", "unknown", "none"]


@pytest.mark.parametrize(
    ("version", "what"), [("20.1.0", "unknown"), ("21.2.0", "none"), ("27.0.1", "none"), (None, "none")]
)
def test_an_old_gunicorn_may_have_had_what_its_log_has_not(
    tmp_path: Path, version: str | None, what: str
) -> None:
    run = JoinedRun(tmp_path)
    run.builder.manifest.servers[0].facts = {"gunicorn": {"version": version}}
    run.access_log()
    run.access(30, "GET", "/data", 200)

    late, gateway, *_ = run.join(
        [request(1, 2000, status=504), request(5, 20, status=502), request(29.9, 100)]
    )

    assert (late["what"], gateway["what"]) == (what, "none")
    if what == "unknown":
        assert late["why"] == "unlogged"
        (said,) = [one for one in sentences(run) if "got 504" in one]
        assert "this gunicorn (before 21) writes none where the client" in said
        assert "whether it reached a worker cannot be known" in said


def test_a_log_that_was_renamed_is_read_on(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    source = run.access_log()
    run.logs["app"].block(source, 4.0, "x\n")
    run.logs["app"].line(source, 8.0, "gone")
    run.access(1.01, "GET", "/data", 200)

    _, within = run.join([request(1, 12), request(6, 12, status=504)])

    assert within["what"] == "none"


def test_after_dropped_lines_the_log_counts_again_and_after_its_limit_it_does_not(tmp_path: Path) -> None:
    found = []
    for what in ("dropped", "limit"):
        run = JoinedRun(tmp_path / what)
        source = run.access_log()
        run.logs["app"].line(source, 8.0, what, bytes=1000)
        found.append(run.join([request(12, 12, status=504)])[0]["what"])

    assert found == ["none", "unknown"]


def test_a_request_before_the_log_was_followed_is_not_said_to_be_unseen(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log(start_s=5.0)

    (row,) = run.join([request(1, 12, status=504)])

    assert row["why"] == "gap"


def test_after_the_agent_fell_silent_nothing_is_known(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, watched_s=10)
    run.access_log()

    early, late = run.join([request(2, 12, status=504), request(28, 12, status=504)])

    assert (early["what"], late["what"], late["why"]) == ("none", "unknown", "gap")


def test_a_request_that_may_still_be_in_work_is_not_said_to_be_lost(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)  # the run ends 30 s after its start
    run.access_log()
    run.access(20, "GET", "/data", 200, duration_ms=15_000)

    _, early, late = run.join([request(5, 15_010), request(6, 12, status=502), request(25, 12, status=502)])

    assert (early["what"], late["what"]) == ("none", "unfinished")
    assert "or was waiting or in work when the recording ended" in sentences(run)[0]


def test_what_a_client_gave_up_may_be_in_work_whatever_others_took(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(1.01, "GET", "/data", 200, request_id="quick", duration_ms=8)

    _, given_up, reset = run.join(
        [
            request(1, 12, request_id="quick"),
            failed(2, "ETIMEDOUT", 3000, request_id="slow"),
            failed(3, "ECONNRESET", 10, request_id="reset"),
        ]
    )

    assert (given_up["what"], given_up["what_certainty"]) == ("unfinished", "none")
    assert (reset["what"], reset["what_certainty"]) == ("closed", "none")
    assert run.errors.summary["unseen"]["by_server"]["unfinished"] == 2
    assert "  Never seen by the server, or cut off, or in work when the recording ended: 2 of 3" in "\n".join(
        error_lines({"server_errors": run.errors.summary})
    )


def test_a_log_that_lacks_answered_requests_does_not_tell_which_were_never_seen(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    for number in range(10):
        run.access(number + 0.01, "GET", "/data", 200)
    answered_in_front = [
        request(number, 3, name="logo", url="http://127.0.0.1:8000/logo.svg") for number in range(10)
    ]

    rows = run.join(
        [
            *(request(number, 12) for number in range(10)),
            *answered_in_front,
            request(11, 12, status=504, name="logo"),
            request(12, 12, status=504),
        ]
    )

    logo, data = rows[-2:]
    assert (logo["what"], logo["why"]) == ("unknown", "incomplete")
    assert data["what"] == "none", "of this name the log had every answered one"
    assert run.errors.summary["unseen"]["by_server"]["count"] == 1


def test_another_address_is_not_said_to_be_the_servers(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(1.01, "GET", "/data", 200)

    _, elsewhere = run.join([request(1, 12), request(2, 12, status=504, url="https://pay.example/charge")])

    assert (elsewhere["what"], elsewhere["why"]) == ("unknown", "incomplete")


def test_a_refused_connection_never_reached_a_worker_whatever_the_logs_say(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.005, "GET", "/data", 200)

    (row,) = run.join([failed(1, "ECONNREFUSED", 10)])

    assert (row["what"], row["joined_by"]) == ("refused", "none")
    assert sentences(run) == [
        "1 request got no answer (ECONNREFUSED): it got no connection (never reached a worker)."
    ]
