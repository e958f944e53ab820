"""The section on each server in summary.txt: short, and right at three in the morning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import RunFolderBuilder, raw, request
from tests.server_logs import ServerLogs
from tests.server_metrics import ServerWatch, life, process
from toolkit.analysis.results import read_results
from toolkit.reports import summary_json, summary_text

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

MIB = 2**20


def text_of(run: RunFolder) -> str:
    ((_, data),) = summary_text.render(read_results(run))
    return data.decode()


def section(text: str) -> str:
    """From the server's head to the next empty line."""
    return text[text.index("\nServer ") + 1 :].split("\n\n")[0]


def bad_night(tmp_path: Path) -> RunFolder:
    """Ten seconds of load; the queue fills, one worker times out, one is killed."""
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    builder.manifest.servers[0].facts = {
        "target_python": "3.11.7",
        "gunicorn": {"version": "27.0.1", "worker_class": "gthread", "workers": 2, "threads": 4},
    }
    builder.load("http", [request(0.0), request(9.0, 1000)])
    watch = ServerWatch(builder, "web-1")
    watch.workers(0, born=[life(701), life(702)])
    for second in range(11):
        watch.line(
            second,
            host={
                "cores": 2,
                "cpu_user": second * 1.25,
                "memory_available": 4096 * MIB,
                "swap_used": 0,
                "oom_kills": 0,
            },
            service={
                "accept_queue": 64 if second in (4, 5) else 0,
                "accept_queue_limit": 64,
                "connections": 9,
            },
            processes=[process(701, cpu_user=second * 0.9, rss=50 * MIB), process(702, rss=40 * MIB)],
        )
    logs = ServerLogs(builder.run, "web-1")
    log = logs.source("/var/log/error.log", role="error")
    logs.block(log, 6, "[2026-11-21 14:30:06 +0000] [700] [CRITICAL] WORKER TIMEOUT (pid:701)\n")
    logs.block(
        log,
        7,
        "[2026-11-21 14:30:07 +0000] [700] [ERROR] Worker (pid:702) was sent SIGKILL! Perhaps out of memory?\n",
    )
    watch.workers(7, died=[life(701, exit={"code": 1})], born=[life(703, 6.8)])
    watch.workers(7.5, died=[life(702, exit={"signal": 9})])
    return builder.build()


def test_a_bad_night_fits_on_a_screen(tmp_path: Path) -> None:
    text = section(text_of(bad_night(tmp_path)))

    assert text.startswith("Server web-1 (gunicorn 27.0.1, gthread, 2 workers × 4 threads, Python 3.11.7)\n")
    assert "10 s (while requests were sent), every 1 s" in text
    rows = {line.split("  ")[1]: line.split() for line in text.splitlines() if line.startswith("  ")}
    assert rows["CPU, cores"][-4:] == ["1.25"] * 4
    assert rows["memory available, MiB"][-4:] == ["4096"] * 4
    assert "swap" not in text, "there was none"
    assert "Accept queue: at most 64 of 64 (at 00:00:04), mean 11.64, FULL for 2 s" in text
    assert "2 workers died, 1 was born" in text
    assert "timeout: 1: 701 at 00:00:0" in text
    assert "killed: 1: 702 at 00:00:0" in text
    assert "Perhaps out of memory" not in text, "gunicorn's guess is none of ours"
    assert rows["701"][1:3] == ["90.0", "90.0"]
    assert len(text.splitlines()) <= 25


def test_the_section_stands_before_the_profile_and_after_the_requests(tmp_path: Path) -> None:
    text = text_of(bad_night(tmp_path))
    assert text.index("\nPhases") < text.index("\nServer web-1") < text.index("\nProfile of web-1")


