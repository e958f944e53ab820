"""Builds small, valid run folders for tests: every number in them can be checked by hand.

run = small_run(tmp_path)                      # a whole run: two loads, one server, two views
builder = RunFolderBuilder(tmp_path)           # or piece by piece
builder.load("http", [request(latency_ms=5)])
run = builder.build()
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.recording.layout import RunFolder
from toolkit.recording.manifest import LoadEntry, Manifest, ServerEntry
from toolkit.recording.records import REQUEST_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

START_NS = 1_795_271_400_000_000_000
"""2026-11-21 14:30:00 UTC."""
SECOND_NS = 1_000_000_000
MS_NS = 1_000_000

ARBITER, WORKER_A, WORKER_B = 700, 701, 702
HOT = "hot (/srv/shop/shop/views.py:12)"
GUNICORN = (
    "<module> (/srv/venv/bin/gunicorn:8)",
    "run (/srv/venv/lib/python3.11/site-packages/gunicorn/app/wsgiapp.py:66)",
    "handle (/srv/venv/lib/python3.11/site-packages/gunicorn/workers/gthread.py:340)",
    "wsgi_app (/srv/venv/lib/python3.11/site-packages/flask/app.py:1511)",
)
POOL_WAIT = (
    "_bootstrap (/usr/lib/python3.11/threading.py:1002)",
    "run (/usr/lib/python3.11/threading.py:982)",
    "_worker (/usr/lib/python3.11/concurrent/futures/thread.py:81)",
)


def request(at_s: float = 1.0, latency_ms: float = 10.0, **fields: Any) -> dict[str, Any]:
    """One request record, `at_s` seconds after the run's start; `fields` replace or add."""
    start_ns = START_NS + round(at_s * SECOND_NS)
    end_ns = start_ns + round(latency_ms * MS_NS)
    record = {
        "protocol": "http",
        "scenario": "browse",
        "name": "load data",
        "method": "GET",
        "url": "http://127.0.0.1:8000/data",
        "phase": "warm",
        "intended_ns": start_ns - MS_NS,
        "start_ns": start_ns,
        "first_byte_ns": end_ns - MS_NS,
        "end_ns": end_ns,
        "status": 200,
        "error": None,
        "bytes_in": 100,
        "bytes_out": 0,
        "request_id": f"r-{start_ns}",
        "user": "u1",
    }
    return record | fields


def failed(at_s: float, error: str, latency_ms: float = 10.0, **fields: Any) -> dict[str, Any]:
    """A request that got no answer."""
    return request(at_s, latency_ms, status=None, error=error, first_byte_ns=None, bytes_in=0, **fields)


def raw(pid: int, frames: Sequence[str], count: int, *, thread: str = "MainThread", tid: int = 0) -> str:
    """One record of py-spy's raw format, as a child of the arbiter."""
    chain = [ARBITER] if pid == ARBITER else [ARBITER, pid]
    processes = [f'process {one}:"/srv/venv/bin/python /srv/venv/bin/gunicorn shop:app"' for one in chain]
    return ";".join([*processes, f"thread ({tid or pid}): {thread}", *frames]) + f" {count}\n"


