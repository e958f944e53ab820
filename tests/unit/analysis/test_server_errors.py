"""What the summary says of failures, of what one side never saw, and of where the time went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import JoinedRun
from tests.run_folders import failed, request
from tests.unit.reports.sample_results import HOSTILE
from toolkit.reports.summary_errors import error_lines

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"


def sentences(run: JoinedRun) -> list[str]:
    return [one["sentence"] for one in run.errors.summary["explanations"]]


def test_the_issues_own_example(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    requests = [request(10, 12, request_id="fine")]
    run.access(10.01, "GET", "/data", 200, request_id="fine")
    for number in range(93):
        requests.append(request(number / 10, 50, status=504, request_id=f"r-{number}"))
        if number < 91:
            run.traceback(number / 10 + 0.04, "TimeoutError", PLACE, request_id=f"r-{number}")

    run.join(requests)

    assert sentences(run) == [
        "93 requests got 504: 91 of them stand beside this traceback (TimeoutError at broker/client.py:61 publish), certain: by "
        "request id; 2 have no server line (never reached a worker), certain."
    ]
    (group,) = run.errors.summary["tracebacks"]
    assert (group["count"], group["requests_count"], group["exception"]) == (91, 91, "TimeoutError")
    assert group["requests"] == [
        {
            "name": "load data",
            "status": 504,
            "error": None,
            "requests": 91,
            "certain": 91,
            "likely": 0,
            "ambiguous": 0,
        }
    ]
    assert sum(count for _, count in run.errors.series[group["fingerprint"]]) == 91
    assert len(run.errors.series[group["fingerprint"]]) == 10, "a count for each second"


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


def test_every_kind_of_failure_has_its_sentence_and_the_parts_add_up(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(1.01, "GET", "/data", 200, request_id="a")
    run.access(2.0, "GET", "/data", 200, request_id="b")
    run.access(13, "GET", "/data", 200, request_id="c", duration_ms=11_000)
    run.access(4.01, "GET", "/data", 404, request_id="d")
    run.access(5.01, "GET", "/data", 200, request_id="e")
    run.access(8.01, "GET", "/data", 200, request_id="h")

    run.join(
        [
            request(1, 12, request_id="a", error="capture failed"),
            request(1, 500, status=504, request_id="b"),
            failed(2, "ETIMEDOUT", 10_000, request_id="c"),
            request(4, 12, status=404, request_id="d"),
            failed(5, "ECONNRESET", 12, request_id="e"),
            failed(6, "hook failed", 0, request_id="f"),
            failed(7, "interrupted", 12, request_id="g"),
            request(8, 12, request_id="h"),
        ]
    )

    assert sorted(sentences(run)) == [
        "1 request got 404: it was answered so by the server itself, without a traceback, certain: by request id.",
        "1 request got 504: it was answered by something in front of the server, whose own answer was 200, certain: by request "
        "id.",
        "1 request got an answer that failed a check (capture failed): it stands in the access log with the status that the "
        "client saw, certain: by request id.",
        "1 request got no answer (ECONNRESET): it was finished by the server with 200, but the answer did not arrive, certain: "
        "by request id.",
        "1 request got no answer (ETIMEDOUT): it was finished by the server with 200 after the client had given up, certain: by "
        "request id.",
        "1 request got no answer (hook failed): it failed before anything was sent.",
        "1 request got no answer (interrupted): it was under way when the load ended.",
    ]
    for one in run.errors.summary["explanations"]:
        assert one["count"] == sum(part["count"] for part in one["parts"]) == 1
        assert all(sum(part["certainties"].values()) == part["count"] for part in one["parts"])


def test_what_the_one_side_has_and_the_other_never_saw(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    for number in range(100):
        run.access(number / 10 + 0.01, "GET", "/data", 200)
    for number in range(5):
        run.access(number + 0.5, "GET", "/health", 200)
    run.access(3.3, "HEAD", "/", 200)
    run.access(3.4, "GET", "/metrics", 200)
    run.access(1000, "GET", "/after-the-load", 200)

    run.join(
        [
            *(request(number / 10, 12) for number in range(100)),
            request(4, 12, status=504, url="http://127.0.0.1:8000/lost?token="),
            failed(5, "ECONNREFUSED"),
        ]
    )

    unseen = run.errors.summary["unseen"]
    assert unseen["known"] is True
    assert (unseen["expected"], unseen["by_server"]["count"], unseen["by_server"]["refused"]) == (101, 1, 1)
    assert unseen["by_server"]["paths"] == [{"method": "GET", "path": "/lost", "count": 1}]
    assert unseen["by_client"]["count"] == 7
    assert unseen["by_client"]["paths"] == [
        {"method": "GET", "path": "/health", "count": 5},
        {"method": "HEAD", "path": "/", "count": 1},
        {"method": "GET", "path": "/metrics", "count": 1},
    ]


def test_where_the_time_was_spent_by_name(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    for number in range(1, 101):
        run.access(number / 10 + 0.05, "GET", "/data", 200, request_id=str(number), duration_ms=number)

    run.join([request(number / 10, number + 20, request_id=str(number)) for number in range(1, 101)])

    (split,) = run.errors.summary["split"]
    assert (split["name"], split["count"]) == ("load data", 100)
    assert (split["server_mean_ms"], split["server_p50_ms"], split["server_p95_ms"]) == (50.5, 50.5, 95.05)
    assert (split["outside_mean_ms"], split["outside_p50_ms"], split["outside_p99_ms"]) == (20.0, 20.0, 20.0)


@pytest.mark.parametrize(("duration_ms", "words"), [(None, "has no duration"), (1000.0, "whole seconds")])
def test_a_log_that_cannot_split_a_latency_says_so(
    tmp_path: Path, duration_ms: float | None, words: str
) -> None:
    run = JoinedRun(tmp_path)
    run.access(2.5, "GET", "/data", 200, duration_ms=duration_ms)

    run.join([request(1, 1502)])

    assert run.errors.summary["split"] == []
    assert any(words in note for note in run.errors.summary["notes"])


def test_the_slowest_and_the_failed_are_shown_with_their_lines(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(2, "GET", "/data", 200, request_id="slow", text="GET /data?token=hush 200")
    run.gunicorn(1.5, "message", 7, kind="message", request_id="slow", text="waited for a lock")
    run.traceback(5.01, "TimeoutError", PLACE, request_id="bad")
    requests = [request(number / 10, 12, request_id=f"r-{number}") for number in range(100)]

    run.join([*requests, request(1, 1000, request_id="slow"), request(5, 12, status=500, request_id="bad")])

    shown = run.errors.summary["slowest"]
    bad = next(one for one in shown if one["shown_as"] == "failed")
    slow = next(one for one in shown if one["shown_as"] == "slow")
    assert (bad["request_id"], [line["role"] for line in bad["lines"]]) == ("bad", ["traceback"])
    assert bad["words"].startswith("stands beside this traceback (TimeoutError at")
    assert (slow["request_id"], slow["rank"], slow["latency_ms"]) == ("slow", 1, 1000.0)
    assert [(line["role"], line["text"]) for line in slow["lines"]] == [
        ("access", "GET /data?token=*** 200"),
        ("other", "waited for a lock"),
    ]


def test_a_thousand_failures_of_one_kind_leave_room_for_another(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    many = [request(number / 100, 12, status=500) for number in range(1500)]

    run.join([*many, request(29, 12, status=502)])

    shown = [one["status"] for one in run.errors.summary["slowest"] if one["shown_as"] == "failed"]
    assert len(shown) == 100
    assert 502 in shown
    assert len(run.errors.requests) <= 1200


def test_hostile_names_errors_paths_and_texts_are_only_text_and_bounded(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    odd = HOSTILE + "\x00\x1b[2J\uffff" + "x" * 5000
    run.access(1.01, "GET", "/" + odd, 500, request_id=odd, text=odd)
    run.traceback(1.01, odd, odd, url_path="/" + odd, text=odd, chain='{"not": "a list"}', message=odd)
    run.traceback(1.02, "E", "p", chain="[" * 100_000, url_path=None, fingerprint=None, text=None)
    run.traceback(1.03, "F", "p", chain='[{"frames": [["f"], 3, ["a", "b", "c", null]], "exception": 7}, 5]')

    rows = run.join(
        [
            request(1, 12, status=500, name=odd, url="http://127.0.0.1:8000/" + odd),
            failed(1, odd, name=odd, url=odd),
            *(failed(2, f"{odd} {number}") for number in range(100)),
        ]
    )

    assert len(rows) == 102
    said = json.dumps(run.errors.summary)
    assert len(run.errors.summary["explanations"]) <= 30
    assert len(max(said.split('"'), key=len)) < 6000
    assert all(len(sentence) < 2500 for sentence in sentences(run))


def test_a_run_without_a_load_or_without_a_server_has_nothing_to_say(tmp_path: Path) -> None:
    profile = JoinedRun(tmp_path / "profile")
    profile.access(1, "GET", "/data", 200)
    profile.join([])

    summary: dict[str, Any] = profile.errors.summary
    assert summary["explanations"] == summary["split"] == summary["slowest"] == summary["notes"] == []
    assert summary["joined"]["requests"] == 0
