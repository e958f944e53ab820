"""What a generator and a canary would have recorded, for tests of the verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.run_folders import MS_NS, SECOND_NS, START_NS, RunFolderBuilder, request
from toolkit.analysis.results import read_results

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

URL = "http://127.0.0.1:8000/data"


def at(seconds: float) -> int:
    """Nanoseconds of the run's clock."""
    return START_NS + round(seconds * SECOND_NS)


def schedule(at_s: float = 0.0, **fields: Any) -> dict[str, Any]:
    """A phase begins: by default 100 users a second for 10 s."""
    given = {
        "kind": "schedule",
        "worker": 1,
        "workers": 1,
        "phase": "peak",
        "index": 0,
        "mode": "uniform",
        "duration_s": 10,
        "rate": 100,
        "ramp_to": None,
        "count": None,
    }
    return {"t_ns": at(at_s), **given, **fields}


def pulse(at_s: float, arrived: int, **fields: Any) -> dict[str, Any]:
    given = {
        "kind": "pulse",
        "worker": 1,
        "late_ms": 1.0,
        "late_max_ms": 3.0,
        "loop_ms": 0.2,
        "loop_p99_ms": 1.0,
        "loop_max_ms": 4.0,
    }
    return {"t_ns": at(at_s), "arrived": arrived, **given, **fields}


def pulses(per_s: float, until_s: float, **fields: Any) -> list[dict[str, Any]]:
    """A pulse each second; the last says that phase 0 ended."""
    found = [pulse(second, round(second * per_s), **fields) for second in range(1, int(until_s) + 1)]
    return [*found, pulse(until_s, round(until_s * per_s), ended=0, **fields)]


def cpu(
    busiest: float, until_s: int, *, host: float = 1.0, waited: float | None = 0.0
) -> list[dict[str, Any]]:
    """Of a machine with two cores."""
    engine = {
        "load": "http",
        "cpu": busiest,
        "busiest": busiest,
        "waited": waited,
        "rss": 3 << 26,
        "threads": 12,
    }
    return [
        {"t_ns": at(second), "interval_s": 1.0, "cores": 2, "host_cpu": host, "engines": [engine]}
        for second in range(1, until_s + 1)
    ]


def canary(
    ms: float, until_s: float, *, per_s: int = 10, url: str = URL, **fields: Any
) -> list[dict[str, Any]]:
    """Its file: what it was told, and its answers."""
    given = {"ms": ms, "late_ms": 0.1, "status": 200, "bytes": 100, "error": None, **fields}
    return [
        {"schema": 1, "kind": "canary", "t_ns": at(0), "url": url, "rate": None},
        {"kind": "pace", "t_ns": at(0.5), "per_s": per_s, "idle_ms": 2.0},
        *({"t_ns": at(1 + nth / per_s), **given} for nth in range(int((until_s - 1) * per_s))),
    ]


def requests(ms: float, until_s: float, *, per_s: int = 10, lag_ms: float = 1.0) -> list[dict[str, Any]]:
    """GETs of the canary's address, one after another."""
    found = (request(1 + nth / per_s, ms) for nth in range(int((until_s - 1) * per_s)))
    return [{**row, "intended_ns": row["start_ns"] - round(lag_ms * MS_NS)} for row in found]


def trust(
    root: Path,
    *,
    events: Iterable[dict[str, Any]] = (),
    rows: Iterable[dict[str, Any]] | None = None,
    machine: Iterable[dict[str, Any]] = (),
    bird: Iterable[dict[str, Any]] = (),
    builder: RunFolderBuilder | None = None,
) -> dict[str, Any]:
    """`summary["trust"]` of a run with one load, from what was recorded."""
    made = builder or RunFolderBuilder(root)
    made.load("http", requests(5, 10) if rows is None else rows, events)
    folder = made.run.generator
    folder.path.mkdir(parents=True)
    for path, lines in ((folder.cpu, machine), (folder.canary, bird)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        if text:
            path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = read_results(made.build()).summary["trust"]
    return found


def tone(found: dict[str, Any], key: str) -> str:
    """Of one row."""
    return next(str(row["tone"]) for row in found["rows"] if row["key"] == key)
