"""Lines in, lines out, and what the controller may ask for."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

wire = import_module("wire")
asked = import_module("asked")
faults = import_module("faults")


def test_objects_are_cut_from_any_pieces() -> None:
    stream = b'{"op":"ping","t0":1}\n\n{"op":"bye"}\n{"op":'
    lines = wire.Lines()

    found = [item for byte in stream for item in lines.feed(bytes([byte]))]

    assert found == [{"op": "ping", "t0": 1}, {"op": "bye"}]


@pytest.mark.parametrize(
    "line", [b"hello", b"[]", b"{}", b'{"op":1}', b"\xff\xfe", b"[" * 100000, b'"x"', b"nan"]
)
def test_a_bad_line_is_a_fault_and_the_next_one_counts(line: bytes) -> None:
    bad, good = wire.Lines().feed(line + b'\n{"op":"bye"}\n')

    assert isinstance(bad, faults.Fault)
    assert bad.code == "protocol"
    assert good == {"op": "bye"}


def test_a_line_too_long_is_thrown_away_without_being_kept() -> None:
    lines = wire.Lines()
    found = []
    for _ in range(40):
        found += lines.feed(b"x" * 100_000)
    found += lines.feed(b'tail\n{"op":"bye"}\n')

    assert [type(item).__name__ for item in found] == ["Fault", "dict"]
    assert len(lines._rest) < 1000


@given(st.binary(max_size=200))
@settings(database=None)
def test_no_bytes_break_it(data: bytes) -> None:
    for item in wire.Lines().feed(data + b"\n"):
        assert isinstance(item, (dict, faults.Fault))


def test_a_network_that_swallows_nothing_never_blocks_the_agent() -> None:
    source, target = os.pipe()
    writer = wire.Writer(target)
    writer.start()
    message = {"type": "log", "message": "x" * 60_000}

    accepted = sum(writer.say(message, important=False) for _ in range(500))

    assert 0 < accepted < 500
    assert not writer.has_room()
    assert writer.say({"type": "stopped"}), "an important line still fits"
    assert not writer.flush(0.05)
    os.close(source)  # the reader goes away: the thread ends
    writer.join(5)
    assert not writer.is_alive()
    assert writer.broken
    os.close(target)


def test_what_was_said_arrives_in_order() -> None:
    source, target = os.pipe()
    writer = wire.Writer(target)
    writer.start()
    for number in range(100):
        writer.say({"type": "log", "message": number})
    writer.close(5)
    writer.join(5)
    os.close(target)

    with os.fdopen(source, "rb") as reader:
        assert [json.loads(line)["message"] for line in reader] == list(range(100))


def _lines(source: int) -> list[dict[str, Any]]:
    with os.fdopen(source, "rb") as reader:
        return [json.loads(line) for line in reader]


def test_what_was_not_heard_is_said_again_on_the_next_line_and_pongs_are_not() -> None:
    first, target = os.pipe()
    writer = wire.Writer(target)
    writer.keep()
    writer.start()
    for number in range(1, 6):
        writer.say({"type": "log", "message": number})
        writer.say({"type": "pong"}, lasting=False)
    assert writer.flush(5)
    writer.forget(2)
    second, target = os.pipe()

    assert writer.resume(target, 3) == 2
    writer.say({"type": "log", "message": 6})
    writer.close(5)
    writer.join(5)
    os.close(target)

    assert [line.get("n") for line in _lines(first)] == [1, None, 2, None, 3, None, 4, None, 5, None]
    assert [(line["n"], line["message"]) for line in _lines(second)] == [(4, 4), (5, 5), (6, 6)]


def test_what_is_said_while_nobody_hears_waits_for_the_next_line() -> None:
    source, target = os.pipe()
    writer = wire.Writer(target)
    writer.keep()
    writer.start()
    os.close(source)
    assert writer.say({"type": "log", "message": "x" * 100_000})
    writer.join(5)
    assert writer.broken
    assert not writer.has_room()
    assert writer.say({"type": "log", "message": "later"})
    source, target = os.pipe()
    writer.resume(target, 0)

    with os.fdopen(source, "rb") as reader:
        assert [json.loads(reader.readline())["n"] for _ in range(2)] == [1, 2]
        assert writer.has_room()
        writer.close(5)
        writer.join(5)
        os.close(target)


def test_a_thread_that_hangs_on_a_silent_line_is_left_to_it() -> None:
    swallowed, target = os.pipe()
    writer = wire.Writer(target)
    writer.keep()
    writer.start()
    writer.say({"type": "log", "message": "x" * 300_000})  # more than the pipe holds
    assert not writer.flush(0.1)
    second, target = os.pipe()
    writer.resume(target, 0)
    with os.fdopen(second, "rb") as reader:
        line = json.loads(reader.readline())
        assert (line["n"], len(line["message"])) == (1, 300_000)
        writer.close(5)
        writer.join(5)
        os.close(target)
    os.close(swallowed)


def test_what_nobody_hears_has_a_bound() -> None:
    source, target = os.pipe()
    writer = wire.Writer(target)
    writer.keep()
    writer.start()
    accepted = sum(writer.say({"type": "log", "message": "x" * 100_000}) for _ in range(400))
    assert accepted < 200
    os.close(source)
    writer.join(5)
    assert not writer.say({"type": "log", "message": "x" * 100_000})
    os.close(target)


def test_reattach_is_wanted_with_a_token_or_not_at_all() -> None:
    assert asked.reattach({"op": "hello"}) is None
    assert asked.reattach({"reattach": {"token": "a" * 32, "wait_s": 5}}) == ("a" * 32, 5.0)
    wrongs: list[Any] = [
        {},
        {"token": ""},
        {"token": "a b" * 9},
        {"token": 5},
        [],
        {"token": "a" * 32, "wait_s": 600},
    ]
    for wrong in wrongs:
        with pytest.raises(faults.Fault):
            asked.reattach({"reattach": wrong})


def test_record_defaults() -> None:
    assert asked.record({"op": "record"}) == (["wall", "cpu"], (5.0, None, 5.0))
    assert asked.record({"views": ["gil", "gil"], "rate_hz": 50, "chunk_s": 1})[0] == ["gil"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"views": ["native"]},
        {"views": "wall"},
        {"views": [["wall"]]},
        {"rate_hz": 0},
        {"rate_hz": 1001},
        {"rate_hz": "100; rm"},
        {"rate_hz": True},
        {"budget_percent": float("nan")},
        {"budget_percent": -1},
        {"chunk_s": 0.01},
        {"chunk_s": 1e9},
    ],
)
def test_a_recording_out_of_bounds_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(faults.Fault) as caught:
        asked.record(wrong)

    assert caught.value.code == "protocol"
