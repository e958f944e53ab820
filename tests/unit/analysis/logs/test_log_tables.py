"""The tables log_events and log_sources, from whole, cut and hostile recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.run_folders import START_NS, request
from tests.unit.analysis.logs.recording import MS, Recording, access, iso

if TYPE_CHECKING:
    from pathlib import Path


def test_without_logs_the_tables_are_empty(recording: Recording) -> None:
    assert recording.ask("SELECT count(*) FROM log_events") == [(0,)]
    assert recording.ask("SELECT count(*) FROM log_sources") == [(0,)]


def test_a_row_an_event_and_a_row_a_log(recording: Recording) -> None:
    error = recording.logs.source("/var/log/shop/error.log")
    recording.logs.block(
        error, 1.0, "[2026-11-21 14:30:00 +0000] [701] [INFO] Booting worker with pid: 701\nplain\n"
    )
    recording.logs.source("/var/log/shop/secret.log", note="the user app may not read it")
    seen = recording.logs.source("/var/log/shop/access.log")
    recording.logs.block(seen, 1.0, access(iso(500), 2.5))

    rows = recording.ask(
        "SELECT server, source, file, position, bytes, kind, event, pid FROM log_events ORDER BY source, position"
    )
    assert rows == [
        ("app", 0, "/var/log/shop/error.log", 0, 70, "gunicorn", "booting", 701),
        ("app", 0, "/var/log/shop/error.log", 70, 6, "message", None, None),
        ("app", 2, "/var/log/shop/access.log", 0, 111, "access", None, None),
    ]
    assert recording.ask("SELECT url_path, duration_ms, status FROM log_events WHERE kind = 'access'") == [
        ("/x", 2.5, 200)
    ]
    assert recording.ask(
        "SELECT source, role, bytes, lines, generations, note FROM log_sources ORDER BY source"
    ) == [
        (0, "error", 76, 2, 1, None),
        (1, None, 0, 0, 1, "the user app may not read it"),
        (2, "access", 111, 1, 1, None),
    ]


def test_a_stamp_to_the_second_is_narrowed_by_the_reads(recording: Recording) -> None:
    error = recording.logs.source()
    line = "[2026-11-21 14:30:01 +0000] [701] [INFO] ready\n"
    recording.logs.block(error, 0.9, "begin\n")
    recording.logs.block(error, 1.25, line)
    recording.logs.block(error, 1.5, line)
    recording.logs.block(error, 2.25, line)

    assert recording.times("message = 'ready'") == [
        (1125, 1000, 1250),
        (1375, 1250, 1500),
        (1750, 1500, 2000),
    ]


def test_what_the_agent_had_not_seen_is_later(recording: Recording) -> None:
    error = recording.logs.source()
    recording.logs.block(error, 1.0, "one\n", since_s=0.75)
    recording.logs.block(error, 5.0, "two\n", since_s=4.75)
    recording.logs.block(error, 5.0, "three\n", since_s=4.75)

    assert [row[1:] for row in recording.times()] == [(750, 1000), (4750, 5000), (4750, 5000)]


def test_a_line_without_a_stamp_is_not_older_than_those_before_it(recording: Recording) -> None:
    error = recording.logs.source()
    recording.logs.block(error, 1.0, "2026-11-21 14:30:00,600 INFO one\ntwo\n")

    assert recording.times("text = 'two'") == [(875, 600, 1000)]


@pytest.mark.parametrize(
    "stamp", ["1999-01-01 00:00:00 +0000", "2026-11-22 14:30:00 +0000", "2026-11-21 14:30:09 +0000"]
)
def test_a_forged_stamp_is_ignored(recording: Recording, stamp: str) -> None:
    error = recording.logs.source()
    recording.logs.block(error, 1.0, f"[{stamp}] [701] [INFO] forged\n")

    assert recording.times() == [(875, 0, 1000)]


def test_a_line_that_was_buffered_is_as_old_as_it_says(recording: Recording) -> None:
    error = recording.logs.source()
    recording.logs.block(error, 1.0, "first\n")
    recording.logs.block(error, 9.0, "first\n")
    recording.logs.block(error, 9.25, f"{iso(2000.5)} INFO late\n")

    assert recording.times("message = 'late'") == [(2000.5005, 2000.5, 2000.501)]


def test_the_time_of_json_lines_is_found_to_be_the_start(recording: Recording) -> None:
    log = recording.logs.source()
    recording.logs.block(log, 1.0, access(iso(990), 1))
    recording.logs.block(log, 1.25, access(iso(800), 400))  # read long after it began: it ended at 1200
    recording.logs.block(log, 1.5, access(iso(1300), 100, "/asked"))

    assert recording.times("url_path = '/asked'") == [(1400.0005, 1400, 1400.001)]
    assert recording.ask("SELECT request_time_is FROM log_sources") == [("start",)]


def test_the_time_of_json_lines_is_found_to_be_the_end(recording: Recording) -> None:
    log = recording.logs.source()
    recording.logs.block(
        log, 1.25, access(iso(1200), 400)
    )  # could not have ended at 1600: it was read at 1250
    recording.logs.block(log, 1.5, access(iso(1400), 50, "/asked"))

    assert recording.times("url_path = '/asked'") == [(1400.0005, 1400, 1400.001)]
    assert recording.ask("SELECT request_time_is FROM log_sources") == [("end",)]


def test_where_it_cannot_be_found_both_are_covered(recording: Recording) -> None:
    log = recording.logs.source()
    recording.logs.block(log, 1.5, access(iso(1300), 100, "/asked"))

    assert recording.times("url_path = '/asked'") == [(1350.0005, 1300, 1400.001)]
    assert recording.ask("SELECT request_time_is FROM log_sources") == [("either",)]


@pytest.mark.parametrize(
    ("durations", "client_ms", "expected_ms"),
    [
        ([0.012, 0.015], 20.0, [12.0, 15.0]),
        ([12.5, 15.5], 20.0, [12.5, 15.5]),
        ([12500, 15500], 20.0, [12.5, 15.5]),
        ([0.25, 0.5], None, [250.0, 500.0]),
        ([12, 15], None, [12.0, 15.0]),
    ],
)
def test_a_duration_without_a_unit_fits_what_the_clients_saw(
    recording: Recording, durations: list[float], client_ms: float | None, expected_ms: list[float]
) -> None:
    if client_ms:
        recording.builder.load("http", [request(1, client_ms), request(2, client_ms)])
    log = recording.logs.source()
    for number, duration in enumerate(durations):
        said = {"ts": iso(1000 + number), "method": "GET", "path": "/x", "status": 200, "duration": duration}
        recording.logs.block(log, 2 + number, json.dumps(said) + "\n")

    assert [
        row[0] for row in recording.ask("SELECT duration_ms FROM log_events ORDER BY position")
    ] == expected_ms


def test_a_rotation_ends_a_line(recording: Recording) -> None:
    log = recording.logs.source()
    recording.logs.block(log, 1.0, "whole\nhalf")
    recording.logs.block(log, 1.25, " and half\nno en")
    recording.logs.rotated(log, 2.0)
    recording.logs.block(log, 2.25, "d\nnew\n")
    recording.logs.rotated(log, 3.0, "truncated")
    recording.logs.block(log, 3.25, "last")

    texts = recording.ask("SELECT text, position FROM log_events ORDER BY position")
    assert texts == [("whole", 0), ("half and half", 6), ("no en", 20), ("d", 25), ("new", 27), ("last", 31)]
    assert recording.times("text = 'half and half'") == [(1125, 0, 1250)]
    assert recording.ask("SELECT generations, bytes, lines FROM log_sources") == [(3, 35, 6)]


def test_endless_and_binary_lines(recording: Recording) -> None:
    log = recording.logs.source()
    for number in range(20):
        recording.logs.block(log, 1 + number / 10, b"\xff\x00" * 50_000)
    recording.logs.block(log, 4.0, b"\nafter\r\n\x1b[31mred\x1b[0m <b>\n")

    rows = recording.ask("SELECT bytes, text, message FROM log_events ORDER BY position")
    assert rows[0][0] == 2_000_001
    assert rows[0][1].startswith("\ufffd\x00")
    assert len(rows[0][1].encode()) <= 8192
    assert [row[1] for row in rows[1:]] == ["after", "\x1b[31mred\x1b[0m <b>"]
    assert rows[2][2] == "red <b>"


def test_hostile_sources_read_nothing_elsewhere(recording: Recording, tmp_path: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text("secret\n")
    for name in ("../../../../secret.log", str(secret), "..", "", "a\0b", None, 7, "link.log"):
        recording.logs.source(file=name)
    (recording.builder.run.server("app").logs / "link.log").symlink_to(secret)
    sources = recording.builder.run.server("app").log_sources
    listed = json.loads(sources.read_text())
    sources.write_text(
        json.dumps([*listed, 7, None, {"source": "x"}, {"source": True}, {"source": 0}, {"source": 10**20}])
    )
    with recording.builder.run.server("app").log_index.open("a") as index:
        index.write(
            '[]\n{"source": 0}\n{"source": [1], "t_ns": 1}\n{"source": 0, "t_ns": -1, "what": "data"}\n{"sou'
        )

    assert recording.ask("SELECT count(*) FROM log_events") == [(0,)]
    assert recording.ask("SELECT count(*) FROM log_sources") == [(8,)]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1}', "[" * 100_000])
def test_a_broken_list_of_sources_is_none(recording: Recording, text: str) -> None:
    recording.logs.source()
    recording.builder.run.server("app").log_sources.write_text(text)
    assert recording.ask("SELECT count(*) FROM log_sources") == [(0,)]


def test_index_lines_that_cannot_be(recording: Recording) -> None:
    log = recording.logs.source()
    recording.logs.block(log, 2.0, "one\n")
    recording.logs.block(log, 1.0, "two\n")  # a clock that was set back
    recording.logs.line(log, 3.0, "data", position=0, bytes=4)  # told twice
    recording.logs.line(log, 3.0, "data", position=10**12, bytes=4)
    recording.logs.line(log, 3.0, "data", position="x", bytes=None)
    recording.logs.line(log, 3.0, "news", position=[], bytes={})

    assert recording.ask("SELECT text FROM log_events ORDER BY position") == [("one",), ("two",)]
    assert all(low <= best <= high for best, low, high in recording.times())


def test_an_id_that_the_server_gave_by_itself_is_known_by_its_answer(recording: Recording) -> None:
    app = recording.logs.source("/var/log/shop/app.log", role="application")
    text = "".join(
        f"2026-11-21 14:30:00,000 ERROR shop request_id={name} failed\n"
        for name in ("srv-1", "srv-2", "req-9")
    )
    recording.logs.block(app, 1.0, text)
    recording.builder.load(
        "http",
        [
            request(0.1, request_id="r-1", answered_id="srv-1"),
            request(0.2, request_id="r-2", answered_id="srv-2"),
            request(0.3, request_id="r-3", answered_id="srv-2"),  # it says nothing of any of them
            request(0.4, request_id="req-9"),
            request(0.5, request_id="r-5", answered_id="req-9"),
        ],
    )
    assert recording.ask("SELECT request_id FROM log_events ORDER BY position") == [
        ("r-1",),
        ("srv-2",),
        ("req-9",),
    ]


def test_a_log_of_requests_in_a_format_of_its_own_is_an_access_log_whatever_it_is_called(
    recording: Recording,
) -> None:
    seen = recording.logs.source("/var/log/shop/requests.txt")
    recording.logs.block(seen, 1.0, '[30/Nov/2026:14:30:00 +0000] <711> "GET /cart HTTP/1.1" 200 15ms\n' * 3)
    assert recording.ask("SELECT role, lines FROM log_sources") == [("access", 3)]
    assert recording.ask("SELECT DISTINCT kind, url_path, status FROM log_events") == [
        ("access", "/cart", 200)
    ]


def test_a_few_lines_of_gunicorn_make_no_error_log(recording: Recording) -> None:
    app = recording.logs.source("/var/log/shop/app.log")
    own = "[2026-11-21 14:30:00 +0000] [701] [INFO] Booting worker with pid: 701\n"
    recording.logs.block(app, 1.0, own + "2026-11-21 14:30:00,000 INFO shop sold\n" * 9)
    assert recording.ask("SELECT role FROM log_sources") == [("application",)]


def test_journalds_stamp_is_later_than_what_it_stands_for(recording: Recording) -> None:
    stamped = {"t_us": (START_NS + 1_200 * MS) // 1000, "pid": 701, "priority": 3, "identifier": "gunicorn"}
    for kind, line in (
        ("journal", {**stamped, "message": "one"}),
        ("file", {"message": "one", "time": iso(1200)}),
    ):
        log = recording.logs.source("shop.service", kind=kind)
        recording.logs.block(log, 1.5, json.dumps(line) + "\n", since_s=1.0)

    journal, file = recording.times()
    assert 1200 - journal[1] == pytest.approx(50, abs=0.01), "a service may have printed it so long before"
    assert 1200 - file[1] == pytest.approx(0, abs=0.01)
    assert journal[2] == pytest.approx(1200, abs=0.01)
