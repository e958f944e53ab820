"""A made-up run of any size, for the benchmark of the report page: 4 hours of load on one watched server of 8 workers.

What is small is recorded as a run records it (run.json, events, canary, the generator's CPU); the large tables are written as
Parquet at once, with the columns that `build_tables` gave an empty run: ten million requests as raw files would take an hour.
Everything is made of hashes of its number: the same size, the same run.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from benchmarks.page_tables import FIRST_PID, RATE_HZ, SECONDS, VIEWS, WORKERS, fill
from tests.run_folders import START_NS, RunFolderBuilder
from tests.server_metrics import ServerWatch, life
from toolkit.analysis.tables import build_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from toolkit.recording.layout import RunFolder

PHASES = (("warm up", 0, 1800), ("ramp", 1800, 3600), ("peak", 3600, 10_800), ("cool down", 10_800, SECONDS))
_SECOND_NS = 10**9


def make_run(root: Path, requests: int) -> RunFolder:
    """Write the run and its tables below `root`."""
    builder = RunFolderBuilder(root, name="20261121T143000Z-four-hours")
    builder.manifest.run_id = builder.name
    builder.manifest.ended_ns = _at(SECONDS + 2)
    builder.load("http", events=_events())
    builder.manifest.loads[0].ended_ns = _at(SECONDS)
    views = {view: {"rate_hz": float(RATE_HZ), "valid": True, "reason": ""} for view in VIEWS}
    builder.server("web", views)
    watch = ServerWatch(builder, "web")
    watch.workers(-2, born=[life(FIRST_PID + number) for number in range(WORKERS)])
    for hour in range(1, 4):
        watch.workers(hour * 3600, died=[life(FIRST_PID)], born=[life(FIRST_PID, hour * 3600)])
    run = builder.build()
    _generator(run)
    build_tables(run)  # the columns of every table
    fill(run, requests)
    return run


def _at(seconds: float) -> int:
    return START_NS + round(seconds * _SECOND_NS)


def _events() -> Iterator[dict[str, Any]]:
    for index, (name, start, end) in enumerate(PHASES):
        of = {"phase": name, "index": index, "duration_s": end - start}
        steady = {"worker": 1, "workers": 1, "mode": "ramp", "rate": 30, "ramp_to": 30, "count": None}
        yield {"t_ns": _at(start), "kind": "schedule", **of, **steady}
        yield {"t_ns": _at(start), "kind": "phase_started", **of}
        yield {"t_ns": _at(end), "kind": "phase_ended", **of}
    users = {"completed": 30, "failed": 0, "skipped": 0, "errors": {}, "unanswered": {}}
    lag = {"late_ms": 0.7, "late_max_ms": 2.1, "loop_ms": 0.2, "loop_p99_ms": 1.6, "loop_max_ms": 8.7}
    for second in range(SECONDS):
        yield {"t_ns": _at(second + 0.5), "kind": "users", "created": {"scenario 1": 30}, **users}
        yield {"t_ns": _at(second + 0.9), "kind": "pulse", "worker": 1, "arrived": 30 * (second + 1), **lag}
    yield {"t_ns": _at(SECONDS), "kind": "done"}


def _generator(run: RunFolder) -> None:
    chance = random.Random(1)
    folder = run.generator
    folder.path.mkdir()
    canary = {
        "schema": 1,
        "kind": "canary",
        "t_ns": _at(0),
        "url": "http://127.0.0.1:8000/healthz",
        "rate": None,
    }
    fine = {"late_ms": 0.0, "status": 200, "bytes": 2, "error": None}
    answered = (
        {"t_ns": _at(number / 20), "ms": round(chance.gammavariate(2, 1), 2), **fine}
        for number in range(20 * SECONDS)
    )
    _write(folder.canary, [canary, *answered])
    engine = {"load": "http", "busiest": 0.6, "waited": 0.1, "rss": 3 * 10**8, "threads": 12}
    _write(
        folder.cpu,
        (
            {
                "t_ns": _at(second + 1),
                "interval_s": 1.0,
                "cores": 8,
                "host_cpu": round(chance.uniform(1, 3), 3),
                "engines": [{**engine, "cpu": round(chance.uniform(0.5, 0.8), 3)}],
            }
            for second in range(SECONDS)
        ),
    )


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
