"""Each rule on a real service that shows it; `test_healthy.py` and the near misses here must not. `make findings` runs them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import free_port, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.findings.conftest import Found
    from tests.gunicorns import Gunicorn

    Start = Callable[..., Gunicorn]
    Run = Callable[..., Found]

pytestmark = [pytest.mark.needs_artillery, pytest.mark.timeout(240)]

UPSTREAM = """
import socket, sys, threading, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def answer(client):
    client.recv(4096)
    time.sleep(0.15)
    client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    client.close()
while True:
    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[int]:
    """Another service, which takes 150 ms; its port."""
    port = free_port()
    file = tmp_path / "upstream.py"
    file.write_text(UPSTREAM)
    process = subprocess.Popen([sys.executable, str(file), str(port)])

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens, "the other service")
    yield port
    process.kill()
    process.wait()


def _needs_an_idle_core(run: Found) -> None:
    """Where other processes of this machine use it up, there is none, and the run says so."""
    if run.of("host-cpu"):
        pytest.skip("this machine had no core to spare")


def test_cpu_bound_in_a_function(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=1), {"/cpu": 1}, rate=25)
    row = run.one("cpu-bound", "price_basket")
    assert row["counts"]["on_cpu_share_inside_requests"] > 0.5, row
    assert any("price_basket" in frame for frame in row["frames"])


def test_threads_that_want_the_gil(gunicorn: Start, found: Run) -> None:
    service = gunicorn("--threads", "8", worker_class="gthread", workers=1)
    run = found(service, {"/rank": 1}, rate=120, options=("--view", "wall", "--view", "cpu", "--view", "gil"))
    _needs_an_idle_core(run)
    row = run.one("gil-contention")
    assert row["counts"]["threads_in_requests"] > 2


def test_threads_that_sleep_do_not_want_the_gil(gunicorn: Start, found: Run) -> None:
    service = gunicorn("--threads", "8", worker_class="gthread", workers=1)
    assert found(service, {"/sleep": 1}, rate=20).ruled_out("gil-contention")


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ("/database", "ask_database (service_wsgi.py): a database"),
        ("/ticket", "take_ticket (service_wsgi.py): a lock"),
        ("/sleep", "back_off (service_wsgi.py): a sleep, a lock, or a call into C"),
    ],
)
def test_waiting_in_a_function(gunicorn: Start, found: Run, route: str, words: str) -> None:
    service = gunicorn("--threads", "8", worker_class="gthread", workers=1)
    run = found(service, {route: 1}, rate=9)
    row = run.one("waiting", words)
    assert row["counts"]["share_of_request_time"] > 0.5, row
    assert not run.of("cpu-bound"), run.told


def test_waiting_for_another_service(gunicorn: Start, found: Run, upstream: int) -> None:
    environment = {"UPSTREAM_PORT": str(upstream)}
    service = gunicorn("--threads", "8", worker_class="gthread", workers=1, environment=environment)
    found(service, {"/upstream": 1}, rate=10).one("waiting", "ask_upstream (service_wsgi.py): an HTTP client")


def test_an_exhausted_pool_with_idle_cores(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=2), {"/sleep": 1}, rate=14, seconds=12)
    row = run.one("pool-exhausted", "all 2 places taken")
    assert row["counts"]["accept_queue_max"] > 2, row
    _needs_an_idle_core(run)
    assert run.one("too-few-workers", "inside requests that wait")["counts"]["workers"] == 2


def test_a_busy_pool_that_keeps_up(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=4), {"/sleep": 1}, rate=8)
    assert run.ruled_out("pool-exhausted")
    assert not run.of("too-few-workers"), run.told


def test_one_worker_unlike_the_others(gunicorn: Start, found: Run, tmp_path: Path) -> None:
    service = gunicorn(workers=3, environment={"FAVOURITE": str(tmp_path / "favourite")})
    run = found(service, {"/favourite": 1}, rate=20)
    favourite = int((tmp_path / "favourite").read_text())
    assert {row["counts"]["pid"] for row in run.of("uneven-workers")} == {favourite}, run.told


def test_one_server_unlike_the_other(gunicorn: Start, found: Run) -> None:
    environment = {"FAVOURITE": "/dev/null"}
    quick, slow = (gunicorn(workers=2, environment=environment) for _ in range(2))
    (slow.folder / "service_wsgi.py").write_text(
        (slow.folder / "service_wsgi.py")
        .read_text()
        .replace('"/ok": lambda: None', '"/ok": lambda: back_off(0.03)')
    )
    slow.signal(1)
    until(lambda: slow.get("/ok"), "the new workers")
    run = found([quick, slow], {"/ok": 1}, rate=30)
    assert run.one("uneven-servers", "time in the server")["server"] in ("web0", "web1")


def test_memory_that_only_grows(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=1), {"/session": 1}, rate=15, seconds=25)
    row = run.one("leak", "Memory")
    assert row["certainty"] == "perhaps", "25 s say little"
    assert not [other for other in run.of("leak") if "Descriptors" in other["title"]], run.told


def test_descriptors_that_only_grow(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=2), {"/file": 1}, rate=15, seconds=25)
    assert run.one("leak", "Descriptors")["counts"]["descriptors_per_hour"] > 10_000


def test_timeouts_and_what_they_cost(gunicorn: Start, found: Run) -> None:
    service = gunicorn("--timeout", "2", workers=2)
    run = found(service, {"/ok": 8, "/hang": 1}, rate=6, timeout_s=20)
    row = run.one("restarts", "killed by gunicorn for its timeout")
    assert row["certainty"] == "certain"
    assert row["counts"]["requests_failed"] >= 1


def test_workers_that_are_recycled_cost_nothing(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn("--max-requests", "60", workers=3), {"/ok": 1}, rate=20)
    assert "ended as planned" in run.ruled_out("restarts")


def test_errors_by_traceback(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=2), {"/ok": 4, "/card": 1}, rate=15)
    row = run.one("errors", "ValueError")
    assert "charge_card" in row["title"]
    assert row["counts"]["requests_failed"] == run.summary["totals"]["status_5xx"] > 0


def test_slow_after_a_restart(gunicorn: Start, found: Run) -> None:
    service = gunicorn("--max-requests", "120", workers=3)
    run = found(service, {"/warm": 1}, rate=20, seconds=40)
    assert run.one("slow-after-restart")["counts"]["p95_ms_after"] > 200


def test_finalizers(gunicorn: Start, found: Run) -> None:
    run = found(gunicorn(workers=1), {"/orders": 1}, rate=15)
    row = run.one("garbage-collection")
    assert any("__del__" in frame for frame in row["frames"])


def test_a_host_that_others_use_up(gunicorn: Start, found: Run) -> None:
    busy = [
        subprocess.Popen(
            [sys.executable, "-c", "import time\nend=time.time()+40\nwhile time.time()<end: pass"]
        )
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        run = found(gunicorn(workers=1), {"/ok": 1}, rate=10)
    finally:
        for one in busy:
            one.kill()
            one.wait()
    assert run.one("host-cpu", "mostly by other processes than the workers")["certainty"] == "certain"


def test_a_generator_at_its_limit(gunicorn: Start, found: Run) -> None:
    run = found(
        gunicorn("--threads", "4", worker_class="gthread", workers=1), {"/ok": 1}, rate=3000, seconds=5
    )
    assert run.of("generator"), run.told
