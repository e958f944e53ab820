"""Websockets and Socket.IO: replies, pushes that nobody asked for, and answers that never come."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.engines.conftest import Played
    from tests.logged_service import LoggedService

pytestmark = pytest.mark.needs_artillery


@pytest.fixture(scope="module")
def played(play: Callable[..., Played], service: LoggedService) -> Played:
    return play(Path(__file__).parent / "sockets.yml", service.url)


def _outcomes(played: Played, scenario: str) -> dict[str, set[tuple[int | None, str | None]]]:
    found: dict[str, set[tuple[int | None, str | None]]] = {}
    for row in played.rows:
        if row["scenario"] == scenario:
            found.setdefault(row["name"], set()).add((row["status"], row["error"]))
    return found


def _seconds(played: Played, name: str, error: str | None) -> list[float]:
    return [(row["end_ns"] - row["start_ns"]) / 1e9 for row in played.named(name) if row["error"] == error]


def test_nothing_hangs_and_no_worker_dies(played: Played) -> None:
    assert played.exit_code == 0, played.console[-2000:]
    assert played.ending.outcome == "passed"
    assert played.took_s < 20
    users = [event for event in played.events if event["kind"] == "users"][-1]
    assert sum(users["created"].values()) == 160
    assert users["completed"] + users["failed"] == 160


def test_pushes_after_a_reply_end_nobody(played: Played) -> None:
    assert _outcomes(played, "pushes") == {
        "CONNECT /ws": {(0, None)},
        "echo": {(0, None)},
        "SEND /ws": {(0, None)},
        "WAIT /ws": {(0, None)},
        "leave": {(None, "connection closed")},
    }


def test_a_reply_that_never_comes_ends_at_the_timeout(played: Played) -> None:
    assert _outcomes(played, "mute") == {"CONNECT /mute": {(0, None)}, "unheard": {(None, "no response")}}
    assert all(1.95 < took < 2.6 for took in _seconds(played, "unheard", "no response"))


def test_connections_that_fail(played: Played) -> None:
    assert _outcomes(played, "nobody") == {"CONNECT /ws": {(None, "ECONNREFUSED")}}
    assert _outcomes(played, "not a socket") == {
        "CONNECT /items/1": {(None, "Unexpected server response: 400")}
    }
    assert {row["url"] for row in played.rows if row["scenario"] == "nobody"} == {
        "ws://127.0.0.1:9/ws?token="
    }


def test_a_missing_function_ends_its_user(played: Played) -> None:
    assert _outcomes(played, "no function") == {"CONNECT /ws": {(0, None)}}
    users = [event for event in played.events if event["kind"] == "users"][-1]
    assert users["errors"]['Undefined function "nosuch"'] == users["created"]["no function"]


def test_an_acknowledgement_that_never_comes(played: Played) -> None:
    assert _outcomes(played, "silence") == {
        "CONNECT /": {(0, None)},
        "EMIT join": {(0, None)},
        "GET /items/io": {(200, None)},
        "EMIT nobody listens": {(None, "no acknowledgement")},
    }
    assert all(1.95 < took < 2.6 for took in _seconds(played, "EMIT nobody listens", "no acknowledgement"))


def test_a_response_without_data_is_timed_by_its_coming(played: Played) -> None:
    """Artillery reports the whole timeout (2 s here) for it; the service takes 50 ms."""
    says = _seconds(played, "EMIT say", None)
    assert len(says) == 2 * len({row["user"] for row in played.rows if row["scenario"] == "response"})
    assert all(0.04 < took < 1 for took in says)
    assert _outcomes(played, "response")["EMIT whisper"] == {(None, "no response")}


def test_a_wrong_answer_is_an_answer(played: Played) -> None:
    """As over HTTP: answered, with its time and size, and a failed check."""
    wrong = {
        "wrong reply": ("misheard", "Failed capture or match"),
        "wrong acknowledgement": ("EMIT join", "Failed match"),
        "wrong response": ("EMIT say", "Failed match"),
        "other response": ("EMIT say", "data is not valid"),
    }
    for scenario, (name, error) in wrong.items():
        assert _outcomes(played, scenario)[name] == {(0, error)}, scenario
        for row in played.rows:
            if row["scenario"] == scenario and row["name"] == name:
                assert row["start_ns"] < row["first_byte_ns"] == row["end_ns"] < row["start_ns"] + 1e9
                assert row["bytes_in"] > 10


def test_messages_without_a_reply_are_counted_and_not_recorded(played: Played) -> None:
    users = [event for event in played.events if event["kind"] == "users"][-1]
    created = Counter(users["created"])
    assert users["unanswered"] == {"ws": created["pushes"], "socketio": created["silence"]}


def test_sizes_and_ids(played: Played) -> None:
    for row in played.named("echo"):
        assert row["bytes_in"] >= row["bytes_out"] > 40
        assert (row["protocol"], row["method"], row["request_id"]) == ("ws", "SEND", None)
    assert all(row["request_id"] for row in played.rows if row["method"] == "CONNECT")
    assert {row["bytes_in"] for row in played.named("EMIT say") if row["error"] is None} == {
        len('[{"heard":"x"}]')
    }
    assert {row["bytes_in"] for row in played.named("EMIT join")} == {len('[{"ok":true}]')}


def test_handshakes_carry_the_recorded_id(played: Played, service: LoggedService) -> None:
    asked = {row["id"] for row in service.requests() if row["path"] in {"/ws", "/mute"}}
    recorded = {
        row["request_id"]
        for row in played.rows
        if row["method"] == "CONNECT" and row["protocol"] == "ws" and row["status"] == 0
    }
    assert recorded == asked
