"""Requests joined to access lines by X-Request-ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.joined_runs import JoinedRun
from tests.run_folders import failed, request

if TYPE_CHECKING:
    from pathlib import Path


def brief(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["joined_by"], row["certainty"], row["position"], row["access_status"])


def test_an_id_finds_its_line_whatever_the_time_and_the_other_lines(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 200, request_id="another")
    run.access(9.0, "GET", "/data", 200, request_id="mine", duration_ms=7)

    (row,) = run.join([request(1, 12, request_id="mine")])

    assert brief(row) == ("id", "certain", 100, 200)
    assert (row["server_ms"], row["outside_ms"]) == (7.0, 5.0)


def test_a_request_is_never_joined_to_a_line_with_another_clients_id(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 200, request_id="theirs")
    run.access(2.01, "GET", "/data", 200, request_id="mine")

    lost, found = run.join([request(1, 12, request_id="lost"), request(2, 12, request_id="mine")])

    assert brief(found) == ("id", "certain", 100, 200)
    assert lost["joined_by"] == "none", "the line at its time is somebody else's"


def test_where_the_ids_are_the_servers_own_time_decides(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 200, request_id="made-by-the-server")

    (row,) = run.join([request(1, 12, request_id="mine")])

    assert brief(row) == ("time", "likely", 0, 200)


def test_redirects_that_share_an_id_are_told_apart_by_path_and_status(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.011, "GET", "/home", 200, request_id="r")
    run.access(1.005, "POST", "/login", 302, request_id="r")
    hops = [
        request(1, 6, method="POST", url="http://127.0.0.1:8000/login", status=302, request_id="r"),
        request(1.006, 6, url="http://127.0.0.1:8000/home?next=", status=200, request_id="r"),
    ]

    first, second = run.join(hops)

    assert brief(first) == ("id", "certain", 100, 302)
    assert brief(second) == ("id", "certain", 0, 200)


def test_of_a_request_that_a_proxy_sent_twice_the_answer_that_came_is_joined_and_the_other_shown(
    tmp_path: Path,
) -> None:
    run = JoinedRun(tmp_path, "a", "b")
    run.access_log("a")
    run.access_log("b")
    run.access(1.2, "GET", "/data", 503, request_id="r", server="a")
    run.access(1.4, "GET", "/data", 200, request_id="r", server="b")

    (row,) = run.join([request(1, 500, request_id="r")])

    assert (row["server"], *brief(row)) == ("b", "id", "certain", 100, 200)
    assert row["other_lines"] == [{"server": "a", "source": 0, "position": 0}]
    by_client = run.errors.summary["unseen"]["by_client"]
    assert (by_client["count"], by_client["repeated"]) == (0, 1)


def test_of_services_that_hand_an_id_on_the_one_that_was_asked_has_the_request(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, "order", "gateway")
    for number, (server, port) in enumerate((("order", 8001), ("gateway", 8000))):
        run.access_log(server)
        run.builder.manifest.servers[number].facts["arbiter"] = {"listen": [f"127.0.0.1:{port}"]}
    run.access(1.003, "GET", "/data", 200, request_id="r", server="order")
    run.access(1.004, "GET", "/data", 200, request_id="r", server="gateway")
    run.access(2.012, "GET", "/data", 200, request_id="s", server="order")
    run.access(2.004, "GET", "/data", 200, request_id="s", server="gateway")

    rows = run.join([request(1, 12, request_id="r"), request(2, 12, request_id="s")])

    assert [(row["server"], row["certainty"]) for row in rows] == [("gateway", "certain")] * 2


def test_an_application_that_asks_itself_with_the_same_id_is_told_from_the_request(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.005, "GET", "/data", 200, request_id="r")
    run.access(1.012, "GET", "/internal/prices", 200, request_id="r")

    (row,) = run.join([request(1, 12, request_id="r")])

    assert brief(row) == ("id", "certain", 0, 200), "not the line that is nearer"
    assert row["other_lines"] == [{"server": "app", "source": 0, "position": 100}]


def test_two_requests_with_one_id_take_one_line_each_and_say_that_they_might_be_swapped(
    tmp_path: Path,
) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 200, request_id="r")
    run.access(3.01, "GET", "/data", 200, request_id="r")

    first, second = run.join([request(1, 12, request_id="r"), request(3, 12, request_id="r")])

    assert brief(first) == ("id", "likely", 0, 200)
    assert brief(second)[2:] == (100, 200)


def test_an_id_that_all_requests_share_names_none_of_them(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    for number in range(20):
        run.access(number + 0.01, "GET", "/data", 200, request_id="constant")

    rows = run.join([request(number, 12, request_id="constant") for number in range(20)])

    assert {brief(row)[:2] for row in rows} == {("time", "likely")}
    assert [row["position"] for row in rows] == [100 * number for number in range(20)]
    assert any("'constant'" in problem and "20 requests" in problem for problem in run.problems)


def test_the_same_id_on_another_path_is_only_likely(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.005, "GET", "/internal", 200, request_id="r")
    run.access(2.005, "GET", "/data", 200, request_id="s")

    inner, mounted = run.join(
        [request(1, 12, request_id="r"), request(2, 12, url="http://127.0.0.1:8000/app/data", request_id="s")]
    )

    assert brief(inner)[:2] == ("id", "likely")
    assert brief(mounted)[:2] == ("id", "certain"), "a proxy took the beginning of the path away"


def test_clocks_that_differ_by_more_than_was_measured_are_said(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(0.5, "GET", "/data", 200, request_id="r")

    (row,) = run.join([request(1, 12, request_id="r")])

    assert brief(row)[:2] == ("id", "certain")
    assert any("500.0 ms before the request" in note for note in run.errors.summary["notes"])


def test_a_websocket_is_joined_by_its_id_alone(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.0, "GET", "/socket", 101, request_id="w")
    run.access(2.0, "GET", "/socket", 101)
    sockets: dict[str, Any] = {
        "protocol": "ws",
        "method": "CONNECT",
        "url": "ws://127.0.0.1:8000/socket",
    }

    rows = run.join(
        [
            request(1, 5, request_id="w", status=0, **sockets),
            failed(2, "closed", request_id="v", **sockets),
        ]
    )

    assert [brief(row)[:2] for row in rows] == [("id", "certain"), ("none", "none")]
    assert (rows[1]["what"], rows[1]["why"]) == ("unknown", "protocol")
    unseen = run.errors.summary["unseen"]
    assert (unseen["by_client"]["count"], unseen["by_client"]["websocket"]) == (0, 1)


def test_time_in_the_server_is_never_more_than_the_latency(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, error_ms=1)
    run.access(1.01, "GET", "/data", 200, request_id="a", duration_ms=12.5)
    run.access(2.01, "GET", "/data", 200, request_id="b", duration_ms=40)

    within, beyond = run.join([request(1, 12, request_id="a"), request(2, 12, request_id="b")])

    assert (within["server_ms"], within["outside_ms"]) == (12.5, 0.0), "as exact as the clocks are"
    assert (beyond["server_ms"], beyond["outside_ms"]) == (40.0, None)
    assert any("1 requests" in note and "28.0 ms longer" in note for note in run.errors.summary["notes"])


def test_numbers_of_requests_are_the_same_whenever_they_are_built(tmp_path: Path) -> None:
    first, second = (JoinedRun(tmp_path / name) for name in ("a", "b"))
    requests = [request(number % 7, 5, request_id=str(number)) for number in range(200)]
    for run in (first, second):
        run.access(3.0, "GET", "/data", 200, request_id="17")
    one = first.join(requests)
    other = second.join(list(reversed(requests)))

    number = {row["request_no"] for row in one if row["joined_by"] == "id"}
    assert number == {row["request_no"] for row in other if row["joined_by"] == "id"}
    assert len(number) == 1


def test_a_line_of_the_application_with_its_id_says_that_a_worker_had_it(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.gunicorn(1.2, "", 711, kind="message", request_id="lost", text="charging the card")

    lost, other = run.join(
        [failed(1, "ECONNRESET", 500, request_id="lost"), failed(3, "ECONNRESET", 500, request_id="other")]
    )

    assert (lost["what"], lost["what_certainty"], other["what"]) == ("logged", "certain", "closed")
    assert run.errors.summary["unseen"]["by_server"]["count"] == 1
    (explanation,) = run.errors.summary["explanations"]
    assert "1 stands in the application's log, certain: by request id" in explanation["sentence"]
