"""Metrics, accept queues, births and deaths of real gunicorns, seen by a real agent."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.gunicorns import Gunicorn, children_of, free_port, running, until, without_setproctitle
from tests.integration.agent.driver import Agent
from tests.integration.agent.interpreters import interpreter
from tests.integration.agent.load import Load
from toolkit.recording.metric_fields import COUNTER, HOST, PROCESS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.agent.driver import Message

COUNTERS = {name for name, metric in {**HOST, **SERVICE, **PROCESS}.items() if metric.kind == COUNTER}


def watch(agent: Agent, pid: int, interval_s: float | None = 0.2) -> Message:
    """Find by PID and watch; the first `workers` line."""
    assert agent.find(pid=pid)["type"] == "found"
    agent.say(op="watch", interval_s=interval_s, logs=None)
    answer = agent.wait("watching")
    assert (answer["sources"], answer["notes"]) == ([], [])
    return agent.wait("workers", "metrics")


def sample(agent: Agent, wanted: Any, what: str) -> Message:
    """The first metrics line of which `wanted` is true."""
    lines: list[Message] = []

    def fits() -> bool:
        agent.say(
            op="ping", t0=0
        )  # what is dear comes in few samples: longer than the agent waits for a word
        lines.append(agent.wait("metrics", "workers", "log"))
        return lines[-1]["type"] == "metrics" and bool(wanted(lines[-1]))

    until(fits, what)
    return lines[-1]


def deaths(agent: Agent, count: int) -> dict[int, Any]:
    """The next `count` workers that died: PID → `exit`."""
    found: dict[int, Any] = {}
    while len(found) < count:
        for worker in agent.wait("workers")["died"]:
            found[worker["pid"]] = worker.get("exit")
    return found


def exits_are_told() -> bool:
    """Whether the kernel tells how others' children ended without a race (PIDFD_GET_INFO, Linux 6.15)."""
    return tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 15)


