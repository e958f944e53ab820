"""Somebody's own file, with processor, payload, hooks and plugins, against a service that keeps its own log."""

from __future__ import annotations

import itertools
import json
import re
import statistics
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from toolkit.engines.base import LoadJob
from toolkit.engines.registry import engine
from toolkit.recording.records import ANSWERED_FIELDS, LOAD_EVENT_KINDS, REQUEST_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.engines.conftest import Played
    from tests.logged_service import LoggedService

pytestmark = pytest.mark.needs_artillery

OWN = Path(__file__).parent / "own"
SCENARIO = 'ow"n\nfile'


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in OWN.iterdir()}


@pytest.fixture(scope="module")
def played(play: Callable[..., Played], service: LoggedService, files: dict[str, bytes]) -> Played:
    return play(OWN / "own.yml", service.url)


def test_the_file_is_right_and_stays_as_it_was(played: Played, files: dict[str, bytes]) -> None:
    assert engine("artillery").check(LoadJob("own", OWN / "own.yml", "")) == []
    assert {path.name: path.read_bytes() for path in OWN.iterdir()} == files
    assert len(played.rows) > 60


def test_the_records_equal_the_services_log_request_for_request(
    played: Played, service: LoggedService
) -> None:
    sent = Counter(
        (row["method"], urlsplit(row["url"]).path, row["request_id"])
        for row in played.rows
        if row["error"] not in {"ECONNREFUSED", "Invalid URL - nowhere"}
    )
    seen = Counter((row["method"], _encoded(row["path"]), row["id"]) for row in service.requests())
    assert sent == seen
    assert all(row["id"] for row in service.requests())


def test_a_record_has_every_field_and_times_in_order(played: Played) -> None:
    for row in played.rows:
        assert list(row) == [*REQUEST_FIELDS, *(ANSWERED_FIELDS if row["name"] == "broken" else ())]
        assert row["intended_ns"] <= row["start_ns"] <= row["end_ns"], row
        assert row["first_byte_ns"] is None or row["start_ns"] <= row["first_byte_ns"] <= row["end_ns"]
    for name in ("broken", "stream", "moved"):
        assert all(row["first_byte_ns"] for row in played.named(name))


def test_times_are_the_clocks(played: Played, service: LoggedService) -> None:
    """Both sides read the same clock: the service's time lies between a request's start and its end."""
    at = {row["id"]: row["t_ns"] for row in service.requests() if row["path"] != "/items/new"}
    for row in played.rows:
        if row["status"] == 200 and row["name"] not in {"moved", "mine"}:  # ids that several requests share
            assert row["start_ns"] - 2e6 < at[row["request_id"]] < row["end_ns"] + 2e6


def test_a_users_first_request_was_meant_when_the_schedule_says(played: Played) -> None:
    first = {
        row["user"]: row["intended_ns"]
        for row in reversed(played.rows)
        if row["phase"] == "warm" and row["name"] in {"log in", "reset", "timeout", "refused", "no url"}
    }
    apart = [(b - a) / 1e6 for a, b in itertools.pairwise(sorted(first.values()))]
    assert len(first) >= 15  # the sixteenth comes with the end of its phase
    assert 61 < statistics.median(apart) < 64
    assert all(45 < gap < 80 for gap in apart), apart  # a busy machine comes late to what it has planned well


def test_phases_have_names_or_numbers(played: Played) -> None:
    assert {row["phase"] for row in played.rows} == {"before", "warm", "2"}
    assert [row["name"] for row in played.rows if row["phase"] == "before"] == ["GET /items/before"]


def test_names_are_the_files_or_the_path_as_the_file_spells_it(played: Played) -> None:
    own = {row["name"] for row in played.rows if row["scenario"] == SCENARIO}
    assert own == {
        *(
            "log in",
            "GET /items/{{ $loopCount }}",
            "moved",
            "broken",
            "stream",
            "mine",
            'na"me\na"b<c>',
            "wrong",
        ),
    }


def test_no_secret_of_a_url_is_recorded(played: Played) -> None:
    text = str(played.rows)
    assert "hunter2" not in text
    assert any(row["url"].endswith("/login?secret=") for row in played.named("log in"))
    assert played.named("refused")[0]["url"] == "http://127.0.0.1:9/gone?secret="


