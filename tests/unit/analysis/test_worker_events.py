"""Table `worker_events`: who was born and who died, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.run_folders import START_NS, RunFolderBuilder
from tests.server_metrics import ServerWatch, at, life, process
from tests.worker_lives import ARBITER, OTHER_ARBITER, A, B, C, Service
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def test_a_birth_is_when_the_log_says_so(service: Service) -> None:
    service.say(20.0, "Handling signal: hup")
    service.say(20.1, f"Booting worker with pid: {C}", pid=C)
    service.watch.workers(20.6, born=[life(C, 19.3)])
    service.died(C, 50, {"code": 0}, born_s=19.3)

    birth = next(event for event in service.events() if event["what"] == "born")
    assert birth["t_ns"] >= at(20.0)
    assert birth["cause"] == "hup"
    assert service.causes() == {C: ("unknown", "unknown")}, "it is one of the new ones"


def test_workers_too_short_lived_for_the_agent_are_known_from_the_log(service: Service) -> None:
    service.say(20, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 20.4, {"code": 0})
    for second in (21, 22):
        pid = 900 + second
        service.say(second, f"Booting worker with pid: {pid}", pid=pid)
        service.say(second + 0.3, f"Worker (pid:{pid}) exited with code 3.", level="ERROR")
    service.say(
        23, "Booting worker with pid: 999999", pid=999999
    )  # forged: the agent would have seen it live on

    events = [event for event in service.events() if event["pid"] > 900]
    assert [(event["pid"], event["what"], event["cause"]) for event in events] == [
        (921, "born", "replaced"),
        (921, "died", "boot_failed"),
        (922, "born", "replaced"),
        (922, "died", "boot_failed"),
    ]
    assert events[0]["create_time"] is None


def test_pids_of_a_container_make_no_workers(service: Service) -> None:
    service.say(20, "Booting worker with pid: 12", pid=12)
    service.say(21, "WORKER TIMEOUT (pid:12)", level="CRITICAL")
    service.say(22, "Worker exiting (pid: 12)", pid=12)

    assert {event["pid"] for event in service.events()} == {A, B}


def test_a_death_is_at_the_time_that_the_log_names_and_a_birth_at_its_creation(service: Service) -> None:
    service.say(20.0, f"Worker exiting (pid: {A})", pid=A)
    service.died(A, 21.3)
    service.born(C, 22.0)

    times = {(event["pid"], event["what"]): (event["t_ns"] - START_NS) / 1e9 for event in service.events()}
    assert 19.9 <= times[A, "died"] <= 20.2
    assert times[C, "born"] == pytest.approx(22.0, abs=0.01)
    assert times[A, "there"] == 0.0


def test_times_are_moved_to_the_controllers_clock(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {}, offset_ns=5_000_000_000)
    watch = ServerWatch(builder, "app")
    watch.workers(0, born=[life(A)])
    watch.workers(10, born=[life(C, 9.5)])

    with open_tables(builder.build()) as connection:
        found = connection.execute("SELECT pid, t_ns FROM worker_events ORDER BY pid").fetchall()
    assert found == [(A, at(5)), (C, at(14.5))]


def test_without_the_list_of_workers_their_lives_are_in_the_metrics(tmp_path: Path) -> None:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {})
    watch = ServerWatch(builder, "app")
    for second in range(20):
        alive = [(A, -100.0)] if second < 9 else [(C, 9.0)]
        watch.line(
            second,
            processes=[
                process(ARBITER, "arbiter", rss=1),
                *(process(pid, born_s=born) for pid, born in alive),
            ],
        )

    with open_tables(builder.build()) as connection:
        found = connection.execute("SELECT pid, what, t_ns FROM worker_events ORDER BY t_ns, pid").fetchall()
    assert found == [(A, "there", at(0)), (A, "died", at(8)), (C, "born", at(9))]


def test_an_arbiter_is_no_worker(service: Service) -> None:
    service.watch.line(0, processes=[process(OTHER_ARBITER, "arbiter", 5.0, rss=1)])
    service.watch.workers(5, born=[life(OTHER_ARBITER, 5.0)])
    service.watch.workers(6, born=[life(801, 6.0) | {"title": "arbiter"}])

    assert {event["pid"] for event in service.events()} == {A, B}


HOSTILE: Sequence[bytes] = (
    b"\xff\xfe\n",
    b"[1]\n",
    b'{"t_ns": NaN}\n',
    b'{"t_ns": 1, "born": 5, "died": {"a": 1}}\n',
    b'{"t_ns": %d, "born": [5, null, {"pid": "x"}, {"pid": -1}], "died": [{"pid": 1e9}]}\n' % START_NS,
    b'{"t_ns": ' + b"9" * 5000 + b"}\n",
    b'{"t_ns":' + b"[" * 100_000 + b"\n",
    b"x" * (2 << 20) + b"\n",
)


def test_lines_that_are_none_hurt_nobody(service: Service) -> None:
    with service.watch.folder.workers.open("ab") as file:
        file.writelines(HOSTILE)
    service.died(A, 20, {"signal": 9})

    assert service.causes() == {A: ("killed", "likely")}
    missing = read_results(service.builder.run).summary["missing"]
    assert any("workers.jsonl holds 6 records that cannot be read" in said for said in missing)


def test_a_death_of_one_never_seen_alive_is_told(service: Service) -> None:
    service.died(777, 20, {"signal": 11})

    assert service.causes() == {777: ("crash", "certain")}
    assert [event["what"] for event in service.events() if event["pid"] == 777] == ["there", "died"]


def test_a_clock_that_was_set_makes_nobody_new(service: Service) -> None:
    service.watch.workers(5, born=[life(A, -99.0)])
    service.died(A, 20, {"signal": 11}, born_s=-98.5)

    assert [(event["pid"], event["what"]) for event in service.events()] == [
        (A, "there"),
        (B, "there"),
        (A, "died"),
    ]


def test_a_pid_that_is_used_again_is_another_worker(service: Service) -> None:
    service.watch.workers(20, born=[life(A, 19.5)])
    service.died(A, 40, {"signal": 11}, born_s=19.5)

    found = [(event["what"], event["cause"]) for event in service.events() if event["pid"] == A]
    assert found == [("there", "started"), ("born", "replaced"), ("died", "unknown"), ("died", "crash")]
