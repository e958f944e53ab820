"""Metrics, accept queues and connections of real gunicorns, seen by a real agent."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.gunicorns import Gunicorn, children_of, free_port, until, without_setproctitle
from tests.integration.agent.driver import Agent
from tests.integration.agent.interpreters import interpreter
from tests.integration.agent.load import Load
from tests.integration.agent.watching import connections, deaths, sample, watch
from toolkit.recording.metric_fields import COUNTER, HOST, PROCESS, SERVICE

COUNTERS = {name for name, metric in {**HOST, **SERVICE, **PROCESS}.items() if metric.kind == COUNTER}


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
