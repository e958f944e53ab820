"""What the summary says of failures, of what one side never saw, and of where the time went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import JoinedRun, sentences
from tests.run_folders import failed, request
from tests.unit.reports.sample_results import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"


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


def test_what_a_proxy_answered_by_itself_does_not_hold_the_servers_time(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.5, "GET", "/data", 200, duration_ms=400, request_id="fine")
    run.access(
        6.0, "GET", "/data", 200, duration_ms=400, request_id="late"
    )  # begun after the proxy had answered

    fine, late = run.join(
        [request(1, 500, request_id="fine"), request(3, 2000, status=504, request_id="late")]
    )

    assert fine["outside_ms"] == pytest.approx(100)
    assert (late["what"], late["server_ms"], late["outside_ms"]) == ("proxy", 400, None)
    (split,) = run.errors.summary["split"]
    assert split["count"] == 1


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
