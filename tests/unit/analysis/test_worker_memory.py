"""Table `worker_events`: kills, and which of them were for lack of memory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server_metrics import life, process
from tests.worker_lives import KILLED, A, B, C, D, Service, kills


def test_perhaps_out_of_memory_is_no_proof(service: Service) -> None:
    service.measure()
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3)

    death = service.death(A)
    assert (death["cause"], death["certainty"]) == ("killed", "certain")
    assert "the kernel counted no kill for lack of memory" in death["cause_words"]


def test_a_kill_without_the_kernels_count_is_likely_from_outside(service: Service) -> None:
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3)

    death = service.death(A)
    assert (death["cause"], death["certainty"]) == ("killed", "likely")
    assert "was not measured" in death["cause_words"]


@pytest.mark.parametrize(("scope", "certainty"), [("service", "certain"), ("host", "likely")])
def test_lack_of_memory_is_told_by_the_kernels_count(service: Service, scope: str, certainty: str) -> None:
    def counts(second: int) -> dict[str, dict[str, Any]]:
        found = kills(30, scope)(second)
        return found if scope == "service" else {"host": found["host"]}

    service.measure(counts)
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3, {"signal": 9})

    death = service.death(A)
    assert (death["cause"], death["certainty"]) == ("oom", certainty)
    assert "oom_kills grew by 1" in death["evidence"]


def test_a_kill_for_memory_elsewhere_on_the_host_is_not_ours(service: Service) -> None:
    service.measure(kills(30, "host"))  # the service's own cgroup counted none
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3, {"signal": 9})

    assert service.causes()[A][0] == "killed"


def test_a_kill_for_memory_long_before_explains_nothing(service: Service) -> None:
    service.measure(kills(10, "service"))
    service.say(30, KILLED % A, level="ERROR")
    service.died(A, 30.3, {"signal": 9})

    assert service.causes()[A] == ("killed", "certain")


def test_two_deaths_and_one_kill_for_memory_leave_a_doubt(service: Service) -> None:
    service.measure(kills(30, "service"))
    for pid in (A, B):
        service.say(30, KILLED % pid, level="ERROR")
        service.died(pid, 30.3, {"signal": 9})

    assert service.causes() == {A: ("oom", "likely"), B: ("killed", "likely")}, "it explains one of them"
    assert "fewer kills for lack of memory than workers died" in service.death(B)["cause_words"]


def test_a_kill_for_memory_explains_no_death_of_later(service: Service) -> None:
    counts = kills(30, "service")
    for second in range(61):
        seen = [process(A), process(B, born_s=-99.0)] if second <= 31 else [process(B, born_s=-99.0)]
        service.watch.line(second, processes=seen, **counts(second))
    service.died(A, 31.4, {"signal": 9})

    assert service.causes()[A][0] == "killed"


def test_each_growth_explains_the_deaths_of_its_own_time(service: Service) -> None:
    def counts(now: int) -> dict[str, dict[str, Any]]:
        return {"service": {"cgroup_oom_kills": 2 * (now >= 30) + (now >= 32)}}

    service.measure(counts)
    service.watch.workers(1, born=[life(C), life(D)])
    for pid, second in ((A, 30.3), (B, 30.4), (C, 32.3), (D, 50)):
        service.died(pid, second, {"signal": 9}, born_s=-99.0 if pid == B else -100.0)

    assert {pid: cause for pid, (cause, _) in service.causes().items()} == {
        A: "oom",
        B: "oom",
        C: "oom",
        D: "killed",
    }
