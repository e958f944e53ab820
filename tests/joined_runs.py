"""Runs whose server logs are given as rows of `log_events`, for tests of what is joined to what.

run = JoinedRun(tmp_path)
run.access(2.0, "GET", "/data", 200, request_id="r-1", duration_ms=8)      # ended 2 s after the run's start
run.traceback(2.0, "BrokenPipeError", "shop/views.py:12 index", url_path="/boom")
rows = run.join([request(1.99, 12, request_id="r-1")])                      # table `joined`, by request_no
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.run_folders import SECOND_NS, START_NS, RunFolderBuilder
from tests.server_logs import ServerLogs
from toolkit.analysis.building import Building
from toolkit.analysis.database import connect, json_table, read_parquet, write_json_lines
from toolkit.analysis.joins.build import build_joined
from toolkit.analysis.joins.findings import ServerErrors, read_server_errors
from toolkit.analysis.request_tables import build_load_tables
from toolkit.analysis.stack_tables import build_stack_tables
from toolkit.analysis.watch.metric_tables import build_metric_tables
from toolkit.analysis.watch.worker_tables import build_worker_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LOG_EVENTS = {
    "server": "VARCHAR",
    "source": "INTEGER",
    "file": "VARCHAR",
    "position": "BIGINT",
    "bytes": "INTEGER",
    "t_ns": "BIGINT",
    "t_low_ns": "BIGINT",
    "t_high_ns": "BIGINT",
    "kind": "VARCHAR",
    "event": "VARCHAR",
    "level": "VARCHAR",
    "logger": "VARCHAR",
    "pid": "INTEGER",
    "writer": "INTEGER",
    "perhaps_quoted": "BOOLEAN",
    "exit_signal": "VARCHAR",
    "exit_code": "INTEGER",
    "request_id": "VARCHAR",
    "method": "VARCHAR",
    "url_path": "VARCHAR",
    "status": "INTEGER",
    "duration_ms": "DOUBLE",
    "bytes_out": "BIGINT",
    "client": "VARCHAR",
    "message": "VARCHAR",
    "exception": "VARCHAR",
    "fingerprint": "VARCHAR",
    "place": "VARCHAR",
    "chain": "VARCHAR",
    "text": "VARCHAR",
}
MS_NS = 1_000_000


def at(seconds: float) -> int:
    """Nanoseconds of a time after the run's start."""
    return START_NS + round(seconds * SECOND_NS)


class JoinedRun:
    """One run folder, with the servers' lines as they come out of the logs."""

    def __init__(
        self, root: Path, *servers: str, error_ms: float = 1, watched_s: float | None = None
    ) -> None:
        self.builder = RunFolderBuilder(root)
        self.events: list[dict[str, Any]] = []
        self.logs: dict[str, ServerLogs] = {}
        for server in servers or ("app",):
            self.builder.server(server, {})
            self.builder.manifest.servers[-1].offset_error_ns = round(error_ms * MS_NS)
            self.logs[server] = ServerLogs(self.builder.run, server)
            if watched_s is not None:
                self._heard(server, watched_s)

    def access(
        self,
        at_s: float,
        method: str,
        path: str | None,
        status: int,
        *,
        resolution_ms: float = 0,
        **fields: Any,
    ) -> dict[str, Any]:
        """An access line of a request that ended then; of a log with a coarse stamp, in the stamp's `resolution_ms`."""
        t_ns = at(at_s)
        low_ns = (
            t_ns // round(resolution_ms * MS_NS) * round(resolution_ms * MS_NS) if resolution_ms else t_ns
        )
        times = {"t_ns": low_ns, "t_low_ns": low_ns, "t_high_ns": low_ns + round(resolution_ms * MS_NS)}
        line = {"kind": "access", "file": "/var/log/shop/access.log", "method": method, "url_path": path}
        return self._add({**times, **line, "status": status, **fields})

    def traceback(self, at_s: float, exception: str, place: str, **fields: Any) -> dict[str, Any]:
        """A traceback that was logged then."""
        t_ns = at(at_s)
        chain = [
            {
                "exception": exception,
                "message": "it broke",
                "frames": [["/srv/" + place, 1, "f", "x()"]],
                "link": None,
            }
        ]
        line = {
            "kind": "traceback",
            "source": 1,
            "file": "/var/log/shop/error.log",
            "exception": exception,
            "place": place,
            "fingerprint": f"{exception} at {place}",
            "message": "it broke",
            "chain": json.dumps(chain),
            "text": f"[{at_s}] [ERROR] something\nTraceback (most recent call last):\n{exception}: it broke",
        }
        return self._add({"t_ns": t_ns, "t_low_ns": t_ns, "t_high_ns": t_ns, **line, **fields})

    def gunicorn(self, at_s: float, event: str, pid: int, **fields: Any) -> dict[str, Any]:
        """One of gunicorn's own lines."""
        t_ns = at(at_s)
        line = {
            "kind": "gunicorn",
            "source": 1,
            "file": "/var/log/shop/error.log",
            "event": event,
            "pid": pid,
        }
        return self._add(
            {"t_ns": t_ns, "t_low_ns": t_ns, "t_high_ns": t_ns, **line, "text": f"{event} {pid}", **fields}
        )

    def _add(self, fields: dict[str, Any]) -> dict[str, Any]:
        position = 100 * len(self.events)
        event = {**dict.fromkeys(LOG_EVENTS), "server": "app", "source": 0, "position": position, "bytes": 99}
        event |= {"text": f"line {position}"} | fields
        self.events.append(event)
        return event

    def access_log(self, server: str = "app", **fields: Any) -> int:
        """Say that the server's access log was followed, whatever is in it."""
        return self.logs[server].source("/var/log/shop/access.log", role="access", **fields)

    def _heard(self, server: str, until_s: float) -> None:
        for number in range(int(until_s // 5)):
            self.builder.chunk(server, "wall", number, "")

    def join(
        self, requests: Iterable[Mapping[str, Any]], **loads: Iterable[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """The rows of `joined`; `self.errors` is then what the summary says."""
        for name, its in {"http": requests, **loads}.items():
            self.builder.load(name, its)
        run = self.builder.build()
        scratch, built = run.path / "scratch", run.path / "built"
        scratch.mkdir()
        built.mkdir()
        with connect(scratch / "spill") as connection:
            building = Building(run, self.builder.manifest, connection, scratch, built)
            build_load_tables(building)
            build_stack_tables(building)
            write_json_lines(scratch / "events.jsonl", self.events)
            json_table(connection, "raw_events", scratch / "events.jsonl", LOG_EVENTS)
            path = built / "log_events.parquet"
            connection.sql("SELECT * EXCLUDE (filename) FROM raw_events").write_parquet(str(path))
            read_parquet(connection, "log_events", path)
            build_worker_tables(building, build_metric_tables(building))
            build_joined(building)
            self.problems = [source.problem for source in building.sources if source.problem]
            self.errors: ServerErrors = read_server_errors(connection, self.builder.manifest)
            cursor = connection.execute("SELECT * FROM joined ORDER BY request_no")
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def sentences(run: JoinedRun) -> list[str]:
    return [one["sentence"] for one in run.errors.summary["explanations"]]
