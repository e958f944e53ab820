"""A run whose every number is known, for readers of the report page: 60 s of load on one watched server, slow from 30 to 40 s.

20 requests a second of 10 ms, 200 ms while it is slow; at 35 s four get 500 beside a traceback; the accept queue holds 3 at 33 s;
worker 701 uses a quarter of a core, 702 half a core; at 40 s 701 is killed and 711 born. `slow` is on the stacks from 30 to 40 s
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.run_folders import (
    ARBITER,
    GUNICORN,
    HOT,
    START_NS,
    WORKER_A,
    WORKER_B,
    RunFolderBuilder,
    raw,
    request,
)
from tests.server_logs import ServerLogs
from tests.server_metrics import ServerWatch, life, process
from tests.unit.reports.sample_results import HOSTILE
from toolkit.analysis.results import Results, read_results

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

SECONDS, RATE = 60, 20
SLOW = range(30, 40)
FAILED_AT = 35
WORKER_C = 711
MIB = 2**20
ACCESS = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s %(D)s %({x-request-id}i)s'


def watched_run(root: Path, *, hostile: bool = False) -> Results:
    """Build the folder and read it; `hostile`: names of requests, scenarios, servers' frames and log lines try to be markup."""
    builder = RunFolderBuilder(root, name="20261121T143000Z-watched")
    builder.manifest.run_id = builder.name
    builder.manifest.ended_ns = START_NS + (SECONDS + 2) * 10**9
    names = (
        {"name": HOSTILE, "scenario": HOSTILE, "url": f"http://127.0.0.1:8000/{HOSTILE}"} if hostile else {}
    )
    requests = [_request(number, names) for number in range(SECONDS * RATE)]
    builder.load("http", requests, _phases(HOSTILE if hostile else "peak"))
    builder.server("web", {view: {"rate_hz": 20.0, "valid": True, "reason": ""} for view in ("wall", "cpu")})
    _stacks(builder, HOSTILE.replace(" ", "") if hostile else "slow")
    _watch(ServerWatch(builder, "web"))
    _logs(ServerLogs(builder.run, "web"), requests, HOSTILE if hostile else "the printer is on fire")
    return read_results(builder.build())


def _request(number: int, names: dict[str, str]) -> dict[str, Any]:
    second, place = divmod(number, RATE)
    # From 15 ms on, so that also a slow one of 200 ms ends in the second in which it began.
    at_s = second + 0.015 + place * 0.035
    failed = second == FAILED_AT and place < 4
    fields = {
        "phase": "warm" if second < 20 else "peak",
        "status": 500 if failed else 200,
        "name": "print" if place % 4 == 0 else "load data",
        "request_id": f"r-{number}",
        "user": f"u{number}",
    }
    if names and place % 4:
        names = {**names, "name": "x" * 10_000}
    return request(at_s, 200.0 if second in SLOW else 10.0, **(fields | names))


def _phases(second_name: str) -> list[dict[str, Any]]:
    def event(at_s: float, kind: str, phase: str, index: int) -> dict[str, Any]:
        return {"t_ns": START_NS + round(at_s * 1e9), "kind": kind, "phase": phase, "index": index}

    return [
        {**event(0, "phase_started", "warm", 0), "duration_s": 20},
        event(20, "phase_ended", "warm", 0),
        {**event(20, "phase_started", second_name, 1), "duration_s": 40},
        event(60, "phase_ended", second_name, 1),
    ]


def _stacks(builder: RunFolderBuilder, slow: str) -> None:
    for seq in range(SECONDS // 5):
        is_slow = seq * 5 in SLOW
        pid = WORKER_A if seq * 5 < 40 else WORKER_C
        hot = raw(pid, (*GUNICORN, HOT), 30) + raw(WORKER_B, (*GUNICORN, HOT), 10)
        waits = raw(WORKER_B, (*GUNICORN, f"{slow} (/srv/shop/shop/slow.py:7)"), 60) if is_slow else ""
        arbiter = raw(
            ARBITER, ("sleep (/srv/venv/lib/python3.11/site-packages/gunicorn/arbiter.py:357)",), 100
        )
        builder.chunk("web", "wall", seq, hot + waits + arbiter)
        builder.chunk(
            "web",
            "cpu",
            seq,
            hot + (raw(WORKER_B, (*GUNICORN, f"{slow} (/srv/shop/shop/slow.py:7)"), 20) if is_slow else ""),
        )


def _watch(watch: ServerWatch) -> None:
    watch.workers(-2, born=[life(WORKER_A), life(WORKER_B)])
    for second in range(-2, SECONDS + 2):
        first = (
            process(WORKER_A, cpu_user=100 + 0.25 * second, rss=40 * MIB)
            if second < 40
            else process(WORKER_C, born_s=40, cpu_user=0.25 * (second - 40), rss=30 * MIB)
        )
        watch.line(
            second + 0.9,
            host={
                "cpu_user": 50 + 0.9 * second,
                "cpu_system": 0.0,
                "cores": 2,
                "memory_available": 9000 * MIB,
            },
            service={
                "accept_queue": 3 if second == 33 else 0,
                "accept_queue_limit": 8,
                "connections": 12,
            },
            processes=[
                process(ARBITER, "arbiter", cpu_user=1.0, rss=20 * MIB),
                first,
                process(WORKER_B, cpu_user=100 + 0.5 * second, rss=50 * MIB),
            ],
        )
    watch.workers(40, died=[life(WORKER_A, exit={"signal": 9})], born=[life(WORKER_C, born_s=40)])


def _logs(logs: ServerLogs, requests: list[dict[str, Any]], message: str) -> None:
    access = logs.source("/var/log/shop/access.log", role="access", format=ACCESS)
    error = logs.source("/var/log/shop/error.log", role="error")
    for second in range(SECONDS):
        lines = ""
        for one in requests[second * RATE : (second + 1) * RATE]:
            took_us = round((one["end_ns"] - one["start_ns"]) / 1000 * 0.9)
            clock = f"{second // 60 + 30:02d}:{second % 60:02d}"
            lines += (
                f'127.0.0.1 - - [21/Nov/2026:14:{clock} +0000] "GET /data HTTP/1.1" '
                f"{one['status']} 100 {took_us} {one['request_id']}\n"
            )
            if one["status"] == 500:
                ended_s = (one["end_ns"] - START_NS) / 1e9
                logs.block(error, ended_s + 0.002, _traceback(one["request_id"], clock, message))
        logs.block(access, second + 0.95, lines)


def _traceback(request_id: str, clock: str, message: str) -> str:
    return (
        f"[2026-11-21 14:{clock} +0000] [{WORKER_B}] [ERROR] Exception on GET /data, request {request_id}\n"
        "Traceback (most recent call last):\n"
        '  File "/srv/venv/lib/python3.11/site-packages/flask/app.py", line 1511, in wsgi_app\n'
        "    response = self.full_dispatch_request()\n"
        '  File "/srv/shop/shop/printing.py", line 65, in send\n'
        "    self._ours.sendall(message)\n"
        f"BrokenPipeError: {message}\n"
    )