@dataclass
class RunFolderBuilder:
    """Writes a run folder piece by piece."""

    root: Path
    name: str = "20261121T143000Z-small"
    manifest: Manifest = field(
        default_factory=lambda: Manifest(
            run_id="small",
            plan_name="small",
            command="profile-and-load",
            started_ns=START_NS,
            target="http://127.0.0.1:8000",
            ended_ns=START_NS + 30 * SECOND_NS,
            outcome="passed",
            exit_code=0,
            versions={"toolkit": "0.0.0"},
        )
    )

    @property
    def run(self) -> RunFolder:
        """The folder; `build` writes its run.json."""
        return RunFolder(self.root / self.name)

    def load(
        self,
        name: str,
        requests: Iterable[Mapping[str, Any]] = (),
        events: Iterable[Mapping[str, Any]] = (),
        *,
        joined: bool = True,
    ) -> None:
        """Add a scenario folder; `joined=False` leaves the records in parts, as a crash would."""
        folder = self.run.load(name)
        header = {"schema": REQUEST_SCHEMA, "kind": "requests"}
        lines = b"".join(json.dumps(row).encode() + b"\n" for row in [header, *requests])
        if joined:
            folder.path.mkdir(parents=True)
            folder.requests.write_bytes(gzip.compress(lines))
        else:
            folder.request_parts.mkdir(parents=True)
            (folder.request_parts / "1.jsonl").write_bytes(lines)
        rows = [json.dumps(event) + "\n" for event in events]
        if rows:
            folder.events.write_text("".join(rows), encoding="utf-8")
        self.manifest.loads.append(
            LoadEntry(
                name,
                f"loadtesting/{name}.yml",
                "artillery",
                START_NS,
                START_NS + 20 * SECOND_NS,
                exit_code=0,
            )
        )

    def server(
        self,
        name: str,
        views: Mapping[str, Mapping[str, Any]],
        *,
        offset_ns: int = 0,
    ) -> None:
        """Add a server without chunks yet. `views` as in run.json."""
        folder = self.run.server(name)
        folder.stacks.mkdir(parents=True)
        facts = {"hostname": name, "python": "3.11.7", "cpus": 2}
        folder.facts.write_text(json.dumps(facts), encoding="utf-8")
        entry = ServerEntry(
            name,
            f"ssh://app@{name}:22",
            offset_ns,
            200_000,
            views={view: dict(said) for view, said in views.items()},
            budget={"percent": 5.0, "predicted_percent": 4.0, "measured_percent": 4.2},
            facts=facts,
        )
        self.manifest.servers.append(entry)

    def chunk(self, server: str, view: str, seq: int, text: str, **fields: Any) -> None:
        """Add a chunk of 5 s and its line; times are the server's. `fields` replace those of the line."""
        folder = self.run.server(server)
        packed = gzip.compress(text.encode("utf-8", "surrogateescape"))
        folder.chunk(view, seq).write_bytes(packed)
        start_ns = START_NS + seq * 5 * SECOND_NS
        samples = sum(int(count) for count in re.findall(r" (\d+)\n", text))
        line = {
            "view": view,
            "seq": seq,
            "start_ns": start_ns,
            "end_ns": start_ns + 5 * SECOND_NS,
            "rate_hz": 20.0,
            "samples": samples,
            "errors": 0,
            "late_s": 0.0,
            "cpu_s": 0.1,
            "exit_code": 0,
            "bytes": len(packed),
            "note": None,
        }
        with folder.chunks.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | fields) + "\n")

    def build(self) -> RunFolder:
        """Write run.json and return the run."""
        self.run.path.mkdir(parents=True, exist_ok=True)
        self.manifest.save(self.run.manifest)
        self.run.plan.write_text("name: small\n", encoding="utf-8")
        return self.run


def small_run(root: Path) -> RunFolder:
    """Two loads (http: 100 requests of 1…100 ms and one reset; socket: 10 connections), one server with wall and cpu."""
    builder = RunFolderBuilder(root)
    http = [
        request(
            number / 10,
            float(number),
            phase="warm" if number <= 50 else "peak",
            status=201 if number > 95 else 504 if number == 1 else 200,
            name="create" if number > 95 else "load data",
            user=f"u{number % 10}",
        )
        for number in range(1, 101)
    ]
    builder.load("http", [*http, failed(5.0, "ECONNRESET", phase="peak", user="u0")], _events("browse", 10))
    sockets = [
        request(
            number,
            2.0,
            protocol="ws",
            scenario="sockets",
            name="connect",
            method="CONNECT",
            status=0,
            phase="warm",
            user=f"s{number}",
        )
        for number in range(10)
    ]
    builder.load("socket", sockets, _events("sockets", 10))
    views = {view: {"rate_hz": 20.0, "valid": True, "reason": ""} for view in ("wall", "cpu")}
    builder.server("app", views, offset_ns=2 * SECOND_NS)
    json_loads = "loads (/usr/lib/python3.11/json/__init__.py:346)"
    for seq in range(2):
        hot_a = raw(WORKER_A, (*GUNICORN, HOT), 60)
        hot_b = raw(WORKER_B, (*GUNICORN, HOT), 20)
        parse = raw(WORKER_A, (*GUNICORN, "index (/srv/shop/shop/views.py:30)", json_loads), 20)
        waits = raw(WORKER_B, POOL_WAIT, 40, thread="ThreadPoolExecutor-0_0", tid=9)
        arbiter = raw(
            ARBITER, ("sleep (/srv/venv/lib/python3.11/site-packages/gunicorn/arbiter.py:357)",), 100
        )
        builder.chunk("app", "wall", seq, hot_a + hot_b + parse + waits + arbiter)
        builder.chunk("app", "cpu", seq, hot_a + hot_b + parse + waits)
    return builder.build()


def _events(scenario: str, users: int) -> list[dict[str, Any]]:
    def at(seconds: float) -> int:
        return START_NS + round(seconds * SECOND_NS)

    return [
        {"t_ns": at(0), "kind": "phase_started", "phase": "warm", "index": 0, "duration_s": 5},
        {"t_ns": at(5), "kind": "phase_ended", "phase": "warm", "index": 0},
        {"t_ns": at(5), "kind": "phase_started", "phase": "peak", "index": 1, "duration_s": 5},
        {"t_ns": at(10), "kind": "phase_ended", "phase": "peak", "index": 1},
        {
            "t_ns": at(10),
            "kind": "users",
            "created": {scenario: users},
            "completed": users - 1,
            "failed": 1,
            "skipped": 0,
        },
        {"t_ns": at(10.2), "kind": "done"},
    ]