def test_statuses_and_errors(played: Played) -> None:
    def outcomes(name: str) -> set[tuple[int | None, str | None]]:
        return {(row["status"], row["error"]) for row in played.named(name)}

    assert outcomes("broken") == {(500, "Failed expectations: statusCode")}
    assert outcomes("wrong") == {(200, "Failed capture or match")}
    assert outcomes("moved") == {(302, None), (200, None)}
    assert outcomes("log in") == {(200, None)}
    assert outcomes("timeout") == {(None, "ETIMEDOUT")}
    assert outcomes("refused") == {(None, "ECONNREFUSED")}
    assert outcomes("reset") == {(None, "ECONNRESET")}
    assert outcomes("no url") == {(None, "Invalid URL - nowhere")}
    assert played.named("never reached") == []


def test_a_timeout_lasts_as_long_as_it_did(played: Played) -> None:
    for row in played.named("timeout"):
        assert 1.95 < (row["end_ns"] - row["start_ns"]) / 1e9 < 2.6


def test_an_id_of_the_user_is_kept_and_others_are_uuids(played: Played) -> None:
    assert {row["request_id"] for row in played.named("mine")} == {'mine-"ann"', 'mine-"bob"'}
    for row in played.named("stream"):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", row["request_id"])
    by_user: dict[str, set[str]] = {}
    for row in played.named("moved"):
        by_user.setdefault(row["user"], set()).add(row["request_id"])
    assert all(len(ids) == 1 for ids in by_user.values()), "a redirect keeps its id"


def test_an_id_that_the_server_gave_is_kept_too(played: Played) -> None:
    rows = played.named("broken")
    assert rows
    assert all(row["answered_id"] == f"said-{row['request_id']}" for row in rows)


def test_bodies_are_counted(played: Played, service: LoggedService) -> None:
    assert {row["bytes_in"] for row in played.named("stream")} == {5}
    sizes = {row["id"]: row["bytes"] for row in service.requests() if row["method"] == "POST"}
    for row in played.named("log in"):
        assert row["bytes_out"] == sizes[row["request_id"]] > 0


def test_users_and_phases_are_told(played: Played) -> None:
    assert {event["kind"] for event in played.events} <= set(LOAD_EVENT_KINDS)


def test_the_last_user_has_left_long_before_artillery_sees_it(played: Played) -> None:
    (left,) = [event["t_ns"] for event in played.events if event["kind"] == "users_left"]
    (done,) = [event["t_ns"] for event in played.events if event["kind"] == "done"]
    ends = [row["end_ns"] for row in played.rows if row["phase"] not in {"before", "after"}]
    assert max(ends) <= left < done
    assert left - max(ends) < 1e9
    assert engine("artillery").users_left(played.folder)
    phases = [
        (event["kind"], event["phase"], event["duration_s"])
        for event in played.events
        if event["kind"].startswith("phase_")
    ]
    assert phases == [
        *(("phase_started", "warm", 1), ("phase_ended", "warm", 1)),
        *(("phase_started", "2", 1), ("phase_ended", "2", 1)),
    ]
    users: dict[str, Any] = [event for event in played.events if event["kind"] == "users"][-1]
    created = users["created"]
    assert set(created) == {SCENARIO, "failing"}
    assert sum(created.values()) == 30
    assert users["failed"] == 30
    assert users["completed"] == 0
    assert users["errors"]["Failed capture or match"] == created[SCENARIO]


def test_artillerys_own_report_counts_each_endpoint_by_its_own_name(played: Played) -> None:
    aggregate = json.loads((played.folder.path / "artillery.json").read_text())["aggregate"]
    prefix = "plugins.metrics-by-endpoint."
    counted = {
        name.removeprefix(prefix): count
        for name, count in aggregate["counters"].items()
        if name.startswith(prefix) and ".codes." in name
    }
    users = len(played.named("stream"))
    assert counted == {
        **dict.fromkeys(
            (
                "/login (log in).codes.200",
                "/moved (moved).codes.200",
                "/broken (broken).codes.500",
                "/stream (stream).codes.200",
                "/items/mine (mine).codes.200",
                '/items/{{ hostile }} (na"me\n{{ hostile }}).codes.200',
                "/items/x (wrong).codes.200",
            ),
            users,
        ),
        "/items/{{ $loopCount }}.codes.200": 2 * users,
    }


def test_a_missing_plugin_is_noted_and_a_failed_expectation_ends_it(played: Played) -> None:
    assert any("nosuch" in event["message"] for event in played.events if event["kind"] == "note")
    assert played.exit_code == 21
    assert played.ending.outcome == "check-failed"
    assert played.live_requests == len(played.rows)


def _encoded(path: str) -> str:
    return path.replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