def test_a_quiet_service_is_said_to_be_one(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    ServerLogs(builder.run, "web-1").source(role="error")
    watch = ServerWatch(builder, "web-1")
    watch.workers(0, born=[life(701)])
    watch.line(0, service={"accept_queue": 0, "accept_queue_limit": 2048})
    watch.line(1, service={"accept_queue": 0, "accept_queue_limit": 2048})
    text = section(text_of(builder.build()))

    assert "No worker died." in text
    assert "Accept queue: at most 0 of 2048, mean 0\n" in text
    assert "(all that was measured)" in text


@pytest.mark.parametrize(("dies", "words"), [(False, "No worker died"), (True, "1 worker died, 1 was born")])
def test_where_no_log_tells_of_births_it_is_said_what_was_not_seen(
    tmp_path: Path, *, dies: bool, words: str
) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    watch = ServerWatch(builder, "web-1")
    watch.workers(0, born=[life(701)])
    watch.line(0, service={"accept_queue": 0, "accept_queue_limit": 2048})
    if dies:
        watch.workers(7, died=[life(701, exit={"code": 1})], born=[life(703, 6.8)])

    text = text_of(builder.build())

    assert f"{words} (one that lived for less than a second would not be seen" in text


def test_each_worker_has_its_memory_switches_and_disk(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {})
    builder.load("http", [request(0.0), request(9.0)])
    watch = ServerWatch(builder, "app")
    watch.workers(-1, born=[life(701), life(702)])
    for second in range(11):
        told: dict[str, Any] = {
            "cpu_user": second * 0.1,
            "switches_voluntary": second * 200,
            "switches_involuntary": second * 50,
            "io_write": second * 4096,
        }
        watch.line(second, processes=[process(701, rss=50 * MIB, uss=20 * MIB, **told)])
    watch.workers(15, died=[life(702, exit={"code": 0})])  # long after the load
    text = section(text_of(builder.build()))

    head, row = next(
        (line.split(), below.split())
        for line, below in zip(text.splitlines(), text.splitlines()[1:], strict=False)
        if "switches/s" in line
    )
    assert "USS" in head
    assert [word for word in row if word in {"20.0", "250", "4.0"}] == ["20.0", "250", "4.0"]
    assert "In the whole recording, 1 worker died" in text


def test_a_server_of_which_nothing_was_measured_has_no_section(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    assert "\nServer web-1" not in text_of(builder.build())


def test_what_the_kernel_counted_is_called_by_its_name(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    watch = ServerWatch(builder, "web-1")
    for second in range(3):
        watch.line(
            second,
            host={"listen_overflows": 100 + 7 * second},
            service={"accept_queue": 9, "accept_queue_limit": 8},
        )
    text = section(text_of(builder.build()))

    assert (
        "turned connections away 14 times as a queue was full (ListenOverflows of the service's network"
        in text
    )
    assert "each retry counted" in text
    assert "host" not in text[text.index("Accept queue") :].splitlines()[0]


def test_the_stacks_alone_make_a_section(tmp_path: Path) -> None:
    """With neither metrics nor logs."""
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {"wall": {"rate_hz": 20.0, "valid": True, "reason": ""}})
    builder.manifest.servers[0].facts = {"gunicorn": {"worker_class": "sync", "workers": 2}}
    handle = (
        "<module> (/srv/bin/gunicorn:8)",
        "SyncWorker.handle (/srv/lib/python3.11/site-packages/gunicorn/workers/sync.py:136)",
    )
    builder.chunk("web-1", "wall", 0, raw(701, handle, 100))
    text = section(text_of(builder.build()))

    assert "1 of 2 inside a request on average, at most 1 (stacks, means over 5 s, of 5 s)" in text
    assert "Births and deaths of workers were not watched." in text
    assert "No worker died" not in text


def test_many_workers_and_deaths_are_cut_and_counted(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    watch = ServerWatch(builder, "web-1")
    watch.workers(0, born=[life(pid) for pid in range(1000, 1700)])
    for second in range(2):
        watch.line(second, processes=[process(pid, cpu_user=second * pid / 1e4) for pid in range(1000, 1700)])
    for pid in range(1000, 1700):
        watch.workers(1 + pid / 100, died=[life(pid, exit={"signal": 11})])
    run = builder.build()
    results = read_results(run)

    found = results.summary["servers"][0]["watch"]
    assert (len(found["per_worker"]), found["workers_left_out"]) == (200, 500)
    assert (len(found["workers"]["deaths"]), found["workers"]["deaths_left_out"]) == (500, 200)
    assert found["workers"]["by_cause"] == {"crash": 700}
    text = section(text_of(run))
    assert "and 694 more" in text
    assert "… and 684 workers that used less CPU" in text
    assert "\n  1699 " in text, "those that used most are shown"
    assert len(text.splitlines()) < 35


def test_hostile_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\u202e<script>\r\n"
    builder = RunFolderBuilder(tmp_path)
    builder.server("web-1", {})
    entry = builder.manifest.servers[0]
    entry.facts = {"target_python": evil, "gunicorn": {"version": evil, "worker_class": evil, "workers": 2}}
    watch = ServerWatch(builder, "web-1")
    watch.workers(0, born=[life(701, title=evil)])
    watch.workers(1, died=[life(701, exit={"signal": evil[:9]})])
    logs = ServerLogs(builder.run, "web-1")
    log = logs.source(f"/var/log/{evil}", role="error")
    logs.block(log, 2, f"[2026-11-21 14:30:01 +0000] [701] [INFO] Parent changed, shutting down: {evil}\n")
    watch.line(0, host={"load_1": 1, evil: 2}, processes=[process(701, rss=1) | {"state": evil}])
    watch.line(1, host={"load_1": 1})
    run = builder.build()

    text = text_of(run)
    assert all(character == "\n" or character.isprintable() for character in text)
    ((_, data),) = summary_json.render(read_results(run))
    assert data.isascii()
    assert b"\x1b" not in data
    assert json.loads(data)["servers"][0]["watch"]["workers"]["class"] == evil
