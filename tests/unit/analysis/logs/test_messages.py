"""What messages of every logger tell: level, logger, process, request; and what they keep to themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.analysis.logs.reading import one, read
from toolkit.analysis.logs.request_ids import find_request_id

AN_ID = "0b3f3f0e-9d2c-4a51-8f55-2f1d6f0f1a10"
UPSTREAM = (
    "2026/11/21 14:30:00 [error] 12#13: *7 upstream timed out (110: Connection timed out) while reading response header from "
    'upstream, client: 10.0.0.9, server: shop, request: "GET /slow?card=4711 HTTP/1.1", upstream: '
    '"http://127.0.0.1:8000/slow?card=4711", host: "shop"'
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (UPSTREAM, {"level": "ERROR", "pid": 12, "method": "GET", "url_path": "/slow"}),
        (
            "2026-11-21 14:30:00,123 - shop.orders - WARNING - slow order",
            {"level": "WARNING", "logger": "shop.orders", "message": "slow order"},
        ),
        (
            "2026-11-21 14:30:00,123 WARN shop: slow",
            {"level": "WARNING", "logger": "shop", "message": "slow"},
        ),
        (
            "2026-11-21 14:30:00.123 | ERROR    | shop.orders:place:17 - it failed",
            {"level": "ERROR", "logger": "shop.orders:place:17", "message": "it failed"},
        ),
        (
            "[2026-11-21 14:30:00,123] WARNING in views: odd",
            {"level": "WARNING", "logger": "views", "message": "odd"},
        ),
        ("WARNING:root:odd", {"level": "WARNING", "logger": "root", "message": "odd"}),
        ("[ERROR] odd", {"level": "ERROR", "message": "odd"}),
        ("DEBUG 2026-11-21 14:30:00,123 odd", {"level": "DEBUG", "message": "odd"}),
        ("2026-11-21 14:30:00,123 shop[4711] info: odd", {"level": "INFO", "pid": 4711}),
        (
            "2026-11-21 14:30:00 [4711] [INFO] Booting worker with pid: 4711",
            {"event": "booting", "pid": 4711},
        ),  # 18
        ("plain words", {"level": None, "message": "plain words"}),
        (
            '{"level": "warn", "logger": "shop", "msg": "odd", "requestId": "r-17", "pid": "4711"}',
            {"level": "WARNING", "logger": "shop", "message": "odd", "request_id": "r-17", "pid": 4711},
        ),
        (
            '{"levelno": 40, "level": 40, "event": "odd", "path": "/x?secret=1"}',
            {"level": "ERROR", "url_path": "/x"},
        ),
        (
            "<13>Nov 21 14:30:00 web gunicorn[701]: [2026-11-21 14:30:00 +0000] [700] [INFO] Handling signal: hup",
            {"event": "hup", "pid": 700},
        ),
        (
            "2026-11-21T14:30:00.123456+00:00 web shop[701]: odd",
            {"pid": 701, "message": "odd", "resolution_ns": 1000},
        ),
        (
            '{"log": "[2026-11-21 14:30:00 +0000] [7] [INFO] Shutting down: Master\\n", "stream": "stderr", '
            '"time": "2026-11-21T14:30:00.123456789Z"}',
            {"event": "shutdown", "resolution_ns": 1},
        ),
    ],
)
def test_what_a_line_tells(line: str, expected: dict[str, Any]) -> None:
    event = one(line + "\n")
    assert {name: event.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("request_id=r-17 failed", "r-17"),
        ("[rid=abcd] failed", "abcd"),
        ("X-Request-ID: abc.def, failed", "abc.def"),
        ("'requestId': 'q-1'", None),
        ("{'requestId': 'q-17'}", "q-17"),
        ("correlation_id: c-17.", "c-17"),
        (f"order {AN_ID} failed", AN_ID),
        (f"order a{AN_ID} failed", None),
        ("acrid=smoke", None),
        ("request id unknown", None),
        ("2026-11-21-14-30 a-b-c-d", None),
    ],
)
def test_a_request_id_in_any_text(text: str, expected: str | None) -> None:
    assert find_request_id(text) == expected


def test_query_values_stay_in_the_raw_text() -> None:
    lines = [
        UPSTREAM,
        "2026-11-21 14:30:00,123 ERROR POST /pay?card=4711 failed",
        '{"message": "GET /pay?card=4711&x=1 took long", "url": "http://shop/pay?card=4711"}',
        'Traceback (most recent call last):\n  File "/srv/a.py", line 1, in f\nHTTPError: 500 for url: http://shop/pay?card=4711',
    ]
    for line in lines:
        (event,) = read(line + "\n")
        assert "4711" in event["text"]
        assert "4711" not in repr({name: value for name, value in event.items() if name != "text"})


def test_a_path_of_a_file_is_no_request() -> None:
    assert "url_path" not in one("ERROR:root:failed to read /etc/shop/settings.toml\n")
    assert "url_path" not in one("ERROR:root:error in /srv/shop/views.py\n")
