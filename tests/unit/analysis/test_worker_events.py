"""Table `worker_events`: who was born and who died, when, and why: what is certain, what is likely, what nobody can know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.run_folders import START_NS, RunFolderBuilder
from tests.server_logs import ServerLogs
from tests.server_metrics import ServerWatch, at, life, process
from toolkit.analysis.results import read_results
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ARBITER = 700
A, B, C, D = 701, 702, 703, 704
OTHER_ARBITER = 800


@dataclass
class Service:
    """A gunicorn with the workers A and B, watched from second 0 to 60, with its error log."""

    builder: RunFolderBuilder
    watch: ServerWatch
    logs: ServerLogs
    log: int = -1

    def say(self, second: float, *messages: str, pid: int = ARBITER, level: str = "INFO") -> None:
        """Lines of gunicorn's log, read as they are written."""
        if self.log < 0:
            self.log = self.logs.source("/var/log/shop/error.log", role="error")
        stamp = datetime.fromtimestamp(int(at(second) / 1e9), UTC).strftime("%Y-%m-%d %H:%M:%S +0000")
        text = "".join(f"[{stamp}] [{pid}] [{level}] {message}\n" for message in messages)
        self.logs.block(self.log, second + 0.1, text)

    def measure(self, oom: Callable[[int], dict[str, dict[str, Any]]] | None = None) -> None:
        """A metrics line a second, with the kernel's counts of kills for lack of memory as `oom` gives them."""
        for second in range(61):
            counts = oom(second) if oom else {"host": {"oom_kills": 4}, "service": {"cgroup_oom_kills": 0}}
            self.watch.line(second, host=counts.get("host"), service=counts.get("service"))

    def died(
        self, pid: int, second: float, how: dict[str, Any] | None = None, born_s: float | None = None
    ) -> None:
        """The agent saw it die."""
        if born_s is None:
            born_s = -99.0 if pid == B else -100.0
        said = {} if how is None else {"exit": how}
        self.watch.workers(second, died=[life(pid, born_s, **said)])

    def born(self, pid: int, second: float) -> None:
        """The agent saw it be born."""
        self.watch.workers(second + 0.4, born=[life(pid, second)])

    def events(self) -> list[dict[str, Any]]:
        """The table, in its order."""
        with open_tables(self.builder.build()) as connection:
            cursor = connection.execute("SELECT * FROM worker_events ORDER BY t_ns, pid, what = 'died'")
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def causes(self) -> dict[int, tuple[str, str]]:
        """Of each that died: cause and certainty."""
        return {
            event["pid"]: (event["cause"], event["certainty"])
            for event in self.events()
            if event["what"] == "died"
        }

    def death(self, pid: int) -> dict[str, Any]:
        """The death of one."""
        return next(event for event in self.events() if (event["pid"], event["what"]) == (pid, "died"))


@pytest.fixture
def service(tmp_path: Path) -> Service:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", {})
    watch = ServerWatch(builder, "app")
    watch.workers(0, born=[life(A), life(B, -99.0)])
    return Service(builder, watch, ServerLogs(builder.run, "app"))


def kills(second: int, scope: str) -> Callable[[int], dict[str, dict[str, Any]]]:
    """The kernel's counts, of which that of `scope` grows in this second."""

    def counts(now: int) -> dict[str, dict[str, Any]]:
        grown = int(now >= second)
        return {
            "host": {"oom_kills": 4 + grown},
            "service": {"cgroup_oom_kills": grown if scope == "service" else 0},
        }

    return counts


KILLED = "Worker (pid:%d) was sent SIGKILL! Perhaps out of memory?"


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


def test_a_birth_is_when_the_log_says_so(service: Service) -> None:
    service.say(20.0, "Handling signal: hup")
    service.say(20.1, f"Booting worker with pid: {C}", pid=C)
    service.watch.workers(20.6, born=[life(C, 19.3)])
    service.died(C, 50, {"code": 0}, born_s=19.3)

    birth = next(event for event in service.events() if event["what"] == "born")
    assert birth["t_ns"] >= at(20.0)
    assert birth["cause"] == "hup"
    assert service.causes() == {C: ("unknown", "unknown")}, "it is one of the new ones"


def test_without_a_log_the_death_of_all_is_likely_the_end(service: Service) -> None:
    for pid in (A, B):
        service.died(pid, 55)

    assert service.causes() == {A: ("shutdown", "likely"), B: ("shutdown", "likely")}


def test_a_detailed_log_without_a_word_on_an_end_hints_at_a_signal(service: Service) -> None:
    service.say(10, f"Worker exiting (pid: {B})", pid=B)
    service.died(B, 10.5)
    service.born(C, 10.6)
    service.died(A, 30)

    assert service.causes()[A] == ("killed", "likely")


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
