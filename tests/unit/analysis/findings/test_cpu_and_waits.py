"""Where the time inside requests goes: CPU, the GIL, waits, collections."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.analysis.findings.small import (
    DRIVER,
    OTHER,
    VIEW,
    evidence,
    found,
    metric,
    ruled_out,
    server,
    stacks,
    unknown,
    worker,
)

COMPUTES = stacks(((VIEW,), 36.0), ((OTHER,), 2.0))


def test_workers_at_their_limit_are_cpu_bound_in_the_hot_function() -> None:
    busy = {"workers_cpu": 1.9, "busy_workers": 1.95}
    row = found("cpu-bound", evidence(server(busy, wall=COMPUTES, cpu=COMPUTES)))
    assert row.title == "CPU-bound in view (views.py)"
    assert row.certainty == "certain"
    assert row.frames == (VIEW,)
    assert row.counts["seconds_at_limit"] == row.counts["seconds"] == 20
    assert row.span is not None


def test_few_samples_make_it_perhaps() -> None:
    few = stacks(((VIEW,), 0.5), ((OTHER,), 0.7))
    row = found("cpu-bound", evidence(server({"workers_cpu": 1.9}, wall=few, cpu=few)))
    assert row.certainty == "perhaps"


def test_a_burst_of_cpu_is_not_cpu_bound() -> None:
    burst = {"workers_cpu": [1.9] * 3 + [0.1] * 17, "busy_workers": 0.3}
    said = ruled_out("cpu-bound", evidence(server(burst, wall=COMPUTES, cpu=COMPUTES)))
    assert "used 0.37 of a core on average, of 2 that 2 workers can use" in said


def test_workers_that_wait_are_not_cpu_bound() -> None:
    waits = server({"busy_workers": 2.0}, wall=stacks(((VIEW,), 39)), cpu=stacks(((VIEW,), 2)))
    assert "5.1 % was on the CPU" in ruled_out("cpu-bound", evidence(waits))


def test_cpu_that_nobody_measured_is_no_answer() -> None:
    assert "neither" in unknown("cpu-bound", evidence(server({"workers_cpu": None})))


GTHREAD: dict[str, Any] = {
    "worker_class": "gthread",
    "threads": 8,
    "workers": 1,
    "per_worker": [worker(701, cpu_mean=0.98, busy=1.0)],
}
CONTENDING: dict[str, Any] = {"wall": stacks(((VIEW,), 100)), "cpu": stacks(((VIEW,), 19))}


def test_threads_at_one_core_contend_for_the_gil() -> None:
    options = {**GTHREAD, "wall": CONTENDING["wall"], "cpu": CONTENDING["cpu"]}
    given = server({"busy_threads": 5.0}, **options)
    given = replace(given, threads={701: 5.0})
    row = found("gil-contention", evidence(given))
    assert row.certainty == "likely"
    assert row.counts["waiting_share"] == pytest.approx(0.81)
    held = server({"busy_threads": 5.0}, **options, gil={701: 0.97})
    held = replace(held, threads={701: 5.0})
    assert found("gil-contention", evidence(held)).certainty == "certain"


def test_threads_that_wait_elsewhere_do_not() -> None:
    options = {**GTHREAD, "wall": stacks(((VIEW,), 19), ((OTHER,), 81)), "cpu": stacks(((VIEW,), 19))}
    given = server({"busy_threads": 5.0}, **options)
    given = replace(given, threads={701: 5.0})
    assert "5.0 of its threads" in ruled_out("gil-contention", evidence(given))


def test_sync_workers_have_nobody_to_contend_with() -> None:
    assert "one thread" in ruled_out("gil-contention", evidence(server()))


SLOW: dict[str, Any] = {"totals": {"p50_ms": 180.0, "p95_ms": 300.0}}


@pytest.mark.parametrize(
    ("below", "words"),
    [
        ((DRIVER,), "a database"),
        (("send (/srv/venv/lib/python3.11/site-packages/requests/sessions.py:700)",), "an HTTP client"),
        (("getresponse (/usr/lib/python3.11/http/client.py:1378)",), "an HTTP client"),
        (("wait (/usr/lib/python3.11/threading.py:320)",), "a lock"),
        ((DRIVER, "wait (/usr/lib/python3.11/threading.py:320)"), "a database"),
        (("readinto (/usr/lib/python3.11/socket.py:705)",), "a socket"),
        ((), "a sleep, a lock, or a call into C"),
    ],
)
def test_waiting_is_named_by_what_lies_below(below: tuple[str, ...], words: str) -> None:
    given = server(wall=stacks(((VIEW, *below), 30), ((OTHER,), 5)), cpu=stacks(((OTHER,), 5)))
    row = found("waiting", evidence(given, **SLOW))
    assert row.title == f"Waiting in view (views.py): {words}"
    assert row.certainty == "likely"
    assert row.counts["share_of_request_time"] == pytest.approx(30 / 35)
    assert (row.view, row.part) == ("off", "flames")


def test_a_wait_that_hurts_nobody_is_ruled_out() -> None:
    given = server(wall=stacks(((VIEW, DRIVER), 30)), cpu=stacks(((OTHER,), 1)))
    assert "p95" not in ruled_out("waiting", evidence(given)).split("(p50)")[0]


def test_a_websocket_that_waits_is_no_wait() -> None:
    receive = "receive (/srv/venv/lib/python3.11/site-packages/simple_websocket/ws.py:87)"
    given = server(wall=stacks(((VIEW, receive), 300), ((OTHER,), 10)), cpu=stacks(((OTHER,), 9)))
    assert "other" in ruled_out("waiting", evidence(given, **SLOW))


def test_time_on_the_cpu_is_no_wait() -> None:
    assert "100 % of the time inside them was on the CPU" in ruled_out(
        "waiting", evidence(server(wall=COMPUTES, cpu=COMPUTES), **SLOW)
    )


def test_an_event_loop_hides_what_waits() -> None:
    given = server(worker_class="gevent", wall=stacks(((VIEW,), 30)))
    assert "leaves no stack" in unknown("waiting", evidence(given, **SLOW))


def test_finalizers_stand_out() -> None:
    ends = "__del__ (/srv/shop/models.py:4)"
    given = server(cpu=stacks(((VIEW, ends), 10), ((VIEW,), 10)), wall=stacks(((VIEW,), 20)))
    row = found("garbage-collection", evidence(given))
    assert row.title == "Finalizers (“__del__”) take 50 % of the CPU time"
    assert row.certainty == "perhaps"
    assert row.frames == (ends,)


def test_collections_of_a_native_recording_are_certainly_that() -> None:
    given = server(cpu=stacks(((VIEW, "gc_collect_main (gcmodule.c)"), 10), ((VIEW,), 10)))
    assert found("garbage-collection", evidence(given)).certainty == "likely"


def test_a_finalizer_now_and_then_does_not() -> None:
    given = server(cpu=stacks(((VIEW, "__del__ (/srv/shop/models.py:4)"), 0.2), ((VIEW,), 20)))
    assert "do not stand out" in ruled_out("garbage-collection", evidence(given))


def test_collections_without_a_frame_are_not_ruled_out() -> None:
    assert "leaves no frame" in unknown("garbage-collection", evidence(server(cpu=COMPUTES)))


def test_metrics_are_given_in_the_sleep_that_has_no_frame() -> None:
    given = server(
        wall=stacks(((VIEW,), 30)), cpu=stacks(((OTHER,), 1)), metrics={"service.connections_out": metric(0)}
    )
    assert "no connection to another address" in " ".join(found("waiting", evidence(given, **SLOW)).evidence)
