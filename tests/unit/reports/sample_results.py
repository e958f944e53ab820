"""Made-up runs for the report page's tests: whole, load alone, profile alone, and one in which every name is hostile."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.run_folders import failed, request
from toolkit.analysis.results import Flame, Results
from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import LoadEntry, Manifest, ServerEntry

START = 1_795_000_000
SECONDS = 75
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">]]>\u202e{{7*7}}"
NOTE = (
    "1,204 samples (21.3 %) of pool threads that wait for work were left out: py-spy takes them for active. "
    "The recorder fell behind in 2 of 15 chunks, by up to 1.4 s: there the rate was lower than said."
)

_VENV = "/srv/shop/.venv/lib/python3.11/site-packages"
_BASE = (
    "<module> (/srv/shop/.venv/bin/gunicorn:8)",
    f"run ({_VENV}/gunicorn/app/wsgiapp.py:66)",
    f"run ({_VENV}/gunicorn/arbiter.py:224)",
    f"spawn_worker ({_VENV}/gunicorn/arbiter.py:608)",
    f"run ({_VENV}/gunicorn/workers/gthread.py:210)",
)
_REQUEST = (
    "_worker (/usr/lib/python3.11/concurrent/futures/thread.py:83)",
    f"handle_request ({_VENV}/gunicorn/workers/gthread.py:330)",
    f"wsgi_app ({_VENV}/flask/app.py:1511)",
    f"dispatch_request ({_VENV}/flask/app.py:902)",
)


def stacks(seed: int = 1) -> list[tuple[tuple[str, ...], int]]:
    """A service with a hot spot, about a minute of it."""
    chance = random.Random(seed)
    found: list[tuple[tuple[str, ...], int]] = [
        ((*_BASE, "wait (/usr/lib/python3.11/threading.py:324)"), 9000),
        ((*_BASE, "select (/usr/lib/python3.11/selectors.py:468)"), 4000),
    ]
    for view, share in (
        ("list_appointments", 26),
        ("login", 11),
        ("create_appointment", 9),
        ("delete_appointment", 4),
    ):
        here = (*_BASE[:4], *_REQUEST, f"{view} (/srv/shop/app/views.py:{20 + share})")
        found.append(
            (
                (*here, "score (/srv/shop/app/scoring.py:41)", "_similarity (/srv/shop/app/scoring.py:73)"),
                share * 400,
            )
        )
        found.append(
            (
                (
                    *here,
                    "load (/srv/shop/app/store.py:18)",
                    f"execute ({_VENV}/sqlalchemy/engine/base.py:1418)",
                ),
                share * 90,
            )
        )
        for number in range(40):
            tail = tuple(
                f"step_{number}_{level} (/srv/shop/app/{'abc'[level % 3]}.py:{level})"
                for level in range(chance.randint(1, 14))
            )
            found.append(
                ((*here, f"render ({_VENV}/jinja2/environment.py:1304)", *tail), chance.randint(1, 200))
            )
        found.append(
            (
                (
                    *here,
                    "dumps (/usr/lib/python3.11/json/__init__.py:231)",
                    "encode (/usr/lib/python3.11/json/encoder.py:200)",
                ),
                share * 70,
            )
        )
    return [(frames, count * 1000) for frames, count in found]


def failing_requests() -> list[dict[str, Any]]:
    """57 good ones, 6 without an answer, 5 answered with 401 and 2 with 200 of which a capture failed."""
    good = [request(number / 10) for number in range(57)]
    refused = [failed(number / 10, "ECONNREFUSED") for number in range(6)]
    denied = [request(number / 10, status=401, error="capture failed") for number in range(5)]
    return [*good, *refused, *denied, *(request(2.0, error="capture failed") for _ in range(2))]


def whole() -> Results:
    """Two scenarios against two servers, with errors and something missing."""
    return Results(
        RunFolder(Path("unused")),
        _manifest(),
        _summary(),
        series=_series(),
        phases=_phases(),
        flames=[
            Flame(server, view, worker, _title(server, view, worker), 72.4, rate, stacks(seed), note)
            for server in ("web-1", "web-2")
            for view, rate, note in (
                ("wall", 19.6, ""),
                ("cpu", 19.6, "" if server == "web-1" else NOTE),
            )
            for seed, worker in enumerate((None, 4711, 4712))
        ],
    )


def _title(server: str, view: str, worker: int | None) -> str:
    words = {"wall": "wall time", "cpu": "CPU time"}[view]
    return f"{server}: {words}, {'all workers' if worker is None else f'worker {worker}'}"


def load_alone() -> Results:
    """No server was profiled."""
    run = whole()
    manifest = replace(run.manifest, kind="load", servers=[])
    summary = {**run.summary, "missing": [], "servers": []}
    return replace(run, manifest=manifest, summary=summary, flames=[])


def profile_alone() -> Results:
    """No load was driven."""
    run = whole()
    manifest = replace(run.manifest, kind="profile", target="", loads=[], outcome="passed", reason="")
    return replace(
        run,
        manifest=manifest,
        summary={"schema": 1, "missing": [], "totals": {"count": 0}, "servers": run.summary["servers"]},
        series={},
        phases=[],
    )


def hostile() -> Results:
    """Every name that comes from outside tries to become markup."""
    run = whole()
    evil = HOSTILE
    manifest = replace(
        run.manifest,
        run_id=evil,
        plan_name=evil,
        target=evil,
        reason=evil,
        versions={evil: evil},
        servers=[ServerEntry(evil, evil, facts={evil: evil, "x": [evil]})],
        loads=[LoadEntry(evil, evil, evil, problem=evil)],
    )
    summary = {
        **run.summary,
        "codes": {evil: 3},
        "errors": {evil: 2},
        "missing": [evil],
        "servers": [{"name": evil, "views": [{"view": evil, "shown": False, "note": evil}]}],
        "scenario_counts": {evil: 1},
        "requests": [
            {**row, "load": f"{row['load']}{evil}", "name": evil} for row in run.summary["requests"]
        ],
    }
    flames = [Flame(evil, evil, None, evil, 1.0, 10.0, [((f"{evil} ({evil}.py:1)", evil), 5)], evil)]
    phases = [{**run.phases[0], "load": evil, "name": evil}]
    return replace(run, manifest=manifest, summary=summary, phases=phases, flames=flames)


def _manifest() -> Manifest:
    server = ServerEntry(
        "web-1",
        "ssh://deploy@web-1.example",
        offset_ns=1_830_000,
        offset_error_ns=210_000,
        budget={"asked_percent": 5.0, "predicted_percent": 4.9, "measured_percent": 4.2},
        facts={
            "host": {
                "hostname": "web-1",
                "kernel": "6.1.0-18-amd64",
                "cpus": 8,
                "memory_bytes": 16_700_000_000,
            },
            "python": "3.11.7",
            "gunicorn": "23.0.0",
            "worker_class": "gthread",
            "workers": [4711, 4712],
        },
    )
    return Manifest(
        run_id="20261119T095320Z-checkout-peak",
        plan_name="checkout-peak",
        command="python -m toolkit profile-and-load plans/checkout-peak.yml",
        started_ns=START * 10**9 - 4 * 10**9,
        target="https://shop.example",
        ended_ns=(START + SECONDS + 3) * 10**9,
        outcome="check-failed",
        exit_code=99,
        reason="p95 of “GET /api/appointments” was 412 ms; at most 300 ms was asked for.",
        versions={
            "toolkit": "0.1.0",
            "artillery": "2.0.34",
            "node": "22.20.0",
            "py-spy": "0.4.3",
            "python": "3.11.7",
        },
        servers=[
            server,
            replace(server, name="web-2", address="ssh://deploy@web-2.example"),
        ],
        loads=[
            LoadEntry("http", "loadtesting/http.yml", "artillery", START * 10**9, (START + 70) * 10**9, 0),
            LoadEntry(
                "socket", "loadtesting/socket.yml", "artillery", START * 10**9, (START + 60) * 10**9, 0
            ),
        ],
    )


def _summary() -> dict[str, Any]:
    """As `toolkit.analysis.load_summary` makes it."""
    names = (
        ("http", "http", "POST /login"),
        ("http", "http", "GET /api/appointments"),
        ("http", "http", "POST /api/appointments"),
        ("http", "http", "DELETE /api/appointments/{id}"),
        ("socket", "ws", "subscribe"),
        ("socket", "socketio", "refresh"),
    )
    rows = [_row(index, *name) for index, name in enumerate(names)]
    total = {**_row(1, "all", "all", "all"), "count": 16_050, "errors": 3, "status_5xx": 49, "failed": 54}
    total["failed_checks"] = 2
    return {
        "schema": 1,
        "missing": [
            "Server web-2: the cpu view lost 2 of 15 chunks.",
            "Server web-2: the gil view is not shown, as it would not be true: free-threaded Python has no GIL to hold.",
        ],
        "servers": [
            {"name": "web-1", "views": [_view("wall"), _view("cpu")]},
            {"name": "web-2", "views": [_view("wall"), _view("cpu", NOTE), _view("gil", shown=False)]},
        ],
        "totals": {
            "duration_s": 74.6,
            "scenarios_launched": 1893,
            "scenarios_completed": 1841,
            "mean_responses_per_s": 214.0,
            **total,
        },
        "scenario_counts": {
            "CSR – Login, load data, idle": 1104,
            "CSR – Create and delete appointments": 520,
            "CSR – Websockets": 269,
        },
        "requests": rows,
        "codes": {"200": 11_240, "201": 2370, "204": 1960, "500": 49, "0": 428},
        "errors": {"ETIMEDOUT": 3, "capture failed": 2},
        "engine_errors": {"errors.ECONNRESET": 1},
    }


def _view(name: str, note: str = "", *, shown: bool = True) -> dict[str, Any]:
    if not shown:
        return {
            "view": name,
            "shown": False,
            "reason": "free-threaded Python has no GIL to hold",
            "rate_hz": 9.8,
        }
    return {
        "view": name,
        "shown": True,
        "rate_hz": 19.6,
        "samples": 14_812,
        "recorder_cpu_percent": 2.1,
        "note": note,
    }


def _row(index: int, load: str, protocol: str, name: str) -> dict[str, Any]:
    p50 = 8.0 + 13.7 * index
    count = 4200 - 610 * index
    return {
        "load": load,
        "protocol": protocol,
        "name": name,
        "count": count,
        "rate_per_s": count / SECONDS,
        "status_4xx": 0,
        "status_5xx": (0, 37, 12, 0, 0, 0)[index],
        "errors": (0, 0, 0, 0, 0, 3)[index],
        "failed_checks": (2, 0, 0, 0, 0, 0)[index],
        "failed": (2, 37, 12, 0, 0, 3)[index],
        "mean_ms": p50 * 1.2,
        "stdev_ms": p50 * 0.8,
        "mode_ms": p50 * 0.9,
        "min_ms": p50 * 0.3,
        "p50_ms": p50,
        "p75_ms": p50 * 1.5,
        "p90_ms": p50 * 2.2,
        "p95_ms": p50 * 3.1,
        "p99_ms": p50 * 6,
        "p999_ms": p50 * 11,
        "max_ms": p50 * 19,
        "bytes_in_mean": 532 * 3.1**index,
        "bytes_out_mean": 80 + index,
    }


def _series() -> dict[str, list[Any]]:
    chance = random.Random(7)
    grid = [START + second for second in range(SECONDS)]
    load = [max(0.0, min(1.0, s / 20)) * (1 if s < 70 else 0.2) for s in range(SECONDS)]
    ok = [round(240 * level * chance.uniform(0.92, 1.05)) for level in load]
    ws = [round(18 * level * chance.uniform(0.7, 1.3)) for level in load]
    bad = [chance.choice((0, 0, 1, 2, 4)) if 38 < s < 52 else 0 for s in range(SECONDS)]
    none = [1 if s in (44, 45, 47) else 0 for s in range(SECONDS)]
    checks = [2 if s == 30 else 0 for s in range(SECONDS)]
    p50 = [
        None if s == 72 else 18 + 14 * load[s] + 5 * math.sin(s / 5) + (22 if 38 < s < 52 else 0)
        for s in range(SECONDS)
    ]
    p95 = [None if value is None else value * chance.uniform(2.6, 3.4) for value in p50]
    return {
        "t": grid,
        "requests": [a + b + c + d for a, b, c, d in zip(ok, ws, bad, none, strict=True)],
        "status_0": ws,
        "status_2xx": ok,
        "status_3xx": [0] * SECONDS,
        "status_4xx": [0] * SECONDS,
        "status_5xx": bad,
        "errors": none,
        "failed_checks": checks,
        "failed": [sum(counts) for counts in zip(bad, none, checks, strict=True)],
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": [None if value is None else value * chance.uniform(1.6, 2.4) for value in p95],
        "started": [round((a + b) * chance.uniform(0.98, 1.06)) for a, b in zip(ok, ws, strict=True)],
    }


def _phases() -> list[dict[str, Any]]:
    plan = (
        ("http", "warm up", 0, 20),
        ("http", "peak", 20, 60),
        ("http", "cool down", 60, 70),
        ("socket", "steady", 5, 60),
    )
    return [
        {
            "load": load,
            "file": f"loadtesting/{load}.yml",
            "name": name,
            "index": index,
            "start_ns": (START + a) * 10**9,
            "end_ns": (START + b) * 10**9,
        }
        for index, (load, name, a, b) in enumerate(plan)
    ]
