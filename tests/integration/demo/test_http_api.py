"""Each call of the service's API, as a clerk's client makes it."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from toolkit.demo.service import DemoState

    Until = Callable[[Callable[[], object]], None]

DAY = "2031-05-06"
APPOINTMENT = {"citizen": "Ada Lovelace", "service": "Passport", "day": DAY, "slot": "08:15"}
PROTECTED = [
    ("GET", "/api/counters"),
    ("GET", "/api/services"),
    ("GET", "/api/appointments"),
    ("POST", "/api/appointments"),
    ("DELETE", "/api/appointments/1"),
    ("GET", "/api/availability"),
    ("GET", "/api/notices"),
]


@pytest.mark.parametrize("user", ["csr1", "csr200"])
def test_demo_users_log_in(anybody: httpx.Client, user: str) -> None:
    answer = anybody.post("/api/login", json={"user": user, "password": "demo"})
    assert answer.status_code == 200
    assert answer.json().keys() == {"token"}


@pytest.mark.parametrize(
    "body",
    [
        {"user": "csr1", "password": "wrong"},
        {"user": "csr201", "password": "demo"},
        {},
        [],
        {"user": 1, "password": None},
    ],
)
def test_others_do_not(anybody: httpx.Client, body: object) -> None:
    assert anybody.post("/api/login", json=body).status_code == 401


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_nothing_is_told_without_a_valid_token(anybody: httpx.Client, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic Y3NyMTpkZW1v"}):
        assert anybody.request(method, path, headers=headers).status_code == 401


def test_a_token_is_good_at_every_worker(demo: DemoState, clerk: httpx.Client) -> None:
    headers = {**clerk.headers, "Connection": "close"}  # a new connection each time
    assert {clerk.get("/api/services", headers=headers).status_code for _ in range(24)} == {200}


@pytest.mark.parametrize("path", ["/api/counters", "/api/services"])
def test_lists(clerk: httpx.Client, path: str) -> None:
    rows = clerk.get(path).json()
    assert len(rows) > 10
    assert all({"id", "name"} <= row.keys() for row in rows)


def test_there_are_appointments_from_the_start(clerk: httpx.Client) -> None:
    rows = clerk.get("/api/appointments").json()
    assert len(rows) > 5
    assert rows[0].keys() == {"id", "citizen", "service", "day", "slot"}


def test_an_appointment_is_made_seen_and_deleted(clerk: httpx.Client) -> None:
    made = clerk.post("/api/appointments", json=APPOINTMENT)
    assert made.status_code == 201
    number = made.json()["id"]
    assert {"id": number, **APPOINTMENT} in clerk.get("/api/appointments", params={"day": DAY}).json()
    deleted = clerk.delete(f"/api/appointments/{number}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert number not in [row["id"] for row in clerk.get("/api/appointments", params={"day": DAY}).json()]
    assert clerk.delete(f"/api/appointments/{number}").status_code == 404


@pytest.mark.parametrize(
    "change", [{"day": "tomorrow"}, {"citizen": ""}, {"citizen": "x" * 201}, {"slot": None}, {"service": [1]}]
)
def test_a_bad_appointment_is_refused_and_says_which_field(
    clerk: httpx.Client, change: dict[str, Any]
) -> None:
    answer = clerk.post("/api/appointments", json={**APPOINTMENT, **change})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(next(iter(change)))


def test_a_body_that_is_no_object_is_refused(clerk: httpx.Client) -> None:
    assert (
        clerk.post("/api/appointments", content="{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )


def test_availability_counts_what_is_taken(clerk: httpx.Client) -> None:
    def free() -> dict[str, int]:
        answer = clerk.get("/api/availability", params={"day": DAY})
        assert answer.status_code == 200
        return {row["slot"]: row["free"] for row in answer.json()["slots"]}

    before = free()
    number = clerk.post("/api/appointments", json=APPOINTMENT).json()["id"]
    assert free() == {**before, "08:15": before["08:15"] - 1}
    clerk.delete(f"/api/appointments/{number}")
    assert clerk.get("/api/availability", params={"day": "never"}).status_code == 400


def test_healthz_needs_no_login(anybody: httpx.Client) -> None:
    answer = anybody.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


def test_a_request_id_comes_back_and_stands_in_the_access_log(
    demo: DemoState, clerk: httpx.Client, until: Until
) -> None:
    wanted = str(uuid.uuid4())
    answer = clerk.get("/api/services", params={"q": 'a"b\\c'}, headers={"X-Request-ID": wanted})
    assert answer.headers["X-Request-ID"] == wanted
    until(lambda: wanted in demo.access_log.read_text())
    entries = [json.loads(line) for line in demo.access_log.read_text().splitlines()]
    (entry,) = [entry for entry in entries if entry["request_id"] == wanted]
    assert (entry["method"], entry["status"], entry["bytes"]) == ("GET", 200, len(answer.content))
    assert entry["path"].startswith("/api/services?q=a")
    assert 0 < entry["duration_us"] < 5_000_000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", entry["time"])


def test_a_request_without_an_id_gets_one(anybody: httpx.Client) -> None:
    assert len(anybody.get("/healthz").headers["X-Request-ID"]) == 32


def test_two_in_a_hundred_notices_fail_with_a_chained_traceback(
    demo: DemoState, clerk: httpx.Client, until: Until
) -> None:
    answers = {
        f"notice-{number}": clerk.get("/api/notices", headers={"X-Request-ID": f"notice-{number}"})
        for number in range(100)
    }
    assert {answer.status_code for answer in answers.values()} == {200, 500}
    failed = [request_id for request_id, answer in answers.items() if answer.status_code == 500]
    assert len(failed) == 2
    for request_id in failed:
        assert re.match(
            r"Traceback .*\nTimeoutError: timed out\n\nDuring handling .*printing\.py.*\nBrokenPipeError: \[Errno 32\]",
            _traceback(demo, request_id, until),
            re.DOTALL,
        )


def _traceback(demo: DemoState, request_id: str, until: Until) -> str:
    """What the error log says after the line that names the request."""

    def told() -> str:
        return demo.error_log.read_text().partition(f"Exception on GET /api/notices, request {request_id}\n")[
            2
        ]

    until(lambda: "BrokenPipeError: [Errno 32]" in told())
    return told()


def test_a_game_is_played_to_its_end(anybody: httpx.Client) -> None:
    game = anybody.post("/api/games").json()
    moves = f"/api/games/{game['game']}/moves"
    assert anybody.post(moves, json={"column": "3"}).status_code == 400
    assert anybody.post("/api/games/none/moves", json={"column": 3}).status_code == 404
    column = 0
    while game["outcome"] is None:
        answer = anybody.post(moves, json={"column": column})
        if answer.status_code == 409:
            column = (column + 1) % 7
            continue
        assert answer.status_code == 201
        game = answer.json()
    assert game["outcome"] in {"client", "service", "draw"}
    assert anybody.post(moves, json={"column": 0}).status_code == 409
    assert anybody.get(f"/api/games/{game['game']}").json() == game
