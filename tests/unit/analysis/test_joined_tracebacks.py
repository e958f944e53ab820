"""Failed requests joined to tracebacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import JoinedRun
from tests.run_folders import failed, request

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"
PRINT = f"TimeoutError at {PLACE}"


def brief(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["what"], row["what_certainty"], row["fingerprint"])


def test_a_traceback_with_the_requests_id_is_certain(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(1.01, "ValueError", "near.py:1 f", url_path="/data")
    run.traceback(8.0, "TimeoutError", PLACE, request_id="r")

    (row,) = run.join([request(1, 12, status=500, request_id="r")])

    assert brief(row) == ("traceback", "certain", PRINT)
    assert (row["traceback_server"], row["traceback_source"], row["traceback_position"]) == ("app", 1, 100)


def test_a_traceback_of_the_same_path_and_time_is_likely(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 500)
    run.traceback(1.009, "TimeoutError", PLACE, url_path="/data", method="GET")

    (row,) = run.join([request(1, 12, status=500)])

    assert brief(row) == ("traceback", "likely", PRINT)
    assert (row["joined_by"], row["access_status"]) == ("time", 500)


@pytest.mark.parametrize(
    "fields",
    [
        {"url_path": "/other"},
        {"url_path": "/data", "method": "POST"},
        {"url_path": "/data", "request_id": "of another request"},
    ],
)
def test_a_traceback_of_another_request_is_not_taken(tmp_path: Path, fields: dict[str, Any]) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(1.01, "TimeoutError", PLACE, **fields)
    others = [request(20, 12, request_id="of another request")] if "request_id" in fields else []

    row = run.join([request(1, 12, status=500), *others])[0]

    assert row["fingerprint"] is None


def test_a_traceback_of_a_request_that_went_well_is_not_given_to_another(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(1.01, "TimeoutError", PLACE, url_path="/data", request_id="redirected")
    hops = [request(0.9, 60, status=status, request_id="redirected") for status in (302, 200)]

    rows = run.join([*hops, request(1, 12, status=500, request_id="other")])

    assert rows[-1]["fingerprint"] is None


def test_where_all_requests_share_an_id_tracebacks_are_told_by_path_and_time(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(1.01, "TimeoutError", PLACE, url_path="/data", request_id="constant")
    others = [request(number, 12, request_id="constant") for number in range(5, 25)]

    row = run.join([request(1, 30, status=500, request_id="constant"), *others])[0]

    assert brief(row) == ("traceback", "likely", PRINT)


def test_several_of_one_fault_are_likely_and_of_several_faults_ambiguous(tmp_path: Path) -> None:
    same, mixed = JoinedRun(tmp_path / "same"), JoinedRun(tmp_path / "mixed")
    for run, others in ((same, "TimeoutError"), (mixed, "KeyError")):
        run.traceback(1.01, "TimeoutError", PLACE, url_path="/data")
        run.traceback(1.02, others, PLACE, url_path="/data")
    requests = [request(1, 30, status=500), request(1.001, 30, status=500)]

    assert {brief(row)[:2] for row in same.join(requests)} == {("traceback", "likely")}
    assert {brief(row)[:2] for row in mixed.join(requests)} == {("traceback", "ambiguous")}


def test_a_traceback_belongs_to_one_request(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.traceback(1.01, "TimeoutError", PLACE, url_path="/data", event="request_failed")

    rows = run.join([request(1, 300, status=504), request(1.001, 300, status=504)])

    assert sorted(row["what"] for row in rows) == ["none", "traceback"]


def test_the_request_that_the_server_failed_comes_before_one_that_a_proxy_failed(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.03, "GET", "/data", 500)
    run.traceback(1.02, "TimeoutError", PLACE, url_path="/data")

    proxied, there = run.join([request(1, 25, status=504), request(1.001, 31, status=500)])

    assert (proxied["fingerprint"], there["fingerprint"]) == (None, PRINT)


def test_a_traceback_that_names_no_path_is_told_by_time_alone(tmp_path: Path) -> None:
    alone, crowd = JoinedRun(tmp_path / "alone"), JoinedRun(tmp_path / "crowd")
    for run in (alone, crowd):
        run.traceback(1.01, "TimeoutError", PLACE)

    (row,) = alone.join([request(1, 30, status=500)])
    rows = crowd.join([request(1, 30, status=500), request(1, 30, status=500, name="other")])

    assert brief(row) == ("traceback", "likely", PRINT)
    assert sorted(row["what_certainty"] for row in rows if row["fingerprint"]) == ["ambiguous"]


def test_a_traceback_outside_of_a_requests_time_is_not_its(tmp_path: Path) -> None:
    # As measured: the traceback of a request that went well, 10 ms after one that failed without a traceback.
    run = JoinedRun(tmp_path, error_ms=0.03)
    run.access(1.012, "GET", "/data", 500, request_id="quiet", duration_ms=10)
    run.access(1.032, "GET", "/warn", 200, request_id="warn", duration_ms=10)
    run.traceback(1.025, "KeyError", PLACE)
    run.traceback(2.025, "KeyError", PLACE, url_path="/data")

    quiet, _, again = run.join(
        [
            request(1, 12, status=500, request_id="quiet"),
            request(1.02, 12, request_id="warn", url="http://127.0.0.1:8000/warn"),
            request(2, 12, status=500),
        ]
    )

    assert (quiet["what"], quiet["fingerprint"]) == ("access", None)
    assert again["fingerprint"] is None


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("2026-11-21 05:08:20,203 ERROR shop: retrying\nTraceback", "ambiguous"),
        ("[2026-11-21 05:08:20 +0000] [7] [ERROR] Exception in ASGI application\nTraceback", "likely"),
    ],
)
def test_what_the_application_logged_may_be_of_a_request_that_went_well(
    tmp_path: Path, text: str, certainty: str
) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(1.005, "KeyError", PLACE, text=text)

    row, _ = run.join([request(1, 12, status=500), request(1, 12, url="http://127.0.0.1:8000/warn")])

    assert brief(row) == ("traceback", certainty, f"KeyError at {PLACE}")


@pytest.mark.parametrize(
    "first_line",
    [
        "[2026-11-21 14:30:01 +0000] [7] [ERROR] Error handling request GET /data?x=1",
        "[2026-11-21 14:30:01 +0000] [7] [ERROR] Error handling request /data",
        "[2026-11-21 14:30:01,123] ERROR in app: Exception on /data [GET]",
        "Internal Server Error: /data",
    ],
)
def test_the_path_is_read_from_the_line_before_a_traceback(tmp_path: Path, first_line: str) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(1.01, "TimeoutError", PLACE, text=f"{first_line}\nTraceback (most recent call last):\n")

    data, other = run.join([request(1, 30, status=500), request(1, 30, status=500, url="http://h:1/other")])

    assert (data["fingerprint"], other["fingerprint"]) == (PRINT, None)


def test_gunicorns_own_line_for_an_exception_does_not_tell_how_long_the_request_took(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.5, "GET", "/data", 500, request_id="r", duration_ms=0.2)
    run.traceback(1.5, "TimeoutError", PLACE, url_path="/data", event="request_failed")

    (row,) = run.join([request(1, 505, status=500, request_id="r")])

    assert row["what"] == "traceback"
    assert (row["server_ms"], row["outside_ms"]) == (None, None), "it is the time of writing the error page"


def test_a_traceback_is_looked_for_on_the_server_that_had_the_request(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, "a", "b")
    run.access(1.01, "GET", "/data", 500, request_id="r", server="a")
    run.traceback(1.01, "TimeoutError", PLACE, url_path="/data", server="b")

    (row,) = run.join([request(1, 12, status=500, request_id="r")])

    assert row["what"] == "access"


def test_a_traceback_that_came_after_the_client_gave_up_explains_it(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.traceback(31, "TimeoutError", PLACE, url_path="/data")

    (row,) = run.join([failed(1, "ETIMEDOUT", 10_000)])

    assert brief(row) == ("traceback", "likely", PRINT)


def test_a_gateways_timeout_is_not_blamed_on_what_the_application_raised_after_it(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(3.01, "GET", "/data", 500)
    run.traceback(3.0, "KeyError", "svc.py:6 inner", url_path="/data", method="GET")

    (row,) = run.join([request(1, 1000, status=504)])

    assert (row["what"], row["why"]) == ("proxy", "raised_later")
    sentence = run.errors.summary["explanations"][0]["sentence"]
    assert (
        "by something in front of the server, before the application raised (KeyError at svc.py:6 inner)"
        in sentence
    )


def test_an_answer_whose_id_the_application_logged_is_certain(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 500)
    run.gunicorn(1.009, "failing", 1, kind="message", source=2, file="/var/log/shop/app.log", request_id="r")

    (row,) = run.join([request(1, 12, status=500, request_id="r")])

    assert (row["what"], row["why"], row["what_certainty"]) == ("access", "said", "certain")
    sentence = run.errors.summary["explanations"][0]["sentence"]
    assert sentence.endswith("and the application's log has its id, certain: by request id.")


def test_a_tracebacks_first_line_alone_explains_nothing(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 503)
    run.gunicorn(1.009, "", 1, kind="traceback", fingerprint="(cut short)")

    (row,) = run.join([request(1, 12, status=503)])

    assert row["what"] == "access"


@pytest.mark.parametrize(("path", "logged"), [("/u/a%20b", "/u/a b"), ("/u/a%3Fb", "/u/a?b")])
def test_a_path_is_met_as_flask_writes_it(tmp_path: Path, path: str, logged: str) -> None:
    run = JoinedRun(tmp_path)
    text = f"[ERROR] Exception on {logged} [GET]\nTraceback (most recent call last):\nKeyError: 1"
    run.traceback(1.009, "KeyError", "svc.py:6 inner", text=text)

    (row,) = run.join([request(1, 12, status=500, url=f"http://127.0.0.1:8000{path}")])

    assert (row["what"], row["what_certainty"]) == ("traceback", "likely")


def test_what_is_certain_by_id_is_not_overruled_by_a_traceback_that_may_be_anybodys(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 503)
    run.gunicorn(1.009, "failing", 1, kind="message", source=2, file="/var/log/shop/app.log", request_id="r")
    run.traceback(1.005, "ValueError", "forged.py:1 f")
    run.traceback(1.006, "KeyError", "other.py:1 g")

    (row,) = run.join([request(1, 12, status=503, request_id="r")])

    assert (row["what"], row["why"], row["what_certainty"]) == ("access", "said_perhaps", "ambiguous")
    assert "without a traceback" not in run.errors.summary["explanations"][0]["sentence"]


def test_an_answer_that_broke_off_stands_beside_the_traceback_that_broke_it(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 200)
    run.traceback(1.009, "KeyError", PLACE, url_path="/data", event="request_failed")
    run.access(2.01, "GET", "/data", 200)

    broken, cut = run.join(
        [request(1, 12, status=200, error="ECONNRESET"), request(2, 12, status=200, error="ECONNRESET")]
    )

    assert (broken["what"], cut["what"]) == ("traceback", "cut")
    (told,) = run.errors.summary["explanations"]
    assert told["sentence"].startswith("2 requests got an answer that broke off (ECONNRESET): 1 of them ")


def test_without_ids_nobody_is_said_to_be_without_a_traceback_that_may_be_its(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    for second in (1.028, 1.029, 5.028):
        run.access(second, "GET", "/data", 500)
    run.traceback(1.01, "TimeoutError", PLACE)

    *near, far = run.join(
        [request(1, 30, status=500), request(1.001, 30, status=500), request(5, 30, status=500)]
    )

    assert sorted((row["what"], row["why"], row["what_certainty"]) for row in near) == [
        ("access", "perhaps", "ambiguous"),
        ("traceback", None, "ambiguous"),
    ]
    assert (far["what"], far["why"], far["what_certainty"]) == ("access", None, "likely")
    sentence = run.errors.summary["explanations"][0]["sentence"]
    assert "whether one of the tracebacks of that time is its cannot be told, ambiguous" in sentence


def test_a_traceback_that_names_another_path_puts_nobody_in_doubt(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.029, "GET", "/other", 500)
    for error in ("TimeoutError", "KeyError"):
        run.traceback(1.01, error, PLACE, url_path="/data")

    _, other = run.join(
        [request(1, 30, status=500), request(1, 30, status=500, url="http://127.0.0.1:8000/other")]
    )

    assert (other["what"], other["why"]) == ("access", None)


def test_a_traceback_that_may_be_quoted_is_never_likely_and_says_so(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.03, "GET", "/data", 500)
    run.traceback(1.02, "TimeoutError", PLACE, url_path="/data", perhaps_quoted=True)

    (row,) = run.join([request(1, 31, status=500)])

    assert brief(row) == ("traceback", "ambiguous", PRINT)
    assert "it may be text that was logged" in run.errors.summary["explanations"][0]["sentence"]
