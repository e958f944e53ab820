"""gunicorn's own lines, of several releases, become events with the process they are about."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.unit.analysis.logs.reading import captured, one, read

STAMP = "[2026-11-21 14:30:00 +0000]"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[7] [INFO] Starting gunicorn 19.9.0", {"event": "starting", "pid": 7}),
        ("[7] [INFO] Listening at: http://127.0.0.1:8000 (7)", {"event": "listening", "pid": 7}),
        ("[9] [INFO] Listening at: unix:/run/shop.sock (7)", {"event": "listening", "pid": 7}),
        ("[8] [INFO] Booting worker with pid: 8", {"event": "booting", "pid": 8}),
        ("[7] [CRITICAL] WORKER TIMEOUT (pid:8)", {"event": "timeout", "pid": 8, "level": "CRITICAL"}),
        ("[8] [INFO] Worker exiting (pid: 8)", {"event": "exiting", "pid": 8}),
        (
            "[7] [ERROR] Worker (pid:8) was sent SIGKILL! Perhaps out of memory?",
            {"event": "killed", "pid": 8, "exit_signal": "SIGKILL"},
        ),
        (
            "[7] [INFO] Worker (pid:8) was sent SIGTERM!",
            {"event": "killed", "pid": 8, "exit_signal": "SIGTERM"},
        ),
        # 20.1
        (
            "[7] [WARNING] Worker with pid 8 was terminated due to signal 9",
            {"event": "killed", "pid": 8, "exit_signal": "SIGKILL"},
        ),
        # 21, of a status with a core dump
        ("[7] [ERROR] Worker (pid:8) was sent code 134!", {"event": "killed", "exit_signal": "SIGABRT"}),
        (
            "[7] [ERROR] Worker (pid:8) exited with code 3",
            {"event": "worker_exited", "pid": 8, "exit_code": 3},
        ),
        ("[7] [ERROR] Worker (pid:8) exited with code 255.", {"event": "worker_exited", "exit_code": 255}),
        ("[8] [INFO] Autorestarting worker after current request.", {"event": "max_requests", "pid": 8}),
        (
            "[8] [WARNING] Maximum request limit of 5 exceeded. Terminating process.",
            {"event": "max_requests", "pid": 8},
        ),
        ("[7] [INFO] Handling signal: hup", {"event": "hup", "pid": 7}),
        ("[7] [INFO] Handling signal: ttin", {"event": "ttin", "pid": 7}),
        ("[7] [INFO] Handling signal: usr2", {"event": "usr2", "pid": 7}),
        ("[7] [INFO] Hang up: Master", {"event": "reloading", "pid": 7}),
        ("[7] [ERROR] Reason: App failed to load.", {"event": "boot_failed", "pid": 7}),
        ("[7] [INFO] Shutting down: Master", {"event": "shutdown", "pid": 7}),
        (
            "[8] [WARNING] Invalid request from ip=10.0.0.9: Invalid HTTP request line: ''",
            {"event": "invalid_request", "client": "10.0.0.9", "pid": 8},
        ),
        (
            "[8] [ERROR] Error handling request /boom?token=secret",
            {"event": "request_failed", "url_path": "/boom", "message": "Error handling request /boom?…"},
        ),
        (
            "[8] [ERROR] Error handling request POST /boom",
            {"event": "request_failed", "method": "POST", "url_path": "/boom"},
        ),
        ("[8] [ERROR] Error handling request (no URI read)", {"event": "request_failed"}),
    ],
)
def test_a_line_is_an_event(line: str, expected: dict[str, Any]) -> None:
    found = one(f"{STAMP} {line}\n")

    assert found["kind"] == "gunicorn"
    assert {name: found.get(name) for name in expected} == expected


def test_a_whole_log_of_a_service_with_every_misfortune() -> None:
    found = read(captured("gunicorn-27-sync.log"), low_s=-1e7)

    events = Counter(event["event"] for event in found if event["kind"] == "gunicorn")
    assert events == {
        "starting": 1, "listening": 1, "using_worker": 1, "ready": 1, "booting": 9, "timeout": 1, "killed": 2,
        "max_requests": 2, "exiting": 8, "hup": 1, "reloading": 1, "ttin": 1, "ttou": 1, "term": 1, "shutdown": 1,
    }  # fmt: skip
    (timed_out,) = (event for event in found if event.get("event") == "timeout")
    killed = [event["pid"] for event in found if event.get("event") == "killed"]
    assert killed == [11024, timed_out["pid"]]


def test_a_worker_that_cannot_boot() -> None:
    found = read(captured("gunicorn-27-boot.log"), low_s=-1e7)

    failures = [(event["kind"], event["pid"]) for event in found if event.get("event") == "boot_failed"]
    assert failures == [("traceback", 11460), ("gunicorn", 11459)]
    (failed, _) = (event for event in found if event.get("event") == "boot_failed")
    assert (failed["exception"], failed["message"]) == ("RuntimeError", "no database")
    assert failed["place"] == "shop/broken.py:1 <module>"


def test_what_an_application_says_is_not_gunicorns_word() -> None:
    line = "[2026-11-21 14:30:00,123] ERROR in app: WORKER TIMEOUT (pid:8)\n"
    assert one(line)["kind"] == "message"
    assert one("WORKER TIMEOUT (pid:8)\n")["kind"] == "message"
    assert one(f"{STAMP} [8] [INFO] user said: WORKER TIMEOUT (pid:9)\n")["kind"] == "message"


def test_gunicorns_logger_in_another_format() -> None:
    line = (
        '{"asctime": "2026-11-21 14:30:00,5", "name": "gunicorn.error", "levelname": "CRITICAL", '
        '"message": "WORKER TIMEOUT (pid:8)"}\n'
    )
    found = one(line)
    assert (found["kind"], found["event"], found["pid"]) == ("gunicorn", "timeout", 8)
    found = one("2026-11-21 14:30:00,123 - gunicorn.error - INFO - Handling signal: ttou\n")
    assert (found["kind"], found["event"]) == ("gunicorn", "ttou")
    found = one("2026-11-21 14:30:00,123 CRITICAL WORKER TIMEOUT (pid:8)\n", role="error")
    assert (found["kind"], found["event"], found["pid"]) == ("gunicorn", "timeout", 8)


def test_a_line_with_an_old_stamp_is_somebodys_text() -> None:
    """An exception's message may hold what its client sent, with newlines."""
    text = (
        "[2026-11-21 14:30:00 +0000] [701] [ERROR] Error handling request /find\n"
        "Traceback (most recent call last):\n"
        '  File "/srv/shop/views.py", line 3, in find\n    raise ValueError(query)\n'
        "ValueError: no such customer\n"
        "[2026-11-21 14:17:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:701)\n"
    )
    assert not [event for event in read(text, role="error") if event.get("event") == "timeout"]
    true = "[2026-11-21 14:30:00 +0000] [700] [CRITICAL] WORKER TIMEOUT (pid:701)\n"
    assert one(true, role="error")["event"] == "timeout"
