"""Busy workers, from stack samples: each number can be worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import HOT, POOL_WAIT, raw, request
from tests.server_metrics import life, process, watch_of, watched
from toolkit.analysis.results import Results, read_results
from toolkit.analysis.watch.busy import serves

if TYPE_CHECKING:
    from pathlib import Path

A, B = 701, 702
SITE = "/srv/venv/lib/python3.11/site-packages"
LIB = "/usr/lib/python3.11"

SYNC_RUN = ("<module> (/srv/venv/bin/gunicorn:8)", f"SyncWorker.run ({SITE}/gunicorn/workers/sync.py:124)")
SYNC_IDLE = (*SYNC_RUN, f"SyncWorker.wait ({SITE}/gunicorn/workers/sync.py:35)")
SYNC_BUSY = (*SYNC_RUN, f"SyncWorker.handle ({SITE}/gunicorn/workers/sync.py:136)", HOT)
SYNC_OLD = (*SYNC_RUN, f"handle_request ({SITE}/gunicorn/workers/sync.py:136)", HOT)  # Python before 3.11
POOL_BUSY = (*POOL_WAIT, f"ThreadWorker.handle ({SITE}/gunicorn/workers/gthread.py:553)", HOT)
SELECT = (
    "<module> (/srv/venv/bin/gunicorn:8)",
    f"ThreadWorker.run ({SITE}/gunicorn/workers/gthread.py:425)",
    f"EpollSelector.select ({LIB}/selectors.py:468)",
)
BACKGROUND = (f"Thread.run ({LIB}/threading.py:982)", "refresh (/srv/shop/cache.py:9)")


WALL = {"wall": {"rate_hz": 20.0, "valid": True, "reason": ""}}


def sampled(tmp_path: Path, text: str, gunicorn: dict[str, Any], **view: Any) -> Results:
    builder, _ = watched(tmp_path, gunicorn, {"wall": {**WALL["wall"], **view}})
    builder.chunk("app", "wall", 0, text)
    return read_results(builder.build())


def test_busy_sync_workers_are_those_inside_a_request(tmp_path: Path) -> None:
    text = raw(A, SYNC_BUSY, 50) + raw(A, SYNC_OLD, 25) + raw(A, SYNC_IDLE, 25) + raw(B, SYNC_IDLE, 100)
    text += raw(B, BACKGROUND, 100, thread="cache", tid=9)
    results = sampled(tmp_path, text, {"worker_class": "sync", "workers": 2})

    busy = watch_of(results)["busy"]
    assert busy["from_stacks"] == {
        "workers_mean": 0.75,
        "workers_max": 0.75,
        "threads_mean": 0.75,
        "threads_max": 0.75,
        "threads": 2,
        "seconds_all_busy": 0,
        "chunk_s": 5.0,
        "seconds": 5.0,
        "blurred": False,
    }
    rows = {row["pid"]: row["busy"] for row in watch_of(results)["per_worker"]}
    assert rows == {A: 0.75, B: 0.0}, "the arbiter is none, and a background thread no request"
    assert results.server_series["app"]["busy_workers"] == [0.75] * 5 + [None]


def test_the_new_arbiter_of_an_upgrade_is_no_worker(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path, {"worker_class": "sync"}, WALL)
    builder.chunk("app", "wall", 0, raw(A, SYNC_BUSY, 100) + raw(800, SYNC_RUN, 100))
    for second in range(3):
        watch.line(second, processes=[process(800, "arbiter", rss=1), process(A, rss=1)])
    found = watch_of(read_results(builder.build()))

    assert [row["pid"] for row in found["per_worker"]] == [A]
    assert found["busy"]["from_stacks"]["workers_max"] == 1.0


def test_all_workers_busy_is_said_in_seconds(tmp_path: Path) -> None:
    text = raw(A, SYNC_BUSY, 100) + raw(B, SYNC_BUSY, 99) + raw(B, SYNC_IDLE, 1)
    results = sampled(tmp_path, text, {"worker_class": "sync", "workers": 2})

    assert watch_of(results)["busy"]["from_stacks"]["seconds_all_busy"] == 5


@pytest.mark.parametrize("metrics", [True, False])
def test_idle_time_around_the_load_is_not_in_the_share_of_busy_workers(tmp_path: Path, metrics: bool) -> None:
    builder, watch = watched(tmp_path, {"worker_class": "sync", "workers": 1}, WALL)
    builder.load(
        "http", [request(4.0, 1000), request(15.0, 1000)]
    )  # the first chunk is idle for 4 of its 5 seconds
    idle = raw(A, SYNC_BUSY, 20) + raw(A, SYNC_IDLE, 80)
    for seq, text in enumerate([idle, raw(A, SYNC_BUSY, 100), raw(A, SYNC_BUSY, 100), idle]):
        builder.chunk("app", "wall", seq, text)
    for second in range(20 if metrics else 0):
        watch.line(second, processes=[process(A, rss=1)])
    found = watch_of(read_results(builder.build()))

    stacks = found["busy"]["from_stacks"]
    assert (stacks["workers_mean"], stacks["seconds"], stacks["blurred"]) == (1.0, 10.0, False)
    assert [row["busy"] for row in found["per_worker"]] == [1.0]


def test_a_load_shorter_than_a_chunk_has_idle_time_in_it_and_says_so(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path, {"worker_class": "sync", "workers": 1}, WALL)
    builder.load("http", [request(1.0, 1000), request(2.0, 1000)])
    builder.chunk("app", "wall", 0, raw(A, SYNC_BUSY, 40) + raw(A, SYNC_IDLE, 60))
    for second in range(5):
        watch.line(second, processes=[process(A, rss=1)])
    stacks = watch_of(read_results(builder.build()))["busy"]["from_stacks"]

    assert (stacks["workers_mean"], stacks["seconds"], stacks["blurred"]) == (0.4, 2.0, True)


def test_a_worker_and_the_one_born_in_its_place_are_not_busy_together(tmp_path: Path) -> None:
    builder, watch = watched(tmp_path, {"worker_class": "sync", "workers": 1}, WALL)
    builder.chunk("app", "wall", 0, raw(A, SYNC_BUSY, 40) + raw(B, SYNC_BUSY, 60))
    watch.workers(0, born=[life(A)])
    watch.workers(2, died=[life(A)], born=[life(B)])
    for second in range(5):
        watch.line(second, processes=[process(A if second < 2 else B, rss=1)])
    found = watch_of(read_results(builder.build()))

    assert found["busy"]["from_stacks"]["workers_max"] == 1.0


def test_of_a_worker_with_threads_the_busy_ones_are_counted(tmp_path: Path) -> None:
    text = raw(A, SELECT, 100)
    for number, count in enumerate((100, 50)):
        text += raw(A, POOL_BUSY, count, thread=f"pool_{number}", tid=20 + number)
        text += (
            raw(A, POOL_WAIT, 100 - count, thread=f"pool_{number}", tid=20 + number) if count < 100 else ""
        )
    text += raw(B, SELECT, 100)
    for number in range(2):
        text += raw(B, POOL_BUSY, 50, thread=f"pool_{number}", tid=30 + number)
        text += raw(B, POOL_WAIT, 50, thread=f"pool_{number}", tid=30 + number)
    results = sampled(tmp_path, text, {"worker_class": "gthread", "workers": 2, "threads": 2})

    found = watch_of(results)["busy"]["from_stacks"]
    assert (found["threads_mean"], found["threads"]) == (2.5, 4)
    assert found["workers_mean"] == 1.75, "A always; B but when both of its threads wait: 1 - 0.5 * 0.5"
    assert found["seconds_all_busy"] == 0


def test_threads_of_unknown_number_are_never_said_to_be_all_busy(tmp_path: Path) -> None:
    results = sampled(tmp_path, raw(A, POOL_BUSY, 100, tid=20), {"worker_class": "gthread", "workers": 1})

    assert watch_of(results)["busy"]["from_stacks"]["seconds_all_busy"] is None


@pytest.mark.parametrize(
    ("view", "gunicorn", "reason"),
    [
        ({"valid": False, "reason": "foreign"}, {"worker_class": "sync"}, "would not be true"),
        ({}, {"worker_class": "shop.Worker"}, "no thread was seen in a request"),
        ({}, {}, "no thread was seen in a request"),
    ],
)
def test_what_cannot_be_told_from_the_stacks_is_not_told(
    tmp_path: Path, view: dict[str, Any], gunicorn: dict[str, Any], reason: str
) -> None:
    busy = watch_of(sampled(tmp_path, raw(A, BACKGROUND, 100), gunicorn, **view))["busy"]

    assert busy["from_stacks"] is None
    assert reason in busy["reason"]


def test_without_a_wall_view_nothing_is_said_of_busy_workers(tmp_path: Path) -> None:
    builder, _ = watched(tmp_path, {"worker_class": "sync"}, {"cpu": {"rate_hz": 20.0, "valid": True}})
    builder.chunk("app", "cpu", 0, raw(A, SYNC_BUSY, 100))
    busy = watch_of(read_results(builder.build()))["busy"]

    assert (busy["from_stacks"], busy["reason"]) == (None, "no wall view was recorded")


@pytest.mark.parametrize(
    ("frame", "inside"),
    [
        (f"SyncWorker.handle ({SITE}/gunicorn/workers/sync.py:136)", True),
        (f"handle_request ({SITE}/gunicorn/workers/base_async.py:320)", True),
        (f"HttpProtocol._handle_http_request ({SITE}/gunicorn/asgi/protocol.py:1700)", True),
        (f"RequestResponseCycle.run_asgi ({SITE}/uvicorn/protocols/http/h11_impl.py:403)", True),
        (f"SyncWorker.accept ({SITE}/gunicorn/workers/sync.py:28)", False),
        (f"SyncWorker.handle_quit ({SITE}/gunicorn/workers/base.py:28)", False),
        (f"Arbiter.handle_hup ({SITE}/gunicorn/arbiter.py:28)", False),
        ("handle (/srv/shop/gunicorn/workers/handlers.py:5)", False),
        ("handle (/srv/shop/views.py:5)", False),
        ("handle", False),
    ],
)
def test_frames_that_serve_a_connection(frame: str, inside: bool) -> None:
    assert serves(frame) is inside
