"""Writes what an agent measured into a run folder under construction: metrics lines, births and deaths.

watch = ServerWatch(builder, "app")                     # a server that the builder has
watch.line(0, processes=[worker(701, cpu_user=1.0)])    # seconds after the run's start
watch.workers(12, died=[life(701)], born=[life(711)])
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from tests.run_folders import START_NS, RunFolderBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from toolkit.analysis.results import Results

SECOND_NS = 1_000_000_000
BORN_S = 100.0
"""Workers of these tests are this much older than the run, where nothing else is said."""


def at(seconds: float) -> int:
    """Nanoseconds of the clock, so many seconds after the run's start."""
    return START_NS + round(seconds * SECOND_NS)


def created(seconds: float = -BORN_S) -> float:
    """A `create_time` so many seconds after the run's start."""
    return START_NS / 1e9 + seconds


def process(pid: int, role: str = "worker", born_s: float = -BORN_S, **values: Any) -> dict[str, Any]:
    """One of a metrics line's processes."""
    return {"pid": pid, "create_time": created(born_s), "role": role, "state": "S", **values}


def life(pid: int, born_s: float = -BORN_S, **fields: Any) -> dict[str, Any]:
    """A worker as `workers.jsonl` names it; `exit={"code": 3}` or `exit={"signal": 9}` of the dead."""
    return {"pid": pid, "create_time": created(born_s), "title": "gunicorn: worker [shop]", **fields}


class ServerWatch:
    """What one agent wrote. Times are seconds after the run's start on the *server's* clock."""

    def __init__(self, builder: RunFolderBuilder, server: str) -> None:
        self.folder = builder.run.server(server)
        self.folder.path.mkdir(parents=True, exist_ok=True)

    def line(
        self,
        seconds: float,
        *,
        host: Mapping[str, Any] | None = None,
        service: Mapping[str, Any] | None = None,
        processes: Sequence[Any] = (),
    ) -> None:
        """Append one metrics line."""
        found = {"t_ns": at(seconds), "host": host or {}, "service": service or {}}
        self.raw(json.dumps({**found, "processes": list(processes)}).encode() + b"\n")

    def raw(self, text: bytes) -> None:
        """Append these bytes to the metrics, as a gzip member of its own."""
        with self.folder.metrics.open("ab") as file:
            file.write(gzip.compress(text))

    def workers(
        self,
        seconds: float,
        *,
        born: Sequence[Mapping[str, Any]] = (),
        died: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Append one line of births and deaths; the first names those there at the start."""
        row = {"t_ns": at(seconds), "born": list(born), "died": list(died)}
        with self.folder.workers.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def watched(
    tmp_path: Path, gunicorn: dict[str, Any] | None = None, views: dict[str, dict[str, Any]] | None = None
) -> tuple[RunFolderBuilder, ServerWatch]:
    builder = RunFolderBuilder(tmp_path)
    builder.server("app", views or {})
    facts = {"target_python": "3.11.7", "gunicorn": gunicorn or {}}
    builder.manifest.servers[0].facts = facts
    return builder, ServerWatch(builder, "app")


def watch_of(results: Results) -> dict[str, Any]:
    found: dict[str, Any] = results.summary["servers"][0]["watch"]
    return found
