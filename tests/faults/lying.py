"""An agent that lies, without a process: it says what it is given between answers that are as agreed, or are not."""

from __future__ import annotations

import base64
import json
import queue
import time
import zlib
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from toolkit.transports.base import Completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DATA = base64.b64encode(b"process 1:python;main (app.py:1) 3\n").decode()
_BLOCK = base64.b64encode(zlib.compress(b"a line\n")).decode()
_ARBITER = {"pid": 7, "create_time": 1.5, "name": "n", "user": "u", "listen": ["127.0.0.1:1"], "workers": [8]}
_VIEWS = {"wall": {"rate_hz": 10.0, "valid": True, "reason": None, "recorded_as": "wall"}}
_SOURCE = {
    "source": 0,
    "path": "/var/log/x.log",
    "kind": "file",
    "role": "access",
    "format": None,
    "note": None,
}
_CHUNK = {"view": "wall", "seq": 0, "start_ns": 10, "end_ns": 20, "rate_hz": 10.0, "samples": 3, "errors": 0}

HONEST: dict[str, dict[str, Any]] = {
    "hello": {
        "type": "hello",
        "protocol": 1,
        "pid": 5,
        "python": "3.11.1",
        "directory": "/tmp/toolkit.12345678",
    },
    "find": {"type": "found", "arbiter": _ARBITER, "workers": [{"pid": 8}], "all": [], "gunicorn": {}},
    "check": {
        "type": "checked",
        "python": "3.11.1",
        "views": _VIEWS,
        "notes": [],
        "gunicorn": {"workers": 1},
    },
    "watch": {"type": "watching", "sources": [_SOURCE], "notes": ["n"]},
    "record": {"type": "recording", "views": _VIEWS, "budget": {"percent": 5.0}},
    "stop": {"type": "stopped"},
    "bye": {"type": "bye"},
}
UNASKED: list[dict[str, Any]] = [
    {"type": "file", "name": "wall-000000.raw.gz", "part": 0, "last": True, "data": _DATA},
    {"type": "chunk", "late_s": 0.0, "cpu_s": 0.1, "exit_code": 0, "bytes": 34, "note": None, **_CHUNK},
    {"type": "rate", "views": _VIEWS, "budget": {"percent": 5.0}},
    {
        "type": "workers",
        "born": [{"pid": 9, "create_time": 2.0, "title": "t"}],
        "died": [{"pid": 8}],
        "t": 30,
    },
    {
        "type": "metrics",
        "t": 30,
        "host": {"load1": 1.0},
        "service": {},
        "processes": [{"pid": 8, "role": "worker"}],
    },
    {
        "type": "log_block",
        "source": 0,
        "t": 30,
        "since": 20,
        "what": "data",
        "generation": 0,
        "offset": 0,
        "data": _BLOCK,
    },
    {"type": "log_source", **_SOURCE, "source": 1},
    {"type": "log", "message": "m"},
    {"type": "clock", "by_s": 3600.0},
    {"type": "error", "code": "gone", "message": "m", "hint": "h", "all": [_ARBITER], "fatal": True},
    {"type": "pong", "t0": 1, "t": 2},
]

_TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "../../evil",
            "/tmp/evil",
            "wall-000001.raw.gz",
            "wall-000001.raw.gz\n",
            "\x1b[2J",
            "\ud800",
            "data",
            "wall",
            "x" * 5000,
        ]
    ),
)
_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.sampled_from([0, 1, -1, 2**53, 2**63 - 1, 1e300]),
        _TEXTS,
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def twisted(draw: st.DrawFn, message: dict[str, Any]) -> dict[str, Any]:
    """The message with some of its values, at any depth, replaced by others, missing, or more."""
    made: dict[str, Any] = json.loads(json.dumps(message))
    for _ in range(draw(st.integers(1, 3))):
        place: dict[str, Any] = made
        while True:
            key = draw(st.sampled_from(sorted(place))) if place else "new"
            inner = place.get(key)
            if isinstance(inner, list) and inner and isinstance(inner[0], dict) and draw(st.booleans()):
                inner = inner[0]
            if isinstance(inner, dict) and inner and draw(st.booleans()):
                place = inner
                continue
            break
        if key == "type" and place is made:
            continue
        if draw(st.booleans()):
            place[key] = draw(_VALUES)
        else:
            place.pop(key, None)
    return made


def _line(message: Any) -> bytes:
    return json.dumps(message).encode("utf-8", "surrogatepass")


LINES = st.one_of(
    st.sampled_from(UNASKED).flatmap(twisted).map(_line),
    st.sampled_from(UNASKED).map(_line),
    st.dictionaries(_TEXTS, _VALUES, max_size=4).map(_line),
    st.binary(max_size=60),
    st.sampled_from(
        [b"[" * 5000, b'{"type":' + b"[" * 5000, b'{"type":"log","message":' + b"9" * 5000 + b"}", b"{"]
    ),
)
"""What it says without being asked."""


class LyingProcess:
    """A `RemoteProcess`: before each answer come `lies`, one batch after another."""

    def __init__(self, answers: dict[str, dict[str, Any]], lies: list[list[bytes]]) -> None:
        self._answers, self._lies = answers, list(lies)
        self._lines: queue.Queue[tuple[str, bytes] | None] = queue.Queue()

    def write(self, data: bytes) -> None:
        for line in data.splitlines():
            asked = json.loads(line)
            if asked["op"] == "ping":
                self._say({"type": "pong", "t0": asked["t0"], "t": time.time_ns()})
                continue
            if asked["op"] == "ack":
                continue
            if asked["op"] != "hello" and self._lies:  # before it, everything is somebody's shell profile
                for lie in self._lies.pop(0):
                    self._lines.put(("stdout", lie))
            if asked["op"] in self._answers:
                self._say(self._answers[asked["op"]])
            if asked["op"] == "bye":
                self._lines.put(None)

    def close_input(self) -> None:
        self._lines.put(None)

    def lines(self) -> Iterator[tuple[str, bytes]]:
        while (line := self._lines.get()) is not None:
            yield line

    def wait(self, timeout_s: float) -> int | None:
        return 0

    def kill(self) -> None:
        self._lines.put(None)

    def _say(self, message: dict[str, Any]) -> None:
        self._lines.put(("stdout", _line(message)))


class LyingTransport:
    """A `Transport` with one process on it."""

    address = "ssh://liar"

    def __init__(self, process: LyingProcess) -> None:
        self._process = process
        self.ran: list[list[str]] = []

    def start(self, argv: Sequence[str]) -> LyingProcess:
        return self._process

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Completed:
        self.ran.append(list(argv))
        return Completed(tuple(argv), 0, b"", b"")

    def put(self, data: bytes, path: str, mode: int) -> None:
        raise AssertionError("nothing is put here")

    def exists(self, path: str) -> bool:
        return False

    def close(self) -> None:
        pass
