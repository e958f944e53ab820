"""Lanes and the numbers of `watch` in summary.json: each can be worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.run_folders import ARBITER, HOT, SECOND_NS, START_NS, raw, request
from tests.server_metrics import at, life, process, watch_of, watched
from toolkit.analysis.results import read_results

if TYPE_CHECKING:
    from pathlib import Path

A, B, C, D = 701, 702, 703, 704
SITE = "/srv/venv/lib/python3.11/site-packages"
LIB = "/usr/lib/python3.11"
MIB = 2**20
START = START_NS // SECOND_NS

SYNC_RUN = ("<module> (/srv/venv/bin/gunicorn:8)", f"SyncWorker.run ({SITE}/gunicorn/workers/sync.py:124)")
SYNC_IDLE = (*SYNC_RUN, f"SyncWorker.wait ({SITE}/gunicorn/workers/sync.py:35)")
SYNC_BUSY = (*SYNC_RUN, f"SyncWorker.handle ({SITE}/gunicorn/workers/sync.py:136)", HOT)


WALL = {"wall": {"rate_hz": 20.0, "valid": True, "reason": ""}}


def test_lanes_stand_on_one_grid_of_seconds_that_holds_the_loads(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    builder.load("http", [request(5.2), request(12.9)])
    for second in range(3, 10):
        watch.line(
            second,
            host={"cpu_user": second * 0.5},
            service={"accept_queue": second, "accept_queue_limit": 64},
        )
    results = read_results(builder.build())

    lanes = results.server_series["app"]
    assert lanes["t"] == list(range(START + 3, START + 13))
    assert set(results.series["t"]) <= set(lanes["t"])
    assert {name: len(column) for name, column in lanes.items() if name != "by_worker"} == {
        name: 10 for name in lanes if name != "by_worker"
    }
    assert lanes["accept_queue"] == [3, 4, 5, 6, 7, 8, 9, 9, None, None], "held for one second, then unknown"
    assert lanes["cpu_user"] == [0.5] * 7 + [None] * 3, "a growth is that of the time before its line"


def test_two_lines_in_a_second_show_the_longest_queue_and_the_mean_of_the_rest(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second, queue in ((0.1, 2), (0.6, 9), (1.1, 0)):
        watch.line(second, service={"accept_queue": queue, "connections": queue})
    lanes = read_results(builder.build()).server_series["app"]

    assert lanes["accept_queue"] == [9, 0]
    assert lanes["connections"] == [5.5, 0]


def test_cpu_and_memory_by_worker_and_together(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second in range(4):
        both = [process(A, cpu_user=second * 0.6, cpu_system=second * 0.2, rss=50 * MIB)]
        both += [process(B, cpu_user=second * 0.3, rss=30 * MIB)] if second < 3 else []
        watch.line(second, processes=[process(ARBITER, "arbiter", cpu_user=second * 9.0, rss=MIB), *both])
    results = read_results(builder.build())

    lanes = results.server_series["app"]
    assert lanes["workers_cpu"] == pytest.approx([1.1, 1.1, 1.1, 0.8])
    assert lanes["workers_rss"] == [80 * MIB] * 3 + [50 * MIB]
    assert lanes["busy_by_cpu"] == [1, 1, 1, 1], "B used a third of a core"
    first, second_ = lanes["by_worker"]
    assert (first["pid"], first["at"], second_["pid"], second_["at"]) == (A, 0, B, 0)
    assert second_["cpu"] == pytest.approx([0.3] * 3)
    rows = {row["pid"]: row for row in watch_of(results)["per_worker"]}
    assert rows[A]["cpu_mean"] == rows[A]["cpu_max"] == 0.8
    assert rows[B]["rss_max"] == 30 * MIB
    assert ARBITER not in rows


def test_births_and_deaths_stand_in_their_seconds(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.workers(0, born=[life(A), life(B)])
    watch.workers(3, died=[life(A, exit={"signal": 9})])
    watch.workers(5, born=[life(711, 4.6)])
    for second in range(7):
        watch.line(second, host={"load_1": 1})
    results = read_results(builder.build())

    lanes = results.server_series["app"]
    assert lanes["workers"] == [2, 2, 2, 1, 2, 2, 2]
    assert lanes["died"] == [0, 0, 0, 1, 0, 0, 0]
    assert lanes["born"] == [0, 0, 0, 0, 1, 0, 0]
    workers = watch_of(results)["workers"]
    assert (workers["at_start"], workers["births"], workers["most"]) == (2, 1, 2)
    assert workers["by_cause"] == {"killed": 1}
    assert [(death["pid"], death["t_ns"], death["cause"]) for death in workers["deaths"]] == [
        (A, at(3), "killed")
    ]


def test_numbers_are_of_the_time_of_the_load(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    builder.load("http", [request(10.0), request(14.0, 1000)])
    for second in range(21):
        watch.line(second, host={"load_1": 5.0 if 10 <= second <= 15 else 0.0})
    watch_ = watch_of(read_results(builder.build()))

    assert watch_["window"] == {"of": "load", "from_ns": at(10), "to_ns": at(15)}
    assert watch_["metrics"]["host.load_1"] == {
        "mean": 5.0,
        "max": 5.0,
        "min": 5.0,
        "p95": 5.0,
        "last": 5.0,
        "unit": "tasks",
    }
    assert (watch_["lines"], watch_["interval_s"]) == (21, 1.0)


def test_statistics_of_host_service_and_all_workers_with_their_units(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second in range(5):
        watch.line(
            second,
            host={
                "cpu_user": second * 1.5,
                "cpu_system": second * 0.5,
                "net_in": second * 100,
                "load_1": second,
            },
            processes=[
                process(ARBITER, "arbiter", rss=7, cpu_user=0.0),
                process(A, rss=10 + second, uss=1),
                process(B, rss=20, uss=1),
            ],
        )
    metrics = watch_of(read_results(builder.build()))["metrics"]

    assert metrics["host.cpu"] == {
        "mean": 2.0,
        "max": 2.0,
        "min": 2.0,
        "p95": 2.0,
        "last": 2.0,
        "unit": "cores",
    }
    assert (metrics["host.net_in"]["mean"], metrics["host.net_in"]["unit"]) == (100.0, "bytes/s")
    assert metrics["host.load_1"]["p95"] == pytest.approx(3.8)
    rss = metrics["workers.rss"]
    assert [rss[name] for name in ("mean", "max", "min", "last", "unit")] == [32.0, 34.0, 30.0, 34.0, "bytes"]
    assert metrics["arbiter.rss"]["max"] == 7.0
    assert "workers.uss" not in metrics
    assert list(metrics) == sorted(metrics)


def test_the_queue_says_how_long_it_was_full_and_when_it_was_longest(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second, queue in enumerate((0, 3, 64, 65, 64, 2)):
        watch.line(
            second,
            host={"listen_overflows": max(0, second - 2) * 5},
            service={"accept_queue": queue, "accept_queue_limit": 64},
        )
    queue_ = watch_of(read_results(builder.build()))["queue"]

    assert queue_ == {
        "max": 65.0,
        "at_ns": at(3),
        "mean": 33.0,
        "limit": 64.0,
        "seconds_full": 3.0,
        "overflows": 15,
        "overflows_of": "all ports of the service's network namespace, each retry counted",
    }


def test_an_empty_queue_was_never_full_and_has_no_time(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    for second in range(3):
        watch.line(second, service={"accept_queue": 0, "accept_queue_limit": 64})
    queue = watch_of(read_results(builder.build()))["queue"]

    assert (queue["max"], queue["at_ns"], queue["seconds_full"], queue["overflows"]) == (0.0, None, 0.0, None)


def test_what_gunicorn_is_stands_beside_its_workers(tmp_path: Path) -> None:
    gunicorn = {"version": "27.0.1", "worker_class": "gthread", "workers": 4, "threads": 8}
    builder, watch = watched(tmp_path, gunicorn)
    watch.workers(0, born=[life(A)])
    workers = watch_of(read_results(builder.build()))["workers"]

    said = {name: workers[name] for name in ("configured", "threads", "class", "gunicorn", "python")}
    assert said == {
        "configured": 4,
        "threads": 8,
        "class": "gthread",
        "gunicorn": "27.0.1",
        "python": "3.11.7",
    }


def test_facts_of_another_form_are_not_believed(tmp_path: Path) -> None:
    builder, _ = watched(tmp_path)
    builder.manifest.servers[0].facts = {"gunicorn": {"workers": "4", "version": [1], "threads": -1}}
    workers = watch_of(read_results(builder.build()))["workers"]

    assert [workers[name] for name in ("configured", "threads", "gunicorn", "python")] == [None] * 4


def test_a_worker_that_lived_for_less_than_a_sample_has_its_row(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    builder.load("http", [request(1.0), request(9.0)])
    for second in range(10):
        watch.line(second, processes=[process(A, rss=1)])
    for pid, born_s in ((D, 0.1), (C, 4.2)):  # D lived before the load
        watch.workers(born_s + 0.2, born=[life(pid, born_s)])
        watch.workers(born_s + 0.7, died=[life(pid, born_s)])
    rows = {row["pid"]: row for row in watch_of(read_results(builder.build()))["per_worker"]}

    assert rows.keys() == {A, C}
    assert rows[C]["died_ns"] - rows[C]["born_ns"] < 1e9
    assert rows[C]["cpu_mean"] is None


def test_watch_has_the_same_keys_with_everything_and_with_nothing(tmp_path: Path) -> None:
    empty, _ = watched(tmp_path / "empty")
    full, watch = watched(tmp_path / "full", {"workers": 2, "worker_class": "sync"}, WALL)
    full.chunk("app", "wall", 0, raw(A, SYNC_BUSY, 10))
    watch.workers(0, born=[life(A)])
    for second in range(3):
        watch.line(second, service={"accept_queue": 1}, processes=[process(A, rss=1)])

    shapes = [watch_of(read_results(builder.build())) for builder in (empty, full)]
    assert list(shapes[0]) == list(shapes[1])
    assert list(shapes[0]["workers"]) == list(shapes[1]["workers"])
    assert list(shapes[0]["busy"]) == list(shapes[1]["busy"])
    for shape in shapes:
        json.dumps(shape, allow_nan=False)


def test_a_time_of_another_year_makes_no_endless_grid(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path)
    watch.line(0, host={"load_1": 1})
    watch.line(20 * 24 * 3600, host={"load_1": 1})
    lanes = read_results(builder.build()).server_series["app"]

    assert len(lanes["t"]) < 1000
