"""k6's samples as records, and the script that the plan's requests become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.engines.k6.samples import Samples
from toolkit.engines.k6.script import given_of
from toolkit.engines.k6.settings import K6Options, K6Request, K6Stage
from toolkit.plan.secrets import masked

HEAD = (
    b"metric_name,timestamp,metric_value,error,error_code,method,name,scenario,status,url,extra_tags,metadata"
)
END_US = 1_796_121_383_985_654


def nine(
    tags: str = ",,GET,http://h/a?b=1,load,200,http://h/a?b=1,", metadata: str = "vu=14&rid=r-1&phase=1"
) -> list[bytes]:
    """As k6 1.1.0 writes one request."""
    values = {
        "http_reqs": 1,
        "http_req_duration": 10.0,
        "http_req_blocked": 0.05,
        "http_req_connecting": 0.0,
        "http_req_tls_handshaking": 0.0,
        "http_req_sending": 1.0,
        "http_req_waiting": 7.0,
        "http_req_receiving": 2.0,
        "http_req_failed": 0,
    }
    return [f"{name},{END_US},{value:.6f},{tags},{metadata}".encode() for name, value in values.items()]


def records(lines: list[bytes], **given: Any) -> list[dict[str, Any]]:
    samples = Samples("front", ["ramp", "steady"], given.get("urls", {}), given.get("expect", {}))
    return [json.loads(line) for line in samples.records([HEAD, *lines])]


def test_nine_lines_are_a_record() -> None:
    (row,) = records(nine())
    assert (row["end_ns"] - row["start_ns"], row["first_byte_ns"] - row["start_ns"]) == (
        10_000_000,
        8_000_000,
    )
    assert row["end_ns"] == END_US * 1000
    assert (row["name"], row["url"], row["phase"], row["request_id"]) == (
        "GET /a",
        "http://h/a?b=",
        "steady",
        "r-1",
    )
    assert (row["status"], row["error"], row["scenario"], row["user"]) == (200, None, "front", "vu14")


def test_a_name_stands_where_the_url_was() -> None:
    (row,) = records(
        nine(",,GET,buy,checkout,200,buy,"), urls={"buy": "http://h/cart"}, expect={"buy": [201]}
    )
    assert (row["name"], row["url"], row["scenario"]) == ("buy", "http://h/cart", "checkout")
    assert row["error"] == "expected 201, got 200"


@pytest.mark.parametrize(("expect", "said"), [([201, 409], (None, True)), ([], (None, None))])
def test_a_status_that_the_plan_expects_is_accepted(expect: list[int], said: tuple[Any, Any]) -> None:
    (row,) = records(
        nine(",,GET,buy,checkout,409,buy,"), urls={"buy": "http://h/cart"}, expect={"buy": expect}
    )
    assert (row["error"], row.get("accepted")) == said
    (unknown,) = records(nine(",,GET,buy,checkout,200,buy,"))
    assert unknown["url"] is None


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ("dial: connection refused,1212,GET,http://h/a,load,0,http://h/a,", "ECONNREFUSED"),
        ("request timeout,1050,GET,http://h/a,load,0,http://h/a,", "ETIMEDOUT"),
        ("something new,1999,GET,http://h/a,load,0,http://h/a,", "something new"),
        ('"a, b",1000,GET,http://h/a,load,0,http://h/a,', "a, b"),
    ],
)
def test_what_got_no_answer_says_why(tags: str, error: str) -> None:
    (row,) = records(nine(tags))
    assert (row["status"], row["first_byte_ns"], row["error"]) == (None, None, error)


def test_lines_may_come_in_pieces_and_others_between_requests() -> None:
    samples = Samples("front", [], {}, {})
    others = [
        b"iterations,1,1.000000,,,,,load,,,,",
        b"dropped_iterations,1,3.000000,,,,,load,,,,",
        b"checks,1,0.000000,,,,,,,,,",
    ]
    lines = [HEAD, *nine(), *others, *nine(metadata="vu=1")]
    found = [json.loads(row) for at in range(len(lines)) for row in samples.records(lines[at : at + 1])]
    assert [row["request_id"] for row in found] == ["r-1", None]
    assert (samples.iterations, samples.dropped, samples.checks, samples.failed_checks) == (1, 3, 1, 1)
    assert {row["phase"] for row in found} == {"1"}


def test_the_metadata_stand_in_any_order_and_may_hold_anything() -> None:
    (row,) = records(nine(metadata='phase=0&vu=3&rid=a"b\\'))
    assert (row["phase"], row["user"], row["request_id"]) == ("ramp", "vu3", 'a"b\\')


def test_phases_are_stages_that_jump_where_a_step_begins() -> None:
    stages = (K6Stage("ramp-up", 20, 5, begins=1), K6Stage("steady", 20, 10), K6Stage("spike", 200, 3))
    given = json.loads(given_of(K6Options((K6Request("GET", "/", "GET /"),), stages, vus=50), "http://h/"))
    load = given["options"]["scenarios"]["load"]
    assert (load["startRate"], load["preAllocatedVUs"], load["maxVUs"]) == (1, 50, 50)
    assert load["stages"] == [
        {"target": 20, "duration": "5s"},
        {"target": 20, "duration": "10s"},
        {"target": 200, "duration": "0s"},
        {"target": 200, "duration": "3s"},
    ]
    assert given["ends"] == [5, 15, 18]
    assert given["target"] == "http://h"


def test_a_dry_run_shows_no_header_that_is_secret() -> None:
    request = K6Request("POST", "/a", "a", {"Authorization": "Bearer hunter2"}, '{"b": 1}')
    shown = K6Options((request,), (K6Stage("s", 1, 1),)).shown(masked)
    assert "hunter2" not in given_of(shown, "http://h")
