"""Templates, and the bytes that are made of them."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.engines.sender.requests import Requests
from toolkit.engines.sender.settings import SendSettings
from toolkit.engines.sender.template import MissingFieldError, fields_of, filled, value_of

RECORD = {"id": 7, "to": "a/b?c", "deep": {"er": [1]}, "deep.er": "own", "line": "a\r\nEvil: 1"}


def settings(**more: Any) -> SendSettings:
    return SendSettings("s", "f", "http://u%40:pw@host:81/base/", "folder", **{"request": "POST /x", **more})


def head_and_body(**more: Any) -> tuple[list[str], bytes]:
    head, _, body = Requests(settings(**more)).prepare(RECORD, "id-1").data.partition(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n"), body


def test_a_value_alone_keeps_its_type() -> None:
    template = {"n": "{{ id }}", "t": "no {{id}}", "{{ to }}": ["{{ deep }}", 1, None]}
    assert filled(template, RECORD) == {"n": 7, "t": "no 7", "a/b?c": [{"er": [1]}, 1, None]}
    assert fields_of(template) == {"id", "to", "deep"}


def test_a_field_of_that_very_name_comes_first() -> None:
    assert value_of(RECORD, "deep.er") == "own"
    assert value_of({"deep": {"er": 2}}, "deep.er") == 2
    with pytest.raises(MissingFieldError, match=r"it has no field 'deep\.or'"):
        value_of(RECORD, "deep.or")


def test_a_value_in_the_path_stays_in_its_place() -> None:
    lines, _ = head_and_body(request="GET /m/{{ to }}?n={{ id }}")
    assert lines[0] == "GET /base/m/a%2Fb%3Fc?n=7 HTTP/1.1"
    prepared = Requests(settings(request="GET /m/{{ to }}?n={{ id }}")).prepare(RECORD, "x")
    assert prepared.url == "http://host:81/base/m/a%2Fb%3Fc"


def test_the_head() -> None:
    lines, body = head_and_body(headers={"X-To": "for {{ id }}"}, body={"id": "{{ id }}"})
    assert body == b'{"id":7}'
    assert set(lines[1:]) >= {
        "Host: host:81",
        "X-To: for 7",
        "X-Request-ID: id-1",
        "Content-Length: 8",
        "Content-Type: application/json",
        "Authorization: Basic dUA6cHc=",
    }


def test_bodies() -> None:
    assert head_and_body()[1].startswith(b'{"id":7,"to":"a/b?c"')
    assert head_and_body(request="GET /")[1] == b""
    lines, body = head_and_body(
        body="n={{ id }}", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert body == b"n=7"
    assert [line for line in lines if line.lower().startswith("content-type")] == [
        "content-type: application/x-www-form-urlencoded"
    ]


def test_no_value_adds_a_header() -> None:
    with pytest.raises(ValueError, match="a line break would stand in the header X-A"):
        head_and_body(headers={"X-A": "{{ line }}"})
