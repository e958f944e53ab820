"""What goes wrong on a real gunicorn is named rightly in summary.json."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.gunicorns import free_port, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.gunicorns import Gunicorn
    from tests.integration.watched.conftest import Watched

    Start = Callable[..., Gunicorn]
    Run = Callable[..., Watched]

pytestmark = pytest.mark.needs_artillery


def test_a_worker_that_times_out(gunicorn: Start, watched: Run) -> None:
    service = gunicorn("--timeout", "2", workers=2)
    run = watched(service, {"/": 5, "/sleep/30": 1}, seconds=6, timeout_s=20)
    assert run.watch["workers"]["by_cause"].get("timeout", 0) >= 1
    assert set(run.watch["workers"]["by_cause"]) == {"timeout"}
    explanation = run.explanation(
        500
    )  # gunicorn's abort of the worker ends the request with a traceback and a 500
    assert {part["what"] for part in explanation["parts"]} == {"timeout"}, explanation
    assert "killed for its timeout" in explanation["sentence"]
    assert "application" in explanation["sentence"], "where it hung"
    (finding,) = [row for row in run.summary["findings"]["found"] if row["rule"] == "restarts"]
    assert "killed by gunicorn for its timeout" in finding["title"]
    assert (finding["certainty"], finding["counts"]["requests_failed"] >= 1) == ("certain", True)
    document = (run.folder / "postmortem.md").read_text()
    assert f"(report.html#{finding['id']})" in document
    assert "for its timeout (certain) |" in document, "the timeline has it"


def test_a_worker_killed_from_outside(gunicorn: Start, watched: Run) -> None:
    service = gunicorn(workers=3)
    victim = service.worker_pids[0]
    run = watched(service, {"/": 1}, meanwhile=lambda: os.kill(victim, signal.SIGKILL))
    deaths = run.watch["workers"]["deaths"]
    assert [(death["pid"], death["cause"]) for death in deaths] == [(victim, "killed")], deaths
    assert "SIGKILL" in deaths[0]["words"]
    assert run.watch["workers"]["births"] == 1


def test_workers_recycled_by_max_requests(gunicorn: Start, watched: Run) -> None:
    service = gunicorn("--max-requests", "8", workers=2)
    run = watched(service, {"/": 1}, rate=10)
    assert set(run.watch["workers"]["by_cause"]) == {"max_requests"}
    assert run.watch["workers"]["by_cause"]["max_requests"] >= 3


def test_a_reload_in_the_middle(gunicorn: Start, watched: Run) -> None:
    service = gunicorn(workers=2)
    run = watched(service, {"/": 1}, meanwhile=lambda: service.signal(signal.SIGHUP))
    assert run.watch["workers"]["by_cause"] == {"hup": 2}
    assert run.watch["workers"]["births"] == 2


def test_a_log_that_is_rotated_loses_no_line(gunicorn: Start, watched: Run) -> None:
    service = gunicorn(workers=2)
    log = service.folder / "access.log"

    def rotate() -> None:
        log.rename(log.with_name("access.log.1"))
        service.signal(signal.SIGUSR1)

    run = watched(service, {"/": 1}, meanwhile=rotate)
    assert log.read_bytes(), "nothing was written after the rotation"
    assert run.errors["unseen"]["by_server"]["count"] == 0
    assert run.errors["joined"]["id"] == {"certain": run.summary["totals"]["count"]}


def test_a_queue_that_fills_because_all_workers_sleep(gunicorn: Start, watched: Run) -> None:
    service = gunicorn(workers=2)
    run = watched(service, {"/sleep/1": 1}, seconds=4, rate=6, timeout_s=60)
    assert run.watch["queue"]["max"] >= 5
    assert run.watch["busy"]["from_stacks"]["workers_mean"] > 1.5
    assert run.watch["busy"]["from_cpu"]["cores_mean"] < 0.5, "they sleep"
    (split,) = run.errors["split"]
    assert 900 < split["server_p50_ms"] < 2000
    assert split["outside_p95_ms"] > 1500, "the queue"


def test_a_route_that_raises(gunicorn: Start, watched: Run) -> None:
    run = watched(gunicorn(workers=2), {"/": 3, "/boom": 1})
    failed = run.summary["totals"]["status_5xx"]
    assert failed >= 3
    explanation = run.explanation(500)
    assert explanation["count"] == failed
    assert [part["what"] for part in explanation["parts"]] == ["traceback"], explanation
    (group,) = run.errors["tracebacks"]
    assert (group["exception"], group["message"]) == ("RuntimeError", "checkout failed")
    assert group["count"] == failed
    assert group["place"].endswith("checkout")
    assert [link["exception"] for link in group["chain"]] == ["KeyError", "RuntimeError"]


def test_a_worker_that_ends_by_itself_in_a_request(gunicorn: Start, watched: Run) -> None:
    service = gunicorn(workers=2)
    run = watched(service, {"/": 5, "/exit/0": 1}, seconds=6)
    explanation = run.explanation(error="ECONNRESET")
    # A worker that was born and ended between two looks was never seen: its request was cut off, and that is all one knows.
    assert {"killed"} <= {part["what"] for part in explanation["parts"]} <= {"killed", "closed"}, explanation
    assert "in a worker that ended" in explanation["sentence"]
    assert "never reached a worker)" not in explanation["sentence"]


def test_without_ids_the_certainty_is_less(gunicorn: Start, watched: Run) -> None:
    run = watched(gunicorn(workers=2, ids=False), {"/": 3, "/boom": 1})
    joined = run.errors["joined"]
    assert not joined["id"]
    assert sum(joined["time"].values()) >= 0.9 * run.summary["totals"]["count"]
    assert "certain" not in joined["time"]
    assert {part["what"] for part in run.explanation(500)["parts"]} == {"traceback"}
    assert all(part["certainty"] != "certain" for part in run.explanation(500)["parts"])


@pytest.mark.needs_nginx
def test_a_proxy_that_answers_504_itself(gunicorn: Start, watched: Run, nginx: Callable[[int], int]) -> None:
    # Threads for all that may sleep at once: no request waits for a worker, so that the proxy alone is why they failed.
    service = gunicorn("--threads", "12", workers=2)
    run = watched(service, {"/": 3, "/sleep/2.5": 1}, target=f"http://127.0.0.1:{nginx(service.port)}")
    explanation = run.explanation(504)
    assert 3 <= explanation["count"] < run.summary["totals"]["count"] / 2
    # What the service had not ended with the recording is told as unfinished.
    assert {part["what"] for part in explanation["parts"]} - {"unfinished"} == {"proxy"}, explanation
    assert max(explanation["parts"], key=lambda part: part["count"])["what"] == "proxy", explanation
    assert "in front of the server, whose own answer was 200" in explanation["sentence"]
    assert not run.errors["tracebacks"]


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[[int], int]]:
    """Starts an nginx of our own on loopback that waits a second for the service behind it."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(behind: int) -> int:
        port = free_port()
        folder = tmp_path / "nginx"
        folder.mkdir()
        paths = "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ access_log {folder}/access.log; {paths}\n"
            f" server {{ listen 127.0.0.1:{port}; location / {{\n"
            f"  proxy_pass http://127.0.0.1:{behind}; proxy_read_timeout 1s; }} }} }}\n"
        )
        with (folder / "said").open("wb") as said:
            begun.append(
                subprocess.Popen(
                    ["/usr/sbin/nginx", "-c", str(config), "-p", str(folder)], stdout=said, stderr=said
                )
            )
        until(lambda: (folder / "pid").exists(), "nginx")
        return port

    yield start
    for process in begun:
        process.terminate()
        process.wait(10)
