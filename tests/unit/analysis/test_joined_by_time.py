"""Requests joined to access lines by method, path, status and time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.joined_runs import JoinedRun
from tests.run_folders import failed, request
from toolkit.analysis.joins.by_time import LATE_NS, match

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

MS = 1_000_000


def brief(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["joined_by"], row["certainty"], row["candidates"], row["position"])


def test_the_only_line_in_its_time_is_likely(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/data", 200)
    run.access(5.0, "GET", "/data", 200)

    (row,) = run.join([request(1, 12)])

    assert brief(row) == ("time", "likely", 1, 0)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/data", 200), ("GET", "/other", 200), ("GET", "/data", 201)]
)
def test_method_path_and_status_must_agree(tmp_path: Path, method: str, path: str, status: int) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, method, path, status)

    (row,) = run.join([request(1, 12)])

    assert row["joined_by"] == "none"


def test_the_nearest_end_is_taken_and_several_are_said(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.1, "GET", "/data", 200)
    run.access(1.99, "GET", "/data", 200)
    run.access(1.5, "GET", "/data", 200)

    (row,) = run.join([request(1, 1000)])

    assert brief(row) == ("time", "ambiguous", 3, 100)


def test_how_long_the_server_took_tells_requests_at_one_time_apart(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.999, "GET", "/data", 200, duration_ms=5)
    run.access(1.995, "GET", "/data", 200, duration_ms=900)

    long, short = run.join([request(1, 1000, name="long"), request(1.99, 10, name="short")])

    assert (long["server_ms"], short["server_ms"]) == (900.0, 5.0)
    assert (long["candidates"], short["candidates"]) == (2, 1), "the long one began before the short request"
    assert {long["certainty"], short["certainty"]} == {"ambiguous"}, "the short one may be of either"


def test_every_line_belongs_to_one_request_at_most(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.005, "GET", "/data", 200)
    run.access(1.005, "GET", "/data", 200)

    rows = run.join([request(1, 12), request(1, 13), request(1, 14)])

    assert sorted(row["joined_by"] for row in rows) == ["none", "time", "time"]
    assert {row["certainty"] for row in rows} == {"ambiguous", "none"}
    assert sorted(row["position"] for row in rows if row["position"] is not None) == [0, 100]


def test_a_log_of_whole_seconds_joins_all_of_them_and_says_that_they_may_be_swapped(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    chance = random.Random(3)
    requests = [request(chance.uniform(0, 20), chance.uniform(1, 300)) for _ in range(400)]
    for one in requests:
        run.access((one["end_ns"] - requests_start()) / 1e9 - 0.0005, "GET", "/data", 200, resolution_ms=1000)

    rows = run.join(requests)

    assert {row["joined_by"] for row in rows} == {"time"}
    assert len({row["position"] for row in rows}) == 400
    assert {row["certainty"] for row in rows} == {"ambiguous"}
    unseen = run.errors.summary["unseen"]
    assert (unseen["by_server"]["count"], unseen["by_client"]["count"]) == (0, 0)


def requests_start() -> int:
    return int(request(0)["start_ns"])


def test_a_quiet_log_of_whole_seconds_is_likely(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    for second in (2.01, 8.01):
        run.access(second, "GET", "/data", 200, resolution_ms=1000)

    rows = run.join([request(2, 12), request(8, 12)])

    assert [brief(row) for row in rows] == [("time", "likely", 1, 0), ("time", "likely", 1, 100)]


def test_the_error_of_the_clock_is_allowed_for_and_no_more(tmp_path: Path) -> None:
    found = []
    for error_ms in (1, 400):
        run = JoinedRun(tmp_path / str(error_ms), error_ms=error_ms)
        run.access(1.4, "GET", "/data", 200)
        (row,) = run.join([request(1, 12)])
        found.append(row["joined_by"])

    assert found == ["none", "time"]


def test_a_path_is_the_same_however_it_is_escaped_and_whatever_follows_it(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(1.01, "GET", "/caf\u00e9 menu", 200)
    run.access(2.01, "GET", "/%ff%00", 200)
    run.access(3.01, "GET", "/", 200)

    rows = run.join(
        [
            request(1, 12, url="http://127.0.0.1:8000/caf%C3%A9%20menu?day="),
            request(2, 12, url="http://127.0.0.1:8000/%ff%00"),
            request(3, 12, url="http://127.0.0.1:8000"),
        ]
    )

    assert [row["position"] for row in rows] == [0, 100, 200]


def test_a_client_that_gave_up_is_joined_to_the_line_that_came_later(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(14.0, "GET", "/data", 200, duration_ms=12_900)

    (row,) = run.join([failed(1, "ETIMEDOUT", 10_000)])

    assert (row["joined_by"], row["certainty"], row["what"], row["why"]) == (
        "time",
        "likely",
        "gave_up",
        None,
    )
    assert (row["access_status"], row["server_ms"], row["outside_ms"]) == (200, 12_900.0, None)


def test_alike_requests_that_were_given_up_are_told_alike(tmp_path: Path) -> None:
    # Each took 4 s, each client waited 3 s: the line of one lies within the time of the next.
    run = JoinedRun(tmp_path)
    run.access_log()
    for second in (5, 6, 7):
        run.access(second, "GET", "/data", 200)

    rows = run.join([failed(second, "ETIMEDOUT", 3000) for second in (1, 2, 3, 4)])

    assert [row["position"] for row in rows] == [0, 100, 200, None]
    assert [(row["what"], row["why"]) for row in rows[:3]] == [("gave_up", None)] * 3
    assert rows[3]["what"] == "unfinished"


def test_a_line_as_coarse_as_its_stamp_does_not_tell_before_from_after(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(4.0, "GET", "/data", 200, resolution_ms=1000)

    (row,) = run.join([failed(1, "ETIMEDOUT", 3400)])

    assert (row["what"], row["why"]) == ("gave_up", "about")


def test_a_request_that_began_after_the_client_gave_up_is_not_its(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(14.0, "GET", "/data", 200, duration_ms=5)

    (row,) = run.join([failed(1, "ETIMEDOUT", 10_000)])

    assert row["joined_by"] == "none"


def test_an_answered_request_takes_its_line_before_one_that_gave_up(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(3.0, "GET", "/data", 200)

    gave_up, answered = run.join([failed(1, "ETIMEDOUT", 1000), request(2, 1001)])

    assert (gave_up["joined_by"], answered["joined_by"]) == ("none", "time")


def test_a_proxy_that_answered_itself_is_joined_to_what_the_server_said(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access(3.5, "GET", "/data", 200, duration_ms=2490)

    (row,) = run.join([request(1, 1000, status=504)])

    assert (row["joined_by"], row["what"], row["access_status"]) == ("time", "proxy", 200)


def test_a_request_is_looked_for_on_every_server_of_the_target(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, "a", "b")
    run.access(1.01, "GET", "/data", 200, server="b")
    run.access(2.01, "GET", "/data", 200, server="a")

    rows = run.join([request(1, 12), request(2, 12)])

    assert [row["server"] for row in rows] == ["b", "a"]


def test_of_several_servers_only_one_that_listens_on_the_requests_port_can_have_it(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, "a", "b")
    for entry, port in zip(run.builder.manifest.servers, (8001, 8002), strict=True):
        entry.facts["arbiter"] = {"pid": 7, "listen": [f"127.0.0.1:{port}"]}
    for server in "ab":
        run.access_log(server)
    run.access(1.011, "GET", "/data", 500, server="a")
    run.access(1.009, "GET", "/data", 500, server="b")
    run.traceback(1.008, "KeyError", "a.py:1 f", url_path="/data", server="a")
    run.traceback(1.005, "KeyError", "b.py:1 f", url_path="/data", server="b")
    run.access(5.01, "GET", "/data", 200, server="a")
    run.access(7.01, "GET", "/data", 200, server="b")
    at_a, at_b, by_proxy = (f"http://127.0.0.1:{port}/data" for port in (8001, 8002, 80))

    of_b, of_a, wrong, proxied = run.join(
        [
            request(1, 12, status=500, url=at_b),
            request(1, 13, status=500, url=at_a),
            request(5, 12, url=at_b),
            request(7, 12, url=by_proxy),
        ]
    )

    assert [(row["server"], row["certainty"]) for row in (of_a, of_b)] == [("a", "likely"), ("b", "likely")]
    assert [row["fingerprint"] for row in (of_a, of_b)] == ["KeyError at a.py:1 f", "KeyError at b.py:1 f"]
    assert (wrong["joined_by"], proxied["server"]) == ("none", "b")


def test_where_the_agent_did_not_say_it_the_plan_names_the_ports(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, "a", "b")
    build, plan = run.builder.build, run.builder.run.plan

    def with_plan() -> RunFolder:
        folder = build()
        servers = [
            f"- {{name: {name}, gunicorn: {{port: {port}}}}}" for name, port in (("a", 8001), ("b", 8002))
        ]
        plan.write_text("\n".join(["servers:", *servers, ""]), encoding="utf-8")
        return folder

    run.builder.build = with_plan  # type: ignore[method-assign]
    run.access(1.01, "GET", "/data", 200, server="a")

    rows = run.join([request(1, 12, url="http://127.0.0.1:8002/data")])

    assert [row["joined_by"] for row in rows] == ["none"]


def test_a_second_access_log_of_a_server_gives_no_second_request(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    proxy: dict[str, Any] = {"source": 5, "file": "/var/log/nginx/access.log"}
    for second in (1.01, 2.01):
        run.access(second, "GET", "/data", 200)
        run.access(second + 0.001, "GET", "/data", 200, **proxy)
    run.access(3.01, "GET", "/data", 504, **proxy)

    rows = run.join([request(1, 12), request(2, 12), request(3, 12, status=504)])

    assert [(row["source"], row["layer"]) for row in rows] == [(0, 0), (0, 0), (5, 1)]
    assert (rows[2]["what"], rows[2]["why"]) == ("proxy", "front")
    assert run.errors.summary["unseen"]["by_client"]["count"] == 0


def test_a_million_possible_pairs_cost_no_million_looks(tmp_path: Path) -> None:
    # All of one kind, all at one time: 3,000 x 3,000 pairs are possible.
    requests = [(0, number, 0, 1000 * MS + number, False) for number in range(3000)]
    lines = [(0, number, 0, 1000 * MS, -1) for number in range(3000)]

    found = match(requests, lines, 0)

    assert len(found) == 3000
    assert {(candidates, alone) for _, _, candidates, alone in found} == {(3000, False)}


def test_as_many_are_joined_as_can_be(tmp_path: Path) -> None:
    # The first line in time fits both requests, the second one only the long one: the short one must get the first.
    requests = [(0, 1, 0, 900 * MS, False), (0, 2, 0, 200 * MS, False)]
    lines = [(0, 10, 100 * MS, 150 * MS, -1), (0, 11, 700 * MS, 700 * MS, -1)]

    assert {(request, line) for request, line, *_ in match(requests, lines, 0)} == {(1, 11), (2, 10)}


def test_long_after_the_client_gave_up_nothing_is_looked_for() -> None:
    requests = [(0, 1, 0, 100 * MS, True)]

    assert match(requests, [(0, 10, LATE_NS + 99 * MS, LATE_NS + 99 * MS, -1)], 0)
    assert not match(requests, [(0, 10, LATE_NS + 101 * MS, LATE_NS + 101 * MS, -1)], 0)


def test_a_late_line_is_of_one_that_waited_not_of_one_that_was_refused_at_once(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(3.5, "GET", "/data", 500)

    refused, waited = run.join([request(1, 5, status=504), request(2, 1000, status=504)])

    assert (refused["what"], waited["what"], waited["access_status"]) == ("none", "proxy", 500)


def test_one_whose_line_may_have_been_given_to_another_of_its_kind_is_not_likely_unseen(
    tmp_path: Path,
) -> None:
    run = JoinedRun(tmp_path)
    run.access_log()
    run.access(3.5, "GET", "/data", 200)
    run.access(70, "GET", "/data", 200)
    waited = [request(second, 1000, status=504) for second in (1, 1.2)]

    rows = [*run.join([*waited, request(4, 5, status=504), request(69.9, 100)])]

    assert sorted((row["what"], row["what_certainty"]) for row in rows[:2]) == [
        ("none", "ambiguous"),
        ("proxy", "ambiguous"),
    ]
    assert (rows[2]["what"], rows[2]["what_certainty"]) == ("none", "likely"), "it was refused at once"


def test_what_was_refused_at_once_was_not_at_work_when_the_recording_ended(tmp_path: Path) -> None:
    run = JoinedRun(tmp_path, watched_s=10)
    run.access_log()
    run.access(8, "GET", "/data", 200)

    rows = run.join([request(5, 3000), request(9.5, 5, status=504)])

    assert rows[1]["what"] == "none"
