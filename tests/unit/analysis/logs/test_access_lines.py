"""Access lines of every common form: what was asked, answered, by whom, how long it took."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.analysis.logs.reading import captured, one, read
from toolkit.analysis.logs.access_lines import AccessLines

TIME = "[21/Nov/2026:14:30:00 +0000]"
AN_ID = "0b3f3f0e-9d2c-4a51-8f55-2f1d6f0f1a10"


def asked(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["kind"], event.get("method"), event.get("url_path"), event.get("status")


def milliseconds(event: dict[str, Any]) -> float | None:
    if "duration" not in event or "duration_unit" not in event:
        return None
    return round(float(event["duration"]) * float(event["duration_unit"]), 6)


def test_gunicorns_default_format_as_gunicorn_wrote_it() -> None:
    found = read(captured("gunicorn-27-access.log"))

    assert {event["kind"] for event in found} == {"access"}
    assert len(found) == 35
    assert asked(found[1]) == ("access", "GET", "/group", 500)
    assert asked(found[7]) == ("access", "GET", "/ok", 200)
    assert "secret" not in repr({name: value for name, value in found[7].items() if name != "text"})
    assert (found[7]["bytes_out"], found[7]["client"]) == (2, "127.0.0.1")


def test_uvicorns_lines_with_and_without_their_level() -> None:
    found = read(captured("uvicorn-access.log"))
    assert [asked(event) for event in found][1:] == [
        ("access", "GET", "/boom", 500),
        ("access", "GET", "/ok", 200),
    ]
    event = one('INFO:     127.0.0.1:5000 - "GET /x?a=1 HTTP/1.1" 504 Gateway Timeout\n')
    assert asked(event) == ("access", "GET", "/x", 504)
    assert event["client"] == "127.0.0.1:5000"


@pytest.mark.parametrize(
    ("form", "line", "expected"),
    [
        (
            '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s %({x-request-id}i)s',
            f'127.0.0.1 - - {TIME} "GET /a?b HTTP/1.1" 200 5 "-" "a \\"quoted\\" agent" 12345 {AN_ID}',
            {"url_path": "/a", "status": 200, "ms": 12.345, "request_id": AN_ID, "bytes_out": 5},
        ),
        (
            '%(t)s %(p)s %({X-Request-Id}o)s "%(r)s" %(s)s %(M)s',
            f'{TIME} <4711> r-17 "POST /b HTTP/1.1" 500 250',
            {"method": "POST", "url_path": "/b", "pid": 4711, "request_id": "r-17", "ms": 250.0},
        ),
        (
            "%(m)s %(U)s?%(q)s %(H)s %(s)s %(L)s",
            "GET /with space?secret=1 HTTP/1.1 404 0.001500",
            {"method": "GET", "url_path": "/with space", "status": 404, "ms": 1.5},
        ),
        (
            '{"at":"%(t)s","remote":"%(h)s","line":"%(r)s","code":"%(s)s","us":%(D)s,"agent":"%(a)s","id":"%({http_x_request_id}e)s"}',
            '{"at":"' + TIME + '","remote":"10.0.0.1","line":"GET /json HTTP/1.1","code":"201","us":900,'
            '"agent":"say \\"hi\\"","id":"-"}',
            {"url_path": "/json", "status": 201, "ms": 0.9, "client": "10.0.0.1", "request_id": None},
        ),
        (
            "%(h)s|%(U)s|%(s)s|%(T)s",
            "10.0.0.1|/slow|200|30",
            {"url_path": "/slow", "status": 200, "ms": None},  # whole seconds say too little
        ),
    ],
)
def test_a_known_format(form: str, line: str, expected: dict[str, Any]) -> None:
    event = one(line + "\n", format=form)

    assert event["kind"] == "access"
    assert {name: event.get(name) for name in expected if name != "ms"} == {
        name: value for name, value in expected.items() if name != "ms"
    }
    assert milliseconds(event) == expected["ms"]


def test_a_line_that_does_not_fit_the_known_format_is_read_by_the_others() -> None:
    line = f'127.0.0.1 - - {TIME} "GET /x HTTP/1.1" 200 5 "-" "-"\n'
    assert asked(one(line, format="%(h)s|%(U)s|%(s)s")) == ("access", "GET", "/x", 200)


@pytest.mark.parametrize(
    "form", ["%(h)s", "", "%(s)s", "%(U)s", "%(a)s" * 50 + "%(U)s%(s)s", "%(", "(" * 5000]
)
def test_a_format_that_says_nothing_is_passed_over(form: str) -> None:
    line = f'127.0.0.1 - - {TIME} "GET /x HTTP/1.1" 200 5\n'
    assert asked(one(line, format=form)) == ("access", "GET", "/x", 200)


@pytest.mark.parametrize(
    ("more", "expected_ms", "request_id"),
    [
        (' "-" "curl/8" 0.250 0.249', 250.0, None),
        (' "-" "curl/8" "10.0.0.1" 0.250', 250.0, None),
        (' "-" "curl/8" rt=1.5 uct="0.000" uht="1.499" urt="1.499"', 1500.0, None),
        (' "-" "curl/8" request_time=0.003 upstream_response_time=0.002 0123456789abcdef0123456789abcdef', 3.0,
         "0123456789abcdef0123456789abcdef"),
        (f' "-" "curl/8" {AN_ID}', None, AN_ID),
        (' "-" "curl/8" 12345', None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_what_nginx_adds(more: str, expected_ms: float | None, request_id: str | None) -> None:
    event = one(f'10.1.2.3 - bob smith {TIME} "GET /x?q=1 HTTP/2.0" 504 167{more}\n')

    assert asked(event) == ("access", "GET", "/x", 504)
    assert milliseconds(event) == expected_ms
    assert event.get("request_id") == request_id


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '{"time": "2026-11-21T14:30:00.5+00:00", "method": "GET", "path": "/data?x=1", "status": 200, "bytes": 7, '
            '"duration_us": 1500, "request_id": "r-1", "pid": 77}',
            {"method": "GET", "url_path": "/data", "status": 200, "request_id": "r-1", "pid": 77, "ms": 1.5},
        ),
        (
            '{"ts": 1795271400.25, "verb": "post", "uri": "/a", "status_code": "504", "latency_ms": 12.5, "x_request_id": "r-2"}',
            {"method": "POST", "url_path": "/a", "status": 504, "request_id": "r-2", "ms": 12.5},
        ),
        (
            '{"@timestamp": "2026-11-21T14:30:00Z", "http": {"request": {"method": "GET"}, "response": {"status_code": 500}}, '
            '"url": {"path": "/ecs"}, "trace": {"id": "t-1"}, "elapsed_s": 0.25}',
            {"method": "GET", "url_path": "/ecs", "status": 500, "request_id": "t-1", "ms": 250.0},
        ),
        (
            '{"msec": "1795271400.123", "request": "GET /n?a=1 HTTP/1.1", "status": "504", "request_time": "0.250"}',
            {"method": "GET", "url_path": "/n", "status": 504, "ms": 250.0},
        ),
        (
            '{"timestamp": 1795271400123, "request_method": "GET", "raw_uri": "/r", "response": 200, "duration": "12 ms"}',
            {"method": "GET", "url_path": "/r", "status": 200, "ms": 12.0},
        ),
        (
            '{"asctime": "2026-11-21 14:30:00,123", "name": "gunicorn.access", "message": '
            f'"127.0.0.1 - - {TIME} \\"GET /inner HTTP/1.1\\" 200 5"' + "}",
            {"method": "GET", "url_path": "/inner", "status": 200, "ms": None},
        ),
    ],
)
def test_json_lines_by_the_usual_names(line: str, expected: dict[str, Any]) -> None:
    event = one(line + "\n")

    assert event["kind"] == "access"
    assert {name: event.get(name) for name in expected if name != "ms"} == {
        name: value for name, value in expected.items() if name != "ms"
    }
    assert milliseconds(event) == expected["ms"]
    assert "stamp_ns" in event


def test_a_url_with_a_host_is_a_path() -> None:
    event = one(f'127.0.0.1 - - {TIME} "GET http://shop.example:80/x?secret=1 HTTP/1.1" 200 5\n')
    assert event["url_path"] == "/x"


@pytest.mark.parametrize(
    "line",
    [
        "127.0.0.1 - - " + TIME + ' "\\x16\\x03\\x01" 400 0 "-" "-"',
        "127.0.0.1 - - " + TIME + ' "-" 408 -',
        "127.0.0.1 - - " + TIME + ' "GET  HTTP/1.1" 400 0',
        ", - - " + TIME + ' "' + "\\" * 9000 + '" 400 0',
    ],
)
def test_a_request_that_was_none_is_an_access_line_without_a_path(line: str) -> None:
    event = one(line + "\n")
    assert event["kind"] == "access"
    assert event["status"] in (400, 408)


@pytest.mark.parametrize(
    ("told", "ms"),
    [
        ("duration_us=2500", 2.5),
        ("us=900", 0.9),
        ("took_ms=12.5", 12.5),
        ("duration_s=1.5", 1500.0),
        ("status=200", None),
    ],
)
def test_a_key_that_says_its_unit_gives_the_servers_time(told: str, ms: float | None) -> None:
    event = one(f'127.0.0.1 - - {TIME} "GET /x HTTP/1.1" 200 5 request_id={AN_ID} {told}')

    assert milliseconds(event) == ms
    assert event["request_id"] == AN_ID


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '10.0.0.1 [30/Nov/2026:04:24:42 +0000] "GET /a?x=1 HTTP/1.1" 500 12 34567',
            {"status": 500, "method": "GET", "url_path": "/a"},
        ),
        (
            "2026-11-30 04:24:42,123 POST /orders HTTP/1.1 status=201 duration_ms=12.5",
            {"status": 201, "method": "POST", "duration": 12.5, "duration_unit": 1.0},
        ),
    ],
)
def test_in_an_access_log_a_line_of_any_format_is_one_if_it_has_a_request_and_a_status(
    line: str, expected: dict[str, Any]
) -> None:
    found = AccessLines(None, guess=True).read(line)

    assert found is not None
    assert found[0].items() >= expected.items()
    assert found[1] is not None
    assert AccessLines(None).read(line) is None
    assert AccessLines(None, guess=True).read("we asked GET /x HTTP/1.1 and got 200 of them") is None
