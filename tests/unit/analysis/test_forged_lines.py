"""Lines of gunicorn's own error log that a client wrote, through a message with line breaks."""

from __future__ import annotations

import json

import pytest

from tests.server_metrics import at
from tests.worker_lives import ARBITER, KILLED, A, B, C, Service, stamp_of

TIMEOUT = f"WORKER TIMEOUT (pid:{A})"
QUOTING = 'Traceback (most recent call last):\n  File "app.py", line 1, in do\n    raise ValueError(name)\nValueError: x\n'


def quoted(service: Service, second: float, writer: int, message: str) -> None:
    """A traceback whose message goes on with a line that looks like gunicorn's."""
    service.say(second, "Error handling request /x", pid=B, level="ERROR")
    line = f"[{stamp_of(second)}] [{writer}] [CRITICAL] {message}\n"
    service.logs.block(service.log, second + 0.1, QUOTING + line)


def test_a_line_that_only_the_arbiter_writes_is_not_believed_of_a_worker(service: Service) -> None:
    service.measure()
    quoted(service, 19.9, B, TIMEOUT)
    service.say(20, KILLED % A, level="ERROR")
    service.died(A, 20.5)

    assert service.causes()[A][0] == "killed"


def test_a_line_that_only_a_worker_writes_is_not_believed_of_another(service: Service) -> None:
    service.say(10, f"Worker exiting (pid: {B})", pid=B)
    service.died(B, 10.5)
    service.born(C, 10.6)
    quoted(service, 19.9, C, f"Worker exiting (pid: {A})")
    service.died(A, 20.5)

    assert service.causes()[A] == ("killed", "likely")


def test_a_timeout_beside_other_text_stays_one_however_soon_the_worker_died(service: Service) -> None:
    """Where two workers hang at once, the end of the first wakes the arbiter, which kills the second at once."""
    service.measure()
    quoted(service, 20.1, ARBITER, TIMEOUT)
    service.died(A, 20.3, {"signal": 9})

    assert service.causes()[A] == ("timeout", "likely")


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_a_line_that_was_read_with_a_traceback_is_never_certain(service: Service, seconds: float) -> None:
    service.measure()
    quoted(service, 19.9, ARBITER, TIMEOUT)
    if seconds:
        service.say(20 + seconds, "Worker exiting (pid: 1)", pid=1)
    service.died(A, 20.5)

    death = service.death(A)
    assert (death["cause"], death["certainty"]) == ("timeout", "likely")
    assert "which may be a part of that" in death["evidence"]
    assert "as a line says that a client may have forged" in death["cause_words"]


def test_a_line_that_was_written_by_itself_is_certain_whatever_was_logged_before(service: Service) -> None:
    service.measure()
    quoted(service, 10, ARBITER, "nothing of gunicorn's")
    service.say(15, "Booting worker with pid: 1", pid=1)
    service.say(19.9, TIMEOUT, level="CRITICAL")
    service.died(A, 20.5)

    assert service.causes()[A] == ("timeout", "certain")


def test_what_the_kernel_says_too_is_certain_beside_any_text(service: Service) -> None:
    service.measure()
    quoted(service, 19.9, ARBITER, KILLED % A)
    service.died(A, 20.5, {"signal": 9})

    assert service.causes()[A] == ("killed", "certain")


def test_in_a_container_the_lines_name_other_processes_and_are_taken_as_they_are(service: Service) -> None:
    service.measure()
    service.say(19, "Handling signal: term", pid=1)
    service.died(A, 20.5)
    service.died(B, 20.6)

    assert {cause for cause, _ in service.causes().values()} == {"shutdown"}


def test_the_journal_knows_who_wrote_a_line(service: Service) -> None:
    service.measure()
    journal = service.logs.source("shop.service", role="error", kind="journal")
    for second, writer in ((5.0, ARBITER), (19.9, B)):
        message = "Starting gunicorn 25.0.0" if writer == ARBITER else TIMEOUT
        text = f"[{stamp_of(second)}] [{ARBITER}] [INFO] {message}"
        entry = {
            "t_us": at(second) // 1000,
            "pid": writer,
            "priority": 6,
            "identifier": "gunicorn",
            "message": text,
        }
        service.logs.block(journal, second + 0.1, json.dumps(entry) + "\n")
    service.died(A, 20.5)

    assert service.causes()[A] == ("timeout", "likely")


def test_the_arbiters_own_word_on_an_end_comes_before_one_that_a_client_may_have_written(
    service: Service,
) -> None:
    service.measure()
    quoted(service, 18.5, ARBITER, KILLED % A)
    service.say(20, f"Worker (pid:{A}) exited with code 7", level="ERROR")
    service.died(A, 20.5, {"code": 7})

    death = service.death(A)

    assert (death["cause"], death["certainty"]) == ("exited", "certain")
    assert at(19.5) < death["t_ns"] <= at(20.5), "when it exited"
