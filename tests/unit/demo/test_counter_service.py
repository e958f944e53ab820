"""The parts of the bundled service that need no server. It is no package of ours: it is found by its path."""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = Path(__file__).resolve().parents[3] / "demo"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DEMO))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder goes into the wheel as it lies there
    return lambda name: importlib.import_module(f"counter_service.{name}")


@pytest.fixture
def database(part: Any, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "counters.sqlite"
    part("database").prepare(path)
    database = part("database").Database(path)
    yield database
    database.close()


def test_the_printing_queue_fails_for_exactly_two_in_a_hundred(
    part: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part("printing"), "ANSWER_WITHIN_S", 0.005)
    failed = []
    for job in range(1, 101):
        try:
            part("printing").PrintingQueue(database).publish("ready")
        except BrokenPipeError as error:
            failed.append((job, type(error.__context__)))
    assert failed == [(10, TimeoutError), (60, TimeoutError)]


def test_a_database_is_seeded_once(part: Any, database: Any) -> None:
    counted = (
        "SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM appointments) AS appointments"
    )
    before = database.rows(counted)
    part("database").prepare(database.path)
    assert database.rows(counted) == before
    assert before[0]["users"] == 200


def test_changes_are_kept_short(database: Any) -> None:
    for number in range(1500):
        database.change("INSERT INTO changes (appointment, change) VALUES (?, 'created')", number)
    assert database.rows("SELECT count(*) AS kept FROM changes")[0]["kept"] <= 1100


def test_a_listener_misses_nothing_after_it_was_added(part: Any, database: Any) -> None:
    feed = part("changes").ChangeFeed(database)
    database.change(
        "INSERT INTO appointments (citizen, service, day, slot) VALUES ('before', 'x', '2031-01-01', '1')"
    )
    heard: list[dict[str, Any]] = []
    feed.add(heard.append)
    made = database.change(
        "INSERT INTO appointments (citizen, service, day, slot) VALUES ('a', 'x', '2031-01-01', '1')"
    )
    database.change("DELETE FROM appointments WHERE id = ?", made.lastrowid)
    deadline = time.monotonic() + 5
    while len(heard) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    feed.remove(heard.append)
    assert [(event["appointment"], event["change"]) for event in heard] == [
        (made.lastrowid, "created"),
        (made.lastrowid, "deleted"),
    ]


def test_a_listener_whose_client_has_gone_is_dropped_and_the_others_go_on(part: Any, database: Any) -> None:
    feed = part("changes").ChangeFeed(database)
    heard: list[dict[str, Any]] = []
    calls: list[object] = []

    def gone(message: object) -> None:
        calls.append(message)
        raise ConnectionResetError

    feed.add(gone)
    feed.add(heard.append)
    for _ in range(2):
        database.change(
            "INSERT INTO appointments (citizen, service, day, slot) VALUES ('a', 'x', '2031-01-01', '1')"
        )
    deadline = time.monotonic() + 5
    while len(heard) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    feed.remove(heard.append)
    assert (len(heard), len(calls)) == (2, 1)


def test_the_hot_spot_costs_the_same_however_many_appointments_there_are(part: Any) -> None:
    counters = [{"id": number, "skill": number % 5} for number in range(1, 4)]
    services = [{"id": number, "minutes": 10 * number} for number in range(1, 4)]
    slots = ("08:00", "08:05")
    empty = part("scheduling").score_slots(slots, counters, services, {})
    full = part("scheduling").score_slots(slots, counters, services, {"08:00": 5})
    assert [row["free"] for row in empty] == [3, 3]
    assert [row["free"] for row in full] == [0, 3]
    assert full[0]["score"] < empty[0]["score"]
    assert full[1] == empty[1]


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2:3", True), ("", False), ('a"b', False), ("a b", False), ("x" * 129, False)]
)
def test_a_request_id_that_would_spoil_a_log_line_is_replaced(part: Any, given: str, kept: bool) -> None:
    seen: list[Any] = []
    environ = {"HTTP_X_REQUEST_ID": given}
    wrapped = part("request_ids").with_request_ids(
        lambda _environ, start: start("200 OK", [("A", "b")]) or []
    )
    wrapped(environ, lambda *answer: seen.append(answer))
    (name, value) = seen[0][1][-1]
    assert name == "X-Request-ID"
    assert (value == given) is kept
    assert value
    assert environ["counter_service.request_id"] == value
