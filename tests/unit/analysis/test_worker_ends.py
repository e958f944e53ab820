"""Table `worker_events`: deaths by timeouts, signals, exit codes: what is certain, what is likely, what nobody can know."""

from __future__ import annotations

import pytest

from tests.server_metrics import life
from tests.worker_lives import KILLED, A, B, C, Service, kills


def test_a_timeout_is_one_whatever_the_signal_that_followed(service: Service) -> None:
    service.measure(kills(30, "service"))
    service.say(29, f"WORKER TIMEOUT (pid:{A})", level="CRITICAL")
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3, {"signal": 9})

    death = service.death(A)
    assert (death["cause"], death["certainty"]) == ("timeout", "certain")
    assert f"WORKER TIMEOUT (pid:{A})" in death["evidence"]
    assert "/var/log/shop/error.log" in death["evidence"]
    assert (death["source"], death["position"]) == (0, 0), "of the line that says so"


def test_a_timeout_of_another_worker_explains_nothing(service: Service) -> None:
    service.measure()
    service.say(29, f"WORKER TIMEOUT (pid:{B})", level="CRITICAL")
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3, {"signal": 9})

    assert service.causes() == {A: ("killed", "certain")}


@pytest.mark.parametrize(
    ("message", "exit_", "cause"),
    [
        # It was there when watching began: os._exit(3), and no failed boot.
        (f"Worker (pid:{A}) exited with code 3.", {"code": 3}, ("exited", "certain")),
        (f"Worker (pid:{A}) exited with code 4", None, ("exited", "certain")),
        (None, {"code": 3}, ("exited", "certain")),
        (f"Worker (pid:{A}) was sent SIGSEGV!", {"signal": 11}, ("crash", "certain")),
        (f"Worker (pid:{A}) was sent code 139!", None, ("crash", "certain")),
        (f"Worker with pid {A} was terminated due to signal 11", None, ("crash", "certain")),
        (None, {"signal": 11}, ("crash", "certain")),
        (f"Worker (pid:{A}) was sent SIGTERM!", {"signal": 15}, ("killed", "likely")),  # no orders are logged
        (f"Worker (pid:{A}) was sent SIGUSR2!", None, ("killed", "certain")),
        (f"Worker (pid:{A}) exited with code 1.", {"code": 1}, ("exited", "certain")),
        (None, {"code": 1}, ("exited", "likely")),  # without a log: it may have been a timeout
        (None, {"code": 0}, ("unknown", "unknown")),
        (None, None, ("unknown", "unknown")),
        (None, {"signal": "<script>" * 9}, ("unknown", "unknown")),
    ],
)
def test_codes_and_signals(
    service: Service, message: str | None, exit_: dict[str, int] | None, cause: tuple[str, str]
) -> None:
    if message:
        service.say(20, message, level="ERROR")
    service.died(A, 20.5, exit_)
    assert service.causes() == {A: cause}


@pytest.mark.parametrize("code", [3, 4])
def test_a_worker_that_could_not_boot(service: Service, code: int) -> None:
    service.born(C, 20)
    service.say(21, f"Worker (pid:{C}) exited with code {code}.", level="ERROR")
    service.watch.workers(21.5, died=[life(C, 20, exit={"code": code})])

    assert service.causes() == {C: ("boot_failed", "certain")}


def test_a_sigterm_from_outside(service: Service) -> None:
    service.say(1, f"Booting worker with pid: {C}", pid=C)
    service.say(20, f"Worker (pid:{A}) was sent SIGTERM!")
    service.died(A, 20.5, {"signal": 15})

    assert service.causes()[A] == ("killed", "certain")


def test_an_exception_that_ends_a_worker_after_it_had_booted_is_a_crash(service: Service) -> None:
    service.say(20, "Exception in worker process", pid=A, level="ERROR")
    service.say(20.2, f"Worker (pid:{A}) exited with code 255.", level="ERROR")
    service.died(A, 20.5, {"code": 255})

    assert service.causes() == {A: ("crash", "certain")}


def test_a_worker_whose_arbiter_is_gone(service: Service) -> None:
    service.say(20, "Parent changed, shutting down: <Worker 701>", pid=A)
    service.died(A, 20.5)

    assert service.causes() == {A: ("shutdown", "certain")}


def test_a_detailed_log_without_a_word_on_an_end_hints_at_a_signal(service: Service) -> None:
    service.say(10, f"Worker exiting (pid: {B})", pid=B)
    service.died(B, 10.5)
    service.born(C, 10.6)
    service.died(A, 30)

    assert service.causes()[A] == ("killed", "likely")


def test_a_line_in_the_applications_log_is_not_taken_for_gunicorns(service: Service) -> None:
    forged = service.logs.source("/var/log/shop/app.log", role="application")
    service.logs.block(forged, 19.1, f"[2026-11-21 14:30:19 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:{A})\n")
    service.say(20, f"Worker (pid:{A}) exited with code 7.", level="ERROR")
    service.died(A, 20.5, {"code": 7})
    assert service.causes() == {A: ("exited", "certain")}


def test_a_timeout_that_the_kernel_contradicts_is_none(service: Service) -> None:
    service.say(19, f"WORKER TIMEOUT (pid:{A})", level="CRITICAL")
    service.died(A, 20.5, {"code": 7})
    assert service.causes()[A][0] == "exited"
