"""Table `worker_events`: what the arbiter was told, and whose end or birth it explains."""

from __future__ import annotations

import pytest

from tests.worker_lives import KILLED, OTHER_ARBITER, A, B, C, D, Service


def test_max_requests_is_told_by_the_workers_own_line(service: Service) -> None:
    service.say(20, "Autorestarting worker after current request.", pid=A)
    service.say(21, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 21.9, {"code": 0})
    service.say(22, f"Booting worker with pid: {C}", pid=C)
    service.born(C, 22.0)

    assert service.causes() == {A: ("max_requests", "certain")}
    birth = next(event for event in service.events() if event["what"] == "born")
    assert (birth["pid"], birth["cause"]) == (C, "replaced")
    assert str(A) in birth["cause_words"]


def test_a_reload_ends_all_that_were_there_and_none_of_the_new(service: Service) -> None:
    service.say(20, "Handling signal: hup", "Hang up: Master")
    for pid in (C, D):
        service.say(20.5, f"Booting worker with pid: {pid}", pid=pid)
        service.born(pid, 20.5)
    for pid in (A, B):
        service.say(22, f"Worker exiting (pid: {pid})", pid=pid)
        service.died(pid, 22.8, {"code": 0})
    service.say(40, f"Worker exiting (pid: {C})", pid=C)
    service.died(C, 40.5, {"code": 0}, born_s=20.5)

    assert service.causes() == {A: ("hup", "certain"), B: ("hup", "certain"), C: ("unknown", "unknown")}
    births = {event["pid"]: event["cause"] for event in service.events() if event["what"] == "born"}
    assert births == {C: "hup", D: "hup"}


def test_a_reload_made_as_many_as_there_were_and_later_ones_replace_others(service: Service) -> None:
    service.say(20, "Handling signal: hup", "Hang up: Master")
    for pid, second in ((C, 20.5), (D, 20.6), (705, 24.0)):
        service.say(second, f"Booting worker with pid: {pid}", pid=pid)
        service.born(pid, second)
    for pid in (A, B):
        service.died(pid, 21)
    service.died(C, 23.5, {"signal": 9}, born_s=20.5)

    births = {event["pid"]: event["cause"] for event in service.events() if event["what"] == "born"}

    assert births == {C: "hup", D: "hup", 705: "replaced"}


def test_one_that_ends_by_itself_was_not_told_to(service: Service) -> None:
    service.say(20, "Worker (pid:703) exited with code 3.", level="ERROR")
    service.say(20.2, "Shutting down: Master", "Reason: Worker failed to boot.", level="ERROR")
    for pid in (A, B):
        service.died(pid, 20.4)

    ends = {event["pid"]: event["cause_words"] for event in service.events() if event["what"] == "died"}

    assert ends[A] == ends[B] == "gunicorn ended by itself, as a worker could not boot"


def test_its_end_begins_with_the_worker_that_could_not_boot(service: Service) -> None:
    service.say(20, "Worker (pid:703) exited with code 3.", level="ERROR")
    service.say(20, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 20.2, {"code": 0})
    service.say(26, f"Worker exiting (pid: {B})", pid=B)  # it had a request to answer
    service.died(B, 26.1, {"code": 0})
    service.say(26.2, "Shutting down: Master", "Reason: Worker failed to boot.", level="ERROR")

    assert service.causes() == {A: ("shutdown", "certain"), B: ("shutdown", "certain")}


def test_one_that_was_about_to_end_as_watching_began_may_have_said_why_before(service: Service) -> None:
    service.say(2, f"Booting worker with pid: {C}", pid=C)
    service.born(C, 2)
    service.say(55, f"Worker exiting (pid: {C})", pid=C)
    service.died(A, 3, {"code": 0})
    service.died(B, 50, {"code": 0})

    assert service.causes() == {A: ("unknown", "unknown"), B: ("exited", "likely")}


def test_a_worker_that_times_out_as_gunicorn_reloads_timed_out(service: Service) -> None:
    service.say(20, "Handling signal: hup")
    service.say(21, f"WORKER TIMEOUT (pid:{A})", level="CRITICAL")
    service.say(22, KILLED % A, level="ERROR")
    service.died(A, 22.2, {"signal": 9})

    assert service.causes() == {A: ("timeout", "certain")}


def test_one_worker_less_is_one_death(service: Service) -> None:
    service.say(20, "Handling signal: ttou")
    service.say(20.2, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 20.9, {"code": 0})
    service.say(40, f"Worker exiting (pid: {B})", pid=B)
    service.died(B, 40.9, {"code": 0})

    assert service.causes() == {A: ("ttou", "certain"), B: ("unknown", "unknown")}


def test_one_worker_less_is_not_somebody_elses_signal(service: Service) -> None:
    service.say(20, "Handling signal: ttou")
    service.say(22, f"Worker exiting (pid: {A})", pid=A)
    service.say(22, f"Worker (pid:{A}) was sent SIGTERM!")
    service.died(A, 22.4, {"signal": 15})

    assert service.causes() == {A: ("ttou", "certain")}


def test_who_sent_a_sigterm_is_not_known_without_a_log(service: Service) -> None:
    service.died(A, 22.4, {"signal": 15})

    death = service.death(A)
    assert (death["cause"], death["certainty"]) == ("killed", "likely")
    assert "by gunicorn" in death["cause_words"]
    assert "no log of gunicorn was read" in death["cause_words"]


