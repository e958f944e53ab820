"""Failed requests joined to tracebacks and to the ends of workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import JoinedRun, at
from tests.run_folders import failed, request
from tests.server_metrics import ServerWatch, life

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
    run.traceback(1.01, "TimeoutError", PLACE, url_path="/data")

    rows = run.join([request(1, 30, status=504), request(1.001, 30, status=504)])

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


def died(run: JoinedRun, at_s: float, pid: int, event: str, **fields: Any) -> None:
    """A worker that was there from the start, and how it ended, by gunicorn's log and the agent."""
    run.gunicorn(at_s, event, pid, **fields)
    folder = run.builder.run.server("app")
    worker = {"pid": pid, "create_time": 1.0, "title": "worker"}
    lines = [
        {"t_ns": at(0), "born": [worker], "died": []},
        {"t_ns": at(at_s + 1), "born": [], "died": [worker]},
    ]
    with folder.workers.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def test_a_request_that_was_cut_off_by_a_timeout_of_its_worker(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    died(run, 6.0, 711, "timeout")

    (row,) = run.join([failed(1, "ECONNRESET", 5100)])

    assert (row["what"], row["what_certainty"], row["event"], row["event_pid"]) == (
        "timeout",
        "likely",
        "timeout",
        711,
    )
    assert row["event_position"] == 0


def test_a_sync_worker_had_one_request_the_others_waited(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    died(run, 6.0, 711, "timeout")

    rows = run.join(
        [failed(1, "ECONNRESET", 5100), failed(2, "ETIMEDOUT", 10_000), failed(3, "ETIMEDOUT", 10_000)]
    )

    assert [row["what"] for row in rows] == ["timeout", "unfinished", "unfinished"]


def test_a_worker_with_threads_had_as_many_as_it_has_threads(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.builder.manifest.servers[0].facts["gunicorn"] = {"worker_class": "gthread", "threads": 2}
    died(run, 6.0, 711, "killed", exit_signal="SIGKILL")

    rows = run.join(
        [failed(1, "ECONNRESET", 5020), failed(1, "ECONNRESET", 5010), failed(1, "ECONNRESET", 5030)]
    )

    assert sorted(row["what"] for row in rows) == ["closed", "killed", "killed"]


def test_a_timeout_whose_worker_wrote_where_it_hung_names_the_place(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    died(run, 6.0, 711, "timeout")
    run.access(6.01, "GET", "/data", 500)
    run.traceback(6.01, "SystemExit", PLACE, url_path="/data", pid=711, event="request_failed")

    (row,) = run.join([request(1, 5020, status=500)])

    assert (row["what"], row["what_certainty"], row["fingerprint"]) == (
        "timeout",
        "likely",
        f"SystemExit at {PLACE}",
    )
    sentence = run.errors.summary["explanations"][0]["sentence"]
    assert "killed for its timeout (PID 711; SystemExit at broker/client.py:61 publish)" in sentence


def test_the_end_of_a_worker_explains_no_request_that_was_answered(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    died(run, 1.005, 711, "killed", exit_signal="SIGKILL")
    run.access(1.01, "GET", "/data", 503)

    (row,) = run.join([request(1, 12, status=503)])

    assert (row["what"], row["event"]) == ("access", None)


def test_a_worker_that_ended_in_order_explains_nothing(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    died(run, 1.005, 711, "max_requests")

    (row,) = run.join([failed(1, "ECONNRESET", 12)])

    assert (row["what"], row["event"]) == ("closed", None)
    assert "never reached a worker)" not in run.errors.summary["explanations"][0]["sentence"]


def test_a_worker_that_ended_without_a_word_had_what_was_cut_off_then_but_nothing_that_was_answered(
    tmp_path: Path,
) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    watch = ServerWatch(run.builder, "app")
    watch.workers(0, born=[life(711)])
    watch.workers(1.5, died=[life(711)], born=[life(712)])

    answered, cut, later = run.join(
        [request(1, 290, status=502), failed(1, "ECONNRESET", 300), failed(9, "ECONNRESET", 12)]
    )

    assert (cut["what"], cut["event"], cut["event_pid"]) == ("killed", "unknown", 711)
    assert cut["what_certainty"] == "likely"
    assert (answered["what"], later["what"]) == ("none", "closed")
    (sentence,) = [one["sentence"] for one in run.errors.summary["explanations"] if one["count"] == 2]
    assert "was in a worker that ended, nobody knows why (PID 711)" in sentence
    assert "a worker that ended before it wrote one" in sentence


def test_who_came_while_the_queue_was_never_empty_again_may_have_waited_to_the_end(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(1.01, "GET", "/data", 200, duration_ms=10)
    watch = ServerWatch(run.builder, "app")
    for second, queue in enumerate((0, 0, 3, 0, 2, 5, 4)):
        watch.line(second, service={"accept_queue": queue})

    _, early, waiting = run.join(
        [request(1, 12), request(2.5, 1000, status=504), request(3.5, 1000, status=504)]
    )

    assert (early["what"], waiting["what"]) == ("none", "unfinished")


def test_who_waited_while_the_accept_queue_was_full_is_told_so(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(1.01, "GET", "/data", 200, duration_ms=10)
    watch = ServerWatch(run.builder, "app")
    for second, queue in enumerate((0, 0, 10, 10, 0, 0)):
        watch.line(second, service={"accept_queue": queue, "accept_queue_limit": 10})

    run.join(
        [request(1, 12), failed(2.5, "ERR_SOCKET_TIMEOUT", 1000), failed(4.5, "ERR_SOCKET_TIMEOUT", 400)]
    )

    words = {part["why"]: part["words"] for part in run.errors.summary["explanations"][0]["parts"]}
    assert words.keys() == {"full", None}
    assert "the accept queue was full while it waited" in words["full"]


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


def test_who_found_gunicorn_gone_is_told_so(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    watch = ServerWatch(run.builder, "app")
    watch.workers(0, born=[life(711), life(712)])
    run.gunicorn(5.0, "term", 700)
    watch.workers(5.5, died=[life(711), life(712)])

    before, after = run.join([failed(1, "ECONNREFUSED", 1), failed(7, "ECONNREFUSED", 1)])

    assert (before["what"], before["why"]) == ("refused", None)
    assert (after["what"], after["why"]) == ("refused", "stopped")


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


def test_an_application_that_raises_systemexit_takes_no_place_of_a_killed_workers_request(
    tmp_path: Path,
) -> None:
    """gunicorn answers 500 for it, and the worker lives on, until it is killed in the midst of another request."""
    run = JoinedRun(tmp_path)
    for number in (1, 2, 3):
        run.access(number + 0.01, "GET", "/exit", 500)
        run.traceback(number + 0.009, "SystemExit", PLACE, url_path="/exit", pid=711, event="request_failed")
    died(run, 4.0, 711, "killed", exit_signal="SIGKILL")

    *exits, kill = run.join(
        [
            *(request(number, 12, status=500, url="http://127.0.0.1:8000/exit") for number in (1, 2, 3)),
            failed(3.5, "ECONNRESET", 505, url="http://127.0.0.1:8000/kill"),
        ]
    )

    assert {row["what"] for row in exits} == {"traceback"}
    assert (kill["what"], kill["event_pid"]) == ("killed", 711)


def test_one_exit_ends_a_worker_that_has_one_request_at_a_time(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    died(run, 6.0, 711, "timeout")
    for at_s in (4.5, 6.01):
        run.access(at_s, "GET", "/data", 500)
        run.traceback(at_s, "SystemExit", PLACE, url_path="/data", pid=711, event="request_failed")

    earlier, last = run.join([request(4.4, 110, status=500), request(5, 1020, status=500)])

    assert (earlier["what"], last["what"]) == ("traceback", "timeout")


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


def test_a_connection_that_was_closed_is_explained_by_no_later_traceback(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.traceback(4, "RuntimeError", PLACE)

    (row,) = run.join([failed(1, "ECONNRESET", 12)])

    assert row["what"] == "closed"


def test_an_exit_with_another_code_is_of_another_request(tmp_path: Path) -> None:
    """sys.exit(3) in an application is answered with a 500; os._exit(5) ends the worker three seconds later."""
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/exit", 500)
    run.traceback(1.009, "SystemExit", PLACE, url_path="/exit", pid=711, event="request_failed", message="3")
    died(run, 2.0, 711, "worker_exited", exit_code=5, message="Worker (pid:711) exited with code 5.")

    answered, ended = run.join(
        [
            request(1, 12, status=500, url="http://127.0.0.1:8000/exit"),
            failed(1.5, "ECONNRESET", 505, url="http://127.0.0.1:8000/end"),
        ]
    )

    assert (answered["what"], ended["what"], ended["event_pid"]) == ("traceback", "killed", 711)


def test_workers_are_counted_once_however_sure_it_is(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    for number, pid in enumerate((711, 712, 713)):
        died(run, 2.0 + 5 * number, pid, "killed", exit_signal="SIGKILL")
    died(run, 2.001, 714, "killed", exit_signal="SIGKILL")

    rows = run.join([failed(1.5 + 5 * number, "ECONNRESET", 505) for number in (0, 0, 1, 2)])

    workers = {row["event_pid"] for row in rows}
    assert len(workers) > 2
    (told,) = run.errors.summary["explanations"]
    assert f"({len(workers)} workers)" in told["sentence"]