@contextlib.contextmanager
def connections(address: int | str, count: int, say: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections to a port or a unix socket."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            one = stack.enter_context(socket.socket(family))
            one.settimeout(10)
            one.connect(address if isinstance(address, str) else ("127.0.0.1", address))
            one.sendall(say)
            found.append(one)
        yield found


def test_the_numbers_are_those_of_psutil(agent: Agent, service: Gunicorn) -> None:
    with Load(service):
        time.sleep(0.3)
    watch(agent, service.pid)
    line = sample(agent, lambda one: any("uss" in row for row in one["processes"]), "a sample with USS")

    assert set(line["host"]) <= set(HOST)
    assert set(line["service"]) <= set(SERVICE)
    rows = {row["pid"]: row for row in line["processes"]}
    assert set(rows) == {service.pid, *service.worker_pids}
    assert [row["role"] for row in line["processes"]] == ["arbiter", "worker", "worker"]
    for pid, row in rows.items():
        assert set(row) <= {*PROCESS, "pid", "create_time", "role", "state"}
        process = psutil.Process(pid)
        used = process.cpu_times()
        assert row["cpu_user"] == pytest.approx(used.user, abs=0.1)
        assert row["cpu_system"] == pytest.approx(used.system, abs=0.1)
        assert row["create_time"] == pytest.approx(process.create_time(), abs=1.1)
        assert row["rss"] == pytest.approx(process.memory_info().rss, rel=0.1)
        assert row["threads"] == process.num_threads()
        assert row["descriptors"] == process.num_fds()
        assert row["io_write"] == pytest.approx(process.io_counters().write_bytes, abs=1e6)
        switches = process.num_ctx_switches()  # of the first thread alone
        assert row["switches_voluntary"] >= switches.voluntary * 0.5
        if "uss" in row:
            assert row["uss"] == pytest.approx(process.memory_full_info().uss, rel=0.1)

    host, cpu, memory, net = (
        line["host"],
        psutil.cpu_times(),
        psutil.virtual_memory(),
        psutil.net_io_counters(True),
    )
    assert host["cpu_user"] == pytest.approx(cpu.user + cpu.nice, abs=3)
    assert host["cpu_idle"] == pytest.approx(cpu.idle, abs=10)
    assert host["cores"] == psutil.cpu_count()
    assert host["memory_total"] == memory.total
    assert host["memory_available"] == pytest.approx(memory.available, rel=0.1)
    assert host["swap_total"] == psutil.swap_memory().total
    assert host["context_switches"] == pytest.approx(psutil.cpu_stats().ctx_switches, rel=0.05)
    assert host["net_loopback"] == pytest.approx(net["lo"].bytes_sent, rel=0.05)
    outside = sum(one.bytes_recv for name, one in net.items() if name != "lo")
    assert host.get("net_in", 0) == pytest.approx(outside, rel=0.05)
    assert host["load_1"] == pytest.approx(psutil.getloadavg()[0], abs=1.0)


def test_counters_only_grow_and_samples_lie_on_the_clock(agent: Agent, service: Gunicorn) -> None:
    watch(agent, service.pid, 0.2)
    with Load(service) as load:
        lines = [agent.wait("metrics") for _ in range(12)]

    gaps = [(line["t"] % 200_000_000) / 1e6 for line in lines]
    assert sorted(gaps)[len(gaps) // 2] < 20, f"ms after the whole multiple of 0.2 s: {gaps}"
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    before: dict[tuple[Any, str], float] = {}
    grown: set[tuple[Any, str]] = set()
    for line in lines:
        values: dict[tuple[Any, str], float] = {
            ("host", name): value for name, value in line["host"].items() if name in COUNTERS
        }
        for row in line["processes"]:
            values.update({(row["pid"], name): value for name, value in row.items() if name in COUNTERS})
        for key, value in values.items():
            assert value >= before.get(key, 0), key
            grown |= {key} if value > before.get(key, value) else set()
        before.update(values)
    assert grown & {("host", "cpu_user"), ("host", "context_switches")}
    for pid in load.answered:
        assert (pid, "cpu_user") in grown
        assert (pid, "switches_voluntary") in grown
    limits = [row for line in lines for row in line["processes"] if "descriptors_limit" in row]
    assert len(limits) == 3, "once for each process"


def test_the_queue_grows_while_every_sync_worker_is_held(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "queue", "sync", 2, ["--backlog", "64", "--timeout", "300"]) as gunicorn:
        watch(agent, gunicorn.pid)
        both = {"accept_queue", "connections"}
        calm = sample(agent, lambda line: both <= set(line["service"]), "a sample")["service"]
        assert (calm["accept_queue"], calm["accept_queue_limit"], calm["connections"]) == (0, 64, 0)
        with connections(gunicorn.port, 2):  # who connects and says nothing holds a worker
            sample(agent, lambda line: line["service"].get("connections") == 2, "both workers being held")
            with connections(gunicorn.port, 5, b"GET / HTTP/1.0\r\n\r\n") as waiting:
                # Connections are dear to count: a sample may hold them without the queue, and the other way round.
                full = sample(
                    agent,
                    lambda line: both <= set(line["service"]) and line["service"]["connections"] == 7,
                    "seven connections",
                )
                assert full["service"]["accept_queue"] == 5
                waiting[0].close()
                closed = sample(
                    agent,
                    lambda line: (
                        both <= set(line["service"]) and line["service"].get("connections_close_wait") == 1
                    ),
                    "one gone",
                )
                assert closed["service"]["accept_queue"] == 5, "it waits on, for nobody"
        sample(agent, lambda line: line["service"].get("accept_queue") == 0, "an empty queue")


def test_a_unix_socket_has_a_queue_too(agent: Agent, folder: Path) -> None:
    path = str(folder / "a b.sock")
    options = ["--bind", f"unix:{path}", "--backlog", "32", "--timeout", "300"]
    with Gunicorn(folder / "unix", "sync", 1, options) as gunicorn:
        watch(agent, gunicorn.pid)
        with connections(path, 4):
            full = sample(agent, lambda line: line["service"].get("accept_queue") == 3, "three in the queue")
            assert full["service"]["accept_queue_limit"] == 32
            sample(agent, lambda line: line["service"].get("connections") == 4, "four connections")


def test_connections_to_others_are_counted_apart(agent: Agent, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as database, Gunicorn(folder / "out", "sync", 1) as gunicorn:
        (gunicorn.folder / "service_wsgi.py").write_text(
            "import socket\n"
            f"held = socket.create_connection({database.getsockname()!r})\n"
            "def application(environ, start_response):\n"
            "    start_response('200 OK', [])\n"
            "    return [b'ok']\n"
        )
        gunicorn.signal(signal.SIGHUP)
        database.settimeout(10)
        peer, _ = database.accept()
        with peer:
            watch(agent, gunicorn.pid)
            line = sample(
                agent, lambda line: line["service"].get("connections_out"), "a connection to the database"
            )
            assert line["service"]["connections_out"] == 1
            assert line["service"]["connections"] == 0


def test_births_and_deaths_are_told_once_with_how_they_ended(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "births") as gunicorn:
        first = gunicorn.worker_pids
        present = watch(agent, gunicorn.pid, None)
        assert sorted(worker["pid"] for worker in present["born"]) == first
        assert present["died"] == []
        os.kill(first[0], signal.SIGKILL)
        killed_ns = time.time_ns()
        died = agent.wait("workers")
        assert [worker["pid"] for worker in died["died"]] == [first[0]]
        assert 0 <= died["t"] - killed_ns < 0.7e9, "told when it happens, not at the next look"
        if exits_are_told():
            assert died["died"][0]["exit"] == {"signal": signal.SIGKILL}
        born = died["born"] or agent.wait("workers")["born"]
        assert [worker["pid"] for worker in born] == [pid for pid in gunicorn.worker_pids if pid not in first]

        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGHUP)
        ended = deaths(agent, 2)
        assert set(ended) == set(before)
        if exits_are_told():
            assert list(ended.values()) == [{"code": 0}] * 2, "they were asked to end, and did"
        agent.stop()
        told = [
            worker["pid"] for line in agent.messages if line["type"] == "workers" for worker in line["born"]
        ]
        assert len(told) == len(set(told))


def test_watching_begins_while_recording_and_one_stop_ends_both(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "both") as gunicorn:
        first = gunicorn.worker_pids
        agent.record(gunicorn.pid)
        os.kill(first[0], signal.SIGKILL)
        assert list(deaths(agent, 1)) == [first[0]]
        until(lambda: len(set(gunicorn.worker_pids) - {first[0]}) == 2, "the new worker")
        agent.say(op="watch", interval_s=0.2, logs=None)
        agent.wait("watching")
        assert sorted(worker["pid"] for worker in agent.wait("workers")["born"]) == gunicorn.worker_pids
        second = gunicorn.worker_pids[0]
        os.kill(second, signal.SIGKILL)
        assert list(deaths(agent, 1)) == [second], "once, whoever wants to know it"
        agent.wait("metrics")
        agent.wait_chunks("wall", 2)
        agent.say(op="stop")
        agent.wait("stopped")
        after = agent.messages[next(i for i, one in enumerate(agent.messages) if one["type"] == "stopped") :]
        assert len(after) == 1
        died = [
            worker["pid"] for line in agent.messages if line["type"] == "workers" for worker in line["died"]
        ]
        assert sorted(died) == sorted([first[0], second])
        assert agent.bye() == 0


def test_recording_begins_while_watching(agent: Agent, service: Gunicorn) -> None:
    watch(agent, service.pid)
    agent.say(op="record", views=["wall"], rate_hz=100, chunk_s=1.0)
    agent.wait("recording", timeout_s=30)
    with Load(service):
        agent.wait_chunks("wall", 2)
    count = sum(1 for one in agent.messages if one["type"] == "metrics")
    assert count > 5, "recording does not keep the metrics waiting"
    agent.stop()
    assert agent.samples("wall", "hot_function") > 5


def test_a_recording_may_end_before_the_watching(agent: Agent, service: Gunicorn) -> None:
    watch(agent, service.pid)
    agent.say(op="stop", only="recording")
    assert agent.wait("error", "stopped")["code"] == "protocol", "there is none"
    agent.say(op="record", views=["wall", "cpu"], rate_hz=50, chunk_s=5.0)
    agent.wait("recording", timeout_s=30)
    agent.say(op="stop", only="recording")
    until(
        lambda: (
            {chunk["view"] for chunk in agent.chunks if chunk["seq"]} == {"wall", "cpu"} or not agent.next()
        ),
        "both",
    )
    agent.wait("metrics")
    agent.wait("metrics")
    assert not any(message["type"] == "stopped" for message in agent.messages)
    agent.stop()
    assert agent.bye() == 0


def test_a_recording_that_ends_with_the_arbiter_does_not_end_the_watching(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "gone") as gunicorn:
        workers = gunicorn.worker_pids
        watch(agent, gunicorn.pid)
        agent.say(op="record", views=["wall"], rate_hz=100, chunk_s=1.0)
        agent.wait("recording", timeout_s=30)
        gunicorn.signal(signal.SIGTERM)
        gunicorn.process.wait(10)
        seen: list[str] = []
        died: list[int] = []

        def all_over() -> bool:
            message = agent.next()
            assert message
            seen.append(message["type"])
            if message["type"] == "error":
                assert (message["code"], message["fatal"]) == ("gone", True)
            died.extend(worker["pid"] for worker in message.get("died", []))
            return "error" in seen and "chunk" in seen and seen[-1] == "metrics" and sorted(died) == workers

        until(all_over, "the last chunks, and metrics after them")
        assert sorted(died) == workers
        assert "stopped" not in seen, "watching is under way: stop comes first"
        last = agent.wait("metrics")
        assert last["processes"] == []
        assert last["host"]["cores"] >= 1
        agent.stop()
        assert agent.bye() == 0


def test_an_upgrade_is_followed_while_watching(agent: Agent, folder: Path) -> None:
    with Gunicorn(folder / "upgrade") as gunicorn:
        watch(agent, gunicorn.pid)
        before = gunicorn.worker_pids
        gunicorn.signal(signal.SIGUSR2)
        new = until(lambda: set(gunicorn.worker_pids) - set(before), "the new arbiter").pop()
        until(lambda: len(children_of(new)) == 2, "its workers")
        gunicorn.signal(signal.SIGQUIT)
        try:
            gunicorn.process.wait(10)
            line = sample(
                agent,
                lambda line: [row["pid"] for row in line["processes"]][:1] == [new],
                "the new arbiter alone",
            )
            assert {row["pid"] for row in line["processes"]} == {new, *children_of(new)}
            queue = sample(agent, lambda line: "accept_queue" in line["service"], "its queue")
            assert queue["service"]["accept_queue"] == 0
            agent.stop()
        finally:
            os.kill(new, signal.SIGTERM)
            until(lambda: not running(new), "the new arbiter's end")


def test_stop_without_a_recording_and_nothing_twice(agent: Agent, service: Gunicorn) -> None:
    agent.say(op="watch", interval_s=1.0, logs=None)
    assert agent.wait("error", "watching")["code"] == "protocol", "find comes first"
    agent.say(op="stop")
    assert agent.wait("error", "stopped")["code"] == "protocol"
    agent.find(pid=service.pid)
    agent.say(op="watch", interval_s=0, logs=None)
    assert "interval_s must be" in agent.wait("error", "watching")["message"]
    watch(agent, service.pid, 0.1)
    agent.say(op="watch", interval_s=1.0, logs=None)
    assert agent.wait("error", "watching")["code"] == "protocol"
    agent.say(op="find", choice={"pid": service.pid})
    assert agent.wait("error", "found")["code"] == "protocol"
    agent.say(op="check")
    assert agent.wait("checked")["views"]["wall"]["valid"]
    agent.stop()
    agent.say(op="ping", t0=1)
    assert agent.wait("pong", "metrics", "workers")["type"] == "pong", "nothing is said after stopped"
    assert agent.bye() == 0


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.13"])
def test_with_an_old_or_a_new_python(service: Gunicorn, version: str) -> None:
    python = interpreter(version)
    with Agent(python=python, hello={"grace_s": 20}) as agent:
        present = watch(agent, service.pid)
        assert sorted(worker["pid"] for worker in present["born"]) == service.worker_pids
        line = sample(agent, lambda line: "accept_queue" in line["service"], "a sample")
        assert len(line["processes"]) == 3
        assert not [one for one in agent.messages if one["type"] == "log"]
        agent.stop()


@pytest.mark.needs_root
def test_without_rights_what_everyone_may_read_is_told(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to be somebody else")
    with (
        Gunicorn(folder / "rights", "sync", 1, environment=without_setproctitle(folder)) as gunicorn,
        Agent(before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], owner=65534) as agent,
    ):
        agent.say(op="hello", protocol=1, run="test", grace_s=20, max_s=100)
        agent.wait("hello")
        watch(agent, gunicorn.pid)
        line = sample(agent, lambda line: "accept_queue" in line["service"], "the queue, by --bind")
        worker = line["processes"][1]
        assert {"cpu_user", "rss", "threads", "switches_voluntary"} <= set(worker)
        assert not {"uss", "io_read", "io_write"} & set(worker), "left out, not 0"
        assert "connections_out" not in line["service"]
        os.kill(gunicorn.worker_pids[0], signal.SIGKILL)
        assert list(deaths(agent, 1).values()) in ([None], [{"signal": 9}])


@pytest.mark.needs_root
def test_a_service_in_another_network_namespace(agent: Agent, folder: Path) -> None:
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("needs root, unshare and ip for another network namespace")
    place, port = folder / "elsewhere", free_port()
    place.mkdir()
    (place / "app.py").write_text("def application(environ, start_response):\n    raise SystemExit\n")
    command = f"ip link set lo up; exec {sys.executable} -m gunicorn -w 1 -b 127.0.0.1:{port} --timeout 300 app:application"
    talk = f"import socket,sys; s=[socket.create_connection(('127.0.0.1',{port})) for _ in range(4)]; print(1); sys.stdin.read()"
    service = subprocess.Popen(["unshare", "-n", "sh", "-c", command], cwd=place, stderr=subprocess.DEVNULL)
    try:
        ending = f":{port:04X} 00000000:0000 0A"
        until(lambda: ending in Path(f"/proc/{service.pid}/net/tcp").read_text(), "gunicorn to listen")
        until(lambda: children_of(service.pid), "its worker")
        client = ["nsenter", "-t", str(service.pid), "-n", sys.executable, "-c", talk]
        with subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as talking:
            assert talking.stdout
            talking.stdout.readline()
            watch(agent, service.pid)
            line = sample(
                agent, lambda line: line["service"].get("accept_queue") == 3, "the queue over there"
            )
            assert line["service"]["connections"] == 4
            assert "accept_queue_limit" not in line["service"], "no table holds it"
            talking.communicate(b"")
    finally:
        service.terminate()
        service.wait(10)


def test_the_last_lines_of_the_logs_come_before_stopped(agent: Agent, folder: Path) -> None:
    log = folder / "watched-access.log"
    with Gunicorn(folder / "logs", "sync", 1, ["--access-logfile", str(log)]) as gunicorn:
        assert agent.find(pid=gunicorn.pid)["type"] == "found"
        logs = {"find": True, "files": [], "units": [], "limit_bytes": 10_000_000}
        agent.say(op="watch", interval_s=0.2, logs=logs)
        answer = agent.wait("watching")
        number = next(row["source"] for row in answer["sources"] if row["path"] == str(log))
        assert agent.wait("workers")["born"]
        with urllib.request.urlopen(f"http://127.0.0.1:{gunicorn.port}/the-last-one", timeout=10) as reply:
            reply.read()
        until(lambda: "/the-last-one" in log.read_text(), "the line to be written")
        agent.stop()
    blocks = [line for line in agent.messages if line["type"] == "log_block" and line["source"] == number]
    text = b"".join(
        zlib.decompress(base64.b64decode(line["data"])) for line in blocks if line["what"] == "data"
    )
    assert b"GET /the-last-one" in text
    assert agent.messages[-1]["type"] == "stopped"
    assert agent.bye() == 0