def test_one_worker_more_is_a_birth_by_order(service: Service) -> None:
    service.say(20, "Handling signal: ttin")
    service.born(C, 20.3)

    birth = next(event for event in service.events() if event["what"] == "born")
    assert (birth["cause"], birth["certainty"]) == ("ttin", "likely")


def test_an_upgrade_ends_the_old_arbiters_workers(service: Service) -> None:
    service.say(20, "Handling signal: usr2")
    service.say(21, "Starting gunicorn 27.0.1", pid=OTHER_ARBITER)
    service.say(21.2, f"Booting worker with pid: {C}", pid=C)
    service.born(C, 21.2)
    service.say(30, "Handling signal: term")
    for pid in (A, B):
        service.say(30.5, f"Worker exiting (pid: {pid})", pid=pid)
        service.died(pid, 31, {"code": 0})
    service.say(31, "Shutting down: Master")
    service.say(50, f"Worker exiting (pid: {C})", pid=C)
    service.died(C, 50.5, {"code": 0}, born_s=21.2)

    assert service.causes() == {A: ("usr2", "certain"), B: ("usr2", "certain"), C: ("unknown", "unknown")}


def test_an_upgrade_that_is_taken_back_ends_the_new_ones_alone(service: Service) -> None:
    service.say(20, "Handling signal: usr2")
    service.say(21, "Starting gunicorn 27.0.1", pid=OTHER_ARBITER)
    service.born(C, 21.2)
    service.say(30, "Handling signal: term", pid=OTHER_ARBITER)
    service.died(C, 31, {"code": 0}, born_s=21.2)

    assert service.causes() == {C: ("shutdown", "certain")}


def test_an_end_in_order_ends_all(service: Service) -> None:
    service.say(50, "Handling signal: term")
    service.say(50.3, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 51, {"code": 0})
    service.measure()
    service.died(B, 58, {"signal": 9})  # did not stop within the graceful timeout
    service.say(58, "Shutting down: Master")

    assert service.causes() == {A: ("shutdown", "certain"), B: ("shutdown", "likely")}


def test_a_worker_that_died_before_the_order_did_not_die_of_it(service: Service) -> None:
    service.say(20, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 20.9, {"code": 0})
    service.say(24, "Handling signal: term")

    assert service.causes() == {A: ("unknown", "unknown")}


def test_without_a_log_a_full_replacement_is_likely_a_reload(service: Service) -> None:
    for pid in (C, D):
        service.born(pid, 20)
    for pid in (A, B):
        service.died(pid, 21)

    assert service.causes() == {A: ("hup", "likely"), B: ("hup", "likely")}


def test_without_a_log_workers_that_are_replaced_one_by_one_died_of_nobody_knows_what(
    service: Service,
) -> None:
    service.died(A, 20)
    service.born(C, 20.2)
    service.died(B, 21)
    service.born(D, 21.2)

    assert service.causes() == {A: ("unknown", "unknown"), B: ("unknown", "unknown")}
    assert service.death(A)["cause_words"] == "no log of gunicorn was read"


def test_without_a_log_workers_that_end_at_once_and_are_then_replaced_were_not_reloaded(
    service: Service,
) -> None:
    for pid in (A, B):
        service.died(pid, 20.2)
    for pid in (C, D):
        service.born(pid, 19.8)  # the kernel's clock of creations is up to a second early

    assert service.causes() == {A: ("unknown", "unknown"), B: ("unknown", "unknown")}


def test_without_a_log_the_death_of_all_is_likely_the_end(service: Service) -> None:
    for pid in (A, B):
        service.died(pid, 55)

    assert service.causes() == {A: ("shutdown", "likely"), B: ("shutdown", "likely")}


@pytest.mark.parametrize(
    ("given", "cause"), [(20, ("max_requests", "likely")), (None, ("unknown", "unknown"))]
)
def test_a_quiet_log_leaves_what_gunicorn_was_given(
    service: Service, given: int | None, cause: tuple[str, str]
) -> None:
    service.builder.manifest.servers[0].facts = {"gunicorn": {"max_requests": given}}
    service.logs.source("/var/log/shop/error.log", role="error")
    service.died(A, 20.5, {"code": 0})
    service.born(C, 20.6)

    assert service.causes()[A] == cause
    assert "no log of gunicorn was read" not in service.death(A)["cause_words"]


def test_without_a_log_it_may_as_well_have_been_a_timeout(service: Service) -> None:
    service.builder.manifest.servers[0].facts = {"gunicorn": {"max_requests": 20}}
    service.died(A, 20.5, {"code": 0})
    service.born(C, 20.6)

    assert service.causes()[A] == ("unknown", "unknown")
    assert "max_requests 20, or after a timeout" in service.death(A)["cause_words"]


def test_one_that_exits_by_itself_as_gunicorn_reloads_was_not_ended_by_that(service: Service) -> None:
    service.say(20, "Handling signal: hup", "Hang up: Master")
    service.say(20.1, f"Worker (pid:{A}) exited with code 7.", level="ERROR")
    service.died(A, 20.4, {"code": 7})
    service.say(22, f"Worker exiting (pid: {B})", pid=B)
    service.died(B, 22.4, {"code": 0})

    assert service.causes() == {A: ("exited", "certain"), B: ("hup", "certain")}
