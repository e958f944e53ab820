"""Workers, their host, and what they keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.analysis.findings.small import (
    SECONDS,
    ZERO,
    evidence,
    found,
    metric,
    ruled_out,
    server,
    unknown,
    worker,
)
from toolkit.analysis.findings.registry import RULES

HALF = SECONDS // 2
FULL_LATER = {"busy_workers": [0.4] * HALF + [2.0] * HALF, "accept_queue": [0] * HALF + [12] * HALF}


def _answers(before: tuple[float, float], after: tuple[float, float]) -> dict[int, dict[str, Any]]:
    """`server_ms` and `outside_ms` of both halves."""
    return {
        ZERO + at: {"answers": 10, "server_ms": own, "outside_ms": outside}
        for at in range(SECONDS)
        for own, outside in [before if at < HALF else after]
    }


def test_a_full_pool_with_a_queue_and_a_flat_service_time_is_exhausted() -> None:
    given = server(FULL_LATER, answers=_answers((20, 1), (21, 400)))
    row = found("pool-exhausted", evidence(given))
    assert row.title == "The worker pool is exhausted: all 2 places taken, and requests queue for them"
    assert row.certainty == "certain"
    assert row.counts["seconds_all_busy"] == HALF
    assert row.span is not None
    assert row.span.from_ns == (ZERO + HALF) * 10**9
    assert any(sentence.endswith("flat.") and "not flat" not in sentence for sentence in row.evidence)


def test_a_service_time_that_grows_makes_it_likely() -> None:
    row = found("pool-exhausted", evidence(server(FULL_LATER, answers=_answers((20, 1), (200, 400)))))
    assert row.certainty == "likely"
    assert any("not flat" in sentence for sentence in row.evidence)


def test_a_full_pool_without_a_queue_is_not_exhausted() -> None:
    given = server({**FULL_LATER, "accept_queue": 0}, answers=_answers((20, 1), (21, 1)))
    assert "nothing queued" in ruled_out("pool-exhausted", evidence(given))


def test_a_pool_with_room_is_not() -> None:
    assert "in 0 seconds of 20" in ruled_out("pool-exhausted", evidence(server()))


def test_a_pool_of_unknown_size_is_not_judged() -> None:
    assert "no fixed number" in unknown("pool-exhausted", evidence(server(worker_class="gevent")))


def test_workers_at_their_cores_beside_idle_ones_are_too_few() -> None:
    busy = {"workers_cpu": 1.9, "cpu_user": 1.95, "busy_workers": 2.0}
    row = found("too-few-workers", evidence(server(busy, cores=8)))
    assert "each is at the limit of its core" in row.title
    assert row.counts["idle_cores"] == pytest.approx(5.95)


def test_workers_that_wait_while_others_queue_are_too_few() -> None:
    row = found("too-few-workers", evidence(server(FULL_LATER, cores=4)))
    assert "inside requests that wait" in row.title


def test_full_workers_on_full_cores_are_not_too_few() -> None:
    full = {"workers_cpu": 1.9, "cpu_user": 1.95, "busy_workers": 2.0}
    assert ruled_out("too-few-workers", evidence(server(full, cores=2)))


def test_one_worker_unlike_the_others() -> None:
    rows = [worker(701, cpu_mean=0.9), worker(702, cpu_mean=0.1), worker(703, cpu_mean=0.12)]
    row = found("uneven-workers", evidence(server(workers=3, per_worker=rows)))
    assert row.counts["pid"] == 701
    assert row.certainty == "likely"


@pytest.mark.parametrize("odd", [{"cpu_mean": 0.25}, {"born_ns": (ZERO + 5) * 10**9, "cpu_mean": 0.9}])
def test_workers_that_differ_little_or_came_later_do_not(odd: dict[str, Any]) -> None:
    rows = [worker(701, **odd), worker(702), worker(703)]
    assert "No worker unlike" in ruled_out("uneven-workers", evidence(server(workers=3, per_worker=rows)))


def test_one_server_unlike_the_others() -> None:
    slow, quick = (
        server(name=name, answers=_answers((own, 1), (own, 1))) for name, own in (("a", 80.0), ("b", 10.0))
    )
    row = found("uneven-servers", evidence(slow, quick))
    assert "time in the server" in row.title
    same = server(name="c", answers=_answers((10, 1), (10, 1)))
    assert "No server unlike" in ruled_out("uneven-servers", evidence(quick, same))


def test_services_behind_another_are_not_compared_with_it() -> None:
    busy, idle = server({"workers_cpu": 1.5}, name="gateway"), server({"workers_cpu": 0.2}, name="stock")
    assert "CPU of the workers" in found("uneven-servers", evidence(busy, idle)).title
    assert list(RULES["uneven-servers"](evidence(busy, replace(idle, behind=True)))) == []


def test_a_host_that_others_use_up() -> None:
    row = found("host-cpu", evidence(server({"cpu_user": 3.8, "cpu_system": 0.2})))
    assert row.title.endswith("mostly by other processes than the workers")
    assert row.certainty == "certain"


def test_a_hypervisor_that_takes_its_share() -> None:
    row = found("host-cpu", evidence(server({"cpu_steal": 0.5})))
    assert row.title.startswith("The hypervisor takes CPU")


def test_a_limit_that_holds_back() -> None:
    limit = {"service.cgroup_cpu_limit": metric(1.0)}
    row = found("host-cpu", evidence(server({"cgroup_cpu_throttled": 0.4}, metrics=limit)))
    assert row.title == "The service's CPU limit of 1 cores holds it back"


def test_a_host_with_room() -> None:
    assert "0.60 of a core of 4 used" in ruled_out("host-cpu", evidence(server()))


def test_memory_that_is_short() -> None:
    short = {"host.memory_available": metric(100 << 20), "host.swap_in": metric(5 << 20)}
    assert found("host-memory", evidence(server(metrics=short))).certainty == "certain"
    assert "were available" in ruled_out("host-memory", evidence(server()))


def _grows(pid: int, values: list[float], name: str = "rss") -> dict[str, Any]:
    step = SECONDS / len(values)
    return {
        "pid": pid,
        "name": name,
        "seconds": [ZERO + at * step for at in range(len(values))],
        "values": values,
    }


LEAK = [float((50 << 20) + (at << 20)) for at in range(60)]


def test_memory_that_only_grows_is_a_leak() -> None:
    row = found("leak", evidence(server(workers=1, growth=[_grows(701, LEAK)])))
    assert row.certainty == "perhaps", "it was seen for seconds"
    assert row.counts["MiB_per_hour"] == pytest.approx(3600 * 60 / SECONDS, rel=0.05)


@pytest.mark.parametrize(
    "values",
    [
        [*LEAK[:30], *([LEAK[30]] * 30)],
        [LEAK[at % 10] for at in range(60)],
        [LEAK[0] + at * 1000 for at in range(60)],
    ],
    ids=["a plateau", "a saw", "too little"],
)
def test_memory_that_settles_is_none(values: list[float]) -> None:
    assert "No leak of memory" in ruled_out("leak", evidence(server(workers=1, growth=[_grows(701, values)])))


def test_each_life_is_judged_by_itself() -> None:
    """Workers that are replaced leak all the same; one that was born large is no growth."""
    short = [_grows(701, LEAK[:8]), _grows(702, LEAK[30:38])]
    for one in short:
        one["seconds"] = [ZERO + at for at in range(8)]
    assert "no worker was seen" in unknown("leak", evidence(server(growth=short)))


def test_growth_with_the_load_is_no_leak_yet() -> None:
    ramp = {"requests": [10 + 10 * at for at in range(SECONDS)]}
    given = evidence(server(workers=1, growth=[_grows(701, LEAK)]), series=ramp)
    assert "while the load grew" in unknown("leak", given)


def test_descriptors_of_open_connections_are_no_leak() -> None:
    values = [float(20 + at) for at in range(60)]
    opened = {"connections": [3.0 * at for at in range(SECONDS)]}
    growth = [_grows(701, values, "descriptors")]
    assert found("leak", evidence(server(workers=1, growth=growth))).title.startswith("Descriptors")
    assert "more connections were open" in ruled_out(
        "leak", evidence(server(opened, workers=1, growth=growth))
    )
