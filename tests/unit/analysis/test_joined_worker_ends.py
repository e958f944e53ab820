"""Failed requests joined to the ends of workers and of gunicorn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.joined_runs import JoinedRun, at
from tests.run_folders import failed, request
from tests.server_metrics import ServerWatch, life

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "broker/client.py:61 publish"
PRINT = f"TimeoutError at {PLACE}"


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
    assert run.errors.summary["explanations"][0]["parts"][0]["cause"] == "timeout"


def test_a_sync_worker_had_one_request_the_others_waited(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    died(run, 6.0, 711, "timeout")

    rows = run.join(
        [failed(1, "ECONNRESET", 5100), failed(2, "ETIMEDOUT", 10_000), failed(3, "ETIMEDOUT", 10_000)]
    )

    assert [row["what"] for row in rows] == ["timeout", "unfinished", "unfinished"]


def test_a_worker_with_threads_had_all_that_was_closed_as_it_died(tmp_path: Path) -> None:
    """What waits for a thread was taken from the queue, too: what waits there is not closed by one worker's end."""
    run = JoinedRun(tmp_path)
    run.access_log()
    run.builder.manifest.servers[0].facts["gunicorn"] = {"worker_class": "gthread", "threads": 2}
    died(run, 6.0, 711, "killed", exit_signal="SIGKILL")

    rows = run.join(
        [failed(1, "ECONNRESET", 5020), failed(1, "ECONNRESET", 5010), failed(1, "ECONNRESET", 5030)]
    )

    assert [row["what"] for row in rows] == ["killed"] * 3


def test_what_was_closed_is_of_the_worker_that_died_then(tmp_path: Path) -> None:
    """As measured: workers on an event loop that time out one after the other, each with what it held."""
    run = JoinedRun(tmp_path)
    run.access_log()
    run.builder.manifest.servers[0].facts["gunicorn"] = {"worker_class": "uvicorn_worker.UvicornWorker"}
    for pid, at_s in ((711, 4.4), (712, 6.2), (713, 7.5)):
        died(run, at_s, pid, "killed", exit_signal="SIGKILL")

    rows = run.join(
        [failed(1, "ECONNRESET", 5210), failed(2, "ECONNRESET", 5520), failed(3, "ECONNRESET", 1420)]
    )

    assert [row["event_pid"] for row in rows] == [712, 713, 711]


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
    assert [part["cause"] for part in told["parts"] if part["what"] in ("timeout", "killed")] == ["killed"]


def test_what_a_proxy_refused_by_itself_was_in_no_worker_that_died(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.builder.manifest.servers[0].facts["gunicorn"] = {"worker_class": "gthread", "threads": 4}
    died(run, 6.0, 711, "killed", exit_signal="SIGKILL")

    rows = run.join(
        [
            request(5, 995, status=502),
            request(5.5, 500, status=502, name="with it"),
            request(5.8, 2, status=502, name="before"),
            request(6.04, 2, status=502, name="after"),
            request(5.99, 5, status=504, name="refused"),
            request(5.99, 5, status=503, name="limited"),
        ]
    )

    found = {row["name"]: row["what"] for row in rows}
    assert found == {"load data": "killed", "with it": "killed"} | dict.fromkeys(
        ("before", "after", "refused", "limited"), "none"
    )


def test_a_502_that_the_proxy_logged_was_in_the_worker_that_died_all_the_same(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.logs["app"].source("/var/log/nginx/access.log", role="access")
    proxy: dict[str, Any] = {"source": 1, "file": "/var/log/nginx/access.log"}
    run.access(2.0, "GET", "/data", 200, request_id="fine")
    for at_s, status, name in ((2.001, 200, "fine"), (6.0, 502, "died"), (8.0, 504, "refused")):
        run.access(at_s, "GET", "/data", status, request_id=name, **proxy)
    died(run, 6.0, 711, "killed", exit_signal="SIGKILL", source=2)

    rows = run.join(
        [
            request(1.99, 12, request_id="fine"),
            request(5.99, 10, status=502, request_id="died"),
            request(7.99, 10, status=504, request_id="refused"),
        ]
    )

    assert [(row["what"], row["event_pid"]) for row in rows[1:]] == [("killed", 711), ("proxy", None)]


def test_a_request_that_a_proxy_gave_up_was_in_the_worker_that_died_later(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    died(run, 6.0, 711, "timeout")

    (row,) = run.join([request(1, 1000, status=504)])

    assert (row["what"], row["event_pid"]) == ("timeout", 711)
