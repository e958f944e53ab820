"""Whatever stands in a log: nothing raises, nothing grows, every time lies within its bounds."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.run_folders import RunFolderBuilder
from tests.server_logs import ServerLogs
from tests.unit.analysis.logs.reading import captured, read
from toolkit.analysis.logs.access_formats import compile_format
from toolkit.analysis.logs.events import EVENT_FIELDS
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

PIECES = [
    "Traceback (most recent call last):",
    "  + Exception Group Traceback (most recent call last):",
    '  File "/srv/shop/a.py", line 7, in f',
    "    go()",
    "    ^^^^",
    "  [Previous line repeated 9 more times]",
    "ValueError: x",
    "  | ValueError: x",
    "  +-+---------------- 1 ----------------",
    "    +------------------------------------",
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
    "",
    "  | ",
    "[2026-11-21 14:30:00 +0000] [701] [ERROR] Error handling request /x?y=z",
    "[2026-11-21 14:30:00 +0000] [700] [CRITICAL] WORKER TIMEOUT (pid:701)",
    "2026-11-21 16:30:00,123 - shop - ERROR - Traceback (most recent call last):",
    '127.0.0.1 - - [21/Nov/2026:14:30:00 +0000] "GET /x HTTP/1.1" 200 5 "-" "-" 0.250',
    '{"time": 1795271400.5, "method": "GET", "path": "/x", "status": 200, "duration": 1e308}',
    '{"message": "Traceback (most recent call last):\\n", "level": 40, "pid": -7, "status": 1e5}',
    '{"log": "ValueError: x\\n", "stream": "stderr", "time": "2026-11-21T14:30:00Z"}',
    "Nov 21 14:30:00 web gunicorn[702]: ValueError: x",
    "\x1b[31m\x00\ufffd<script>",
]
LINES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=80)), max_size=30)


@given(
    LINES,
    st.sampled_from(["file", "journal"]),
    st.sampled_from([None, "%(h)s %(r)s %(s)s", '{"%(U)s": %(s)s}']),
)
@settings(max_examples=300, deadline=None)
def test_no_line_raises_or_is_lost(lines: list[str], kind: str, form: str | None) -> None:
    text = "".join(line.replace("\n", " ").replace("\r", " ") + "\n" for line in lines)

    found = read(text, kind=kind, format=form)

    assert all(set(event) <= set(EVENT_FIELDS) for event in found)
    assert all(event["kind"] in ("access", "gunicorn", "traceback", "message") for event in found)
    kept = sum(event["bytes"] for event in found)
    assert kept <= len(text.encode("utf-8", "replace"))
    json.dumps(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "time",
        "timestamp",
        "start_time",
        "method",
        "path",
        "url",
        "request",
        "status",
        "status_code",
        "duration",
        "duration_ms",
        "request_id",
        "pid",
        "level",
        "logger",
        "message",
        "bytes",
        "client",
        "exc_info",
        "msec",
        "request_time",
        "http",
    ]
)


@given(st.lists(st.dictionaries(NAMES, JSON, max_size=8), max_size=4))
@settings(max_examples=100, deadline=None)
def test_no_value_of_a_json_line_raises(objects: list[dict[str, Any]]) -> None:
    found = read("".join(json.dumps(one) + "\n" for one in objects))
    assert sum(event["kind"] != "traceback" for event in found) <= len(objects)


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_format_raises(form: str, line: str) -> None:
    known = compile_format(form + "%(s)s %(U)s" + form)
    if known is not None:
        known.pattern.fullmatch(line)


BLOCKS = st.lists(
    st.tuples(
        st.floats(-100, 100_000, allow_nan=False),
        st.one_of(st.none(), st.floats(-100, 100_000, allow_nan=False)),
        st.one_of(
            st.binary(max_size=60), LINES.map(lambda lines: "\n".join(lines).encode("utf-8", "replace"))
        ),
        st.sampled_from(["data", "data", "data", "rotated", "truncated", "dropped", "limit", "gone"]),
    ),
    max_size=8,
)


@given(BLOCKS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_time_lies_within_its_bounds(blocks: Sequence[tuple[float, float | None, bytes, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        builder = RunFolderBuilder(Path(folder))
        builder.server("app", {})
        logs = ServerLogs(builder.run, "app")
        log = logs.source(kind="file")
        for at_s, since_s, data, what in blocks:
            if what == "data":
                logs.block(log, at_s, data, since_s=since_s)
            else:
                logs.line(log, at_s, what, bytes=7)
        with open_tables(builder.build()) as connection:
            wrong = connection.sql(
                "SELECT * FROM log_events WHERE NOT coalesce(t_low_ns <= t_ns AND t_ns <= t_high_ns, false)"
            )
            assert wrong.fetchall() == []


SLOW = [
    "127.0.0.1 - - [21/Nov/2026:14:30:00 +0000] " + '"' + "\\" * 30_000,
    "[" + "2026-11-21 14:30:00 +0000] [1] [INFO] " + "GET /" * 12_000,
    "a, " * 20_000 + '"] "',
    "ERROR " + "error exception failed " * 2_500,
    "request_id=" * 5_000,
    "/?" * 30_000,
    "0123456789abcdef-" * 3_000,
    '  File "' + '", line ' * 8_000,
    "A." * 30_000,
    "2026-11-21 14:30:00" + " - a" * 15_000,
    "{" * 60_000,
    '{"a":' * 10_000,
    "\x1b[" * 30_000,
    "Traceback (most recent call last):" * 1_800,
    "Listening at: " + "( " * 30_000,
    ' - "' * 15_000,
]


@pytest.mark.parametrize("number", range(len(SLOW)))
def test_no_line_takes_long(number: int) -> None:
    forms = "%(h)s %(l)s %(u)s %(t)s %(r)s %(s)s %(U)s %(a)s"
    began = time.process_time()
    read((SLOW[number] + "\n") * 5, format=forms)
    assert time.process_time() - began < 1.0


def test_a_large_log_is_read_in_seconds() -> None:
    """A tenth of 300,000 lines in a tenth of 5 s, with room for a busy machine."""
    line = '127.0.0.1 - - [21/Nov/2026:14:30:00 +0000] "GET /data/7?q=1 HTTP/1.1" 200 512 "-" "Artillery (https://artillery.io)"\n'
    text = (line * 80 + captured("gunicorn-27-sync.log")) * 115
    assert text.count("\n") > 30_000
    began = time.process_time()
    found = read(text)
    assert time.process_time() - began < 2.0
    assert sum(event["kind"] == "access" for event in found) == 80 * 115
