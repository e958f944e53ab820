"""What is said of logs keeps its order, and the limit holds to the byte."""

from __future__ import annotations

import base64
import zlib
from importlib import import_module
from typing import Any

import pytest

outlet = import_module("log_outlet")
descriptors = import_module("log_descriptors")


class Wire:
    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.takes = True

    def say(self, message: dict[str, Any]) -> bool:
        if self.takes:
            self.said.append(message)
        return self.takes


def test_no_data_overtakes_an_event_that_could_not_be_said() -> None:
    wire = Wire()
    out = outlet.Outlet(wire.say, lambda: True, 100)
    out.event(0, "start", 0, 5)
    assert wire.said == [], "the sources have not been told"
    out.held = False
    wire.takes = False
    assert not out.flush()
    assert not out.data(0, 0, 5, b"abc", None, 7)
    assert not out.has_room()
    wire.takes = True
    assert out.data(0, 0, 5, b"abc", None, 7)
    assert [message["what"] for message in wire.said] == ["start", "data"]
    assert zlib.decompress(base64.b64decode(wire.said[1]["data"])) == b"abc"
    assert out.allowance(0) == 97, "what was not taken does not count"


def test_a_noisy_log_leaves_each_other_log_its_share() -> None:
    wire = Wire()
    out = outlet.Outlet(wire.say, lambda: True, 1000)
    out.held = False
    out.expect(0)
    assert out.allowance(0) == 1000, "alone it may have all"
    out.expect(1)
    out.expect(2)
    assert out.allowance(0) == 750
    out.data(0, 0, 0, b"x" * 750, None, 1)
    out.limited(0, 0, 750)
    out.limited(0, 0, 750)
    assert [out.allowance(log) for log in (0, 1, 2)] == [0, 125, 125]
    out.data(1, 0, 0, b"x" * 125, None, 1)
    assert [out.allowance(log) for log in (0, 1, 2)] == [0, 0, 125], (
        "the second log takes nothing of the third"
    )
    assert [message["what"] for message in wire.said] == ["data", "limit", "data"]
    assert "0.00075 MB of it are this log's, 0.00025 MB are kept for the others" in wire.said[1]["note"]


def test_what_calm_logs_have_used_is_kept_no_longer() -> None:
    out = outlet.Outlet(Wire().say, lambda: True, 1000)
    out.held = False
    for log in (0, 1):
        out.expect(log)
    out.data(1, 0, 0, b"x" * 200, None, 1)
    assert out.allowance(0) == 750, "200 are taken, 50 more are kept"
    out.data(1, 0, 200, b"x" * 100, None, 1)
    assert out.allowance(0) == 700


@pytest.mark.parametrize(
    ("sample", "binary"),
    [
        (b"", False),
        (b"2026-11-21 an ordinary line\n", False),
        ("größer, 注文\n".encode(), False),
        ("caf\xe9 in Latin-1\n".encode("latin-1"), False),
        (b"\x1b[31mERROR\x1b[0m coloured\n", False),
        (bytes(1000), True),
        (bytes(range(32)) * 10, True),
    ],
)
def test_text_and_what_is_none(sample: bytes, binary: bool) -> None:
    assert descriptors.looks_binary(sample) is binary
