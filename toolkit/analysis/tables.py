"""Run folder → `tables/*.parquet`: every recorded line once, typed, on the controller's clock.

requests     one row a request: `request_no` (from 1, in order of start), `load`, records.REQUEST_FIELDS, `latency_ms`
load_events  what the generators said of themselves
phases       `load`, `name`, `idx`, `start_ns`, `end_ns`, `duration_s`
chunks       `server`, records.CHUNK_FIELDS, and what its file held
stacks       `stack_id`, `frames` from root to leaf
samples      per chunk, process, thread and stack: `server`, `view`, `seq`, `start_ns`, `end_ns`, `rate_hz`, `pid`,
             `root` (the recorded ancestor), `tid`, `thread`, `stack_id`, `count`
log_events   one row an event of a server's logs: see `queries/log_events.sql`; `t_low_ns` and `t_high_ns` bound when it was
             written, of an access line when the request ended
log_sources  one row a log: where it lies, its `role`, how much of it was read, and what was not
metrics      `server`, `t_ns`, `scope` (host, service, process), `pid` and `role` (of a process), `name` and
             `value` (metric_fields.py): gauges as read, counters as growth per second; no row where there is no value
worker_events  `server`, `t_ns`, `pid`, `create_time`, `what` (there, born, died), `cause`, `cause_words`, `certainty`,
             `evidence`, and the `source` and `position` of the log line that says so
access_logs  the access logs among the logs, and in which order they are believed (joins/access_logs.py)
joined       a row a request: its lines in the servers' logs, and what explains it where it failed (queries/joined.sql)
sources      `source`, `records`, `unreadable`, `implausible`, `problem`, `damage` (cut, changed): what was read from where
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from toolkit.analysis.building import Building, Source
from toolkit.analysis.database import connect, json_table, plainly_named, read_parquet, write_json_lines
from toolkit.analysis.joins.build import build_joined
from toolkit.analysis.logs.log_tables import build_log_tables
from toolkit.analysis.request_tables import build_load_tables
from toolkit.analysis.stack_tables import build_stack_tables
from toolkit.analysis.watch.log_gaps import note_log_gaps
from toolkit.analysis.watch.metric_tables import build_metric_tables
from toolkit.analysis.watch.worker_tables import build_worker_tables
from toolkit.errors import ToolkitError
from toolkit.recording.checksums import changed_files
from toolkit.recording.manifest import load_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from toolkit.recording.layout import RunFolder

TABLES = (
    "requests",
    "load_events",
    "phases",
    "chunks",
    "stacks",
    "samples",
    "log_events",
    "log_sources",
    "metrics",
    "worker_events",
    "access_logs",
    "joined",
    "sources",
)


def build_tables(run: RunFolder) -> None:
    """Build all tables; they appear together, or not at all. A recording that is missing gives an empty table.

    Raises:
        ToolkitError: no run.json that this toolkit can read, or the folder cannot be written.
    """
    with TableBuild(run) as build:
        build.finish()


class TableBuild:
    """Tables on their way, as a context. `read_load` may come long before `finish`, and from another thread.

    Raises:
        ToolkitError: each of them and the making: no run.json that this toolkit can read, or the folder cannot be written.
    """

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        manifest = load_manifest(run.manifest)
        for stale in run.path.glob(".tables.*"):
            shutil.rmtree(stale, ignore_errors=True)
        with ExitStack() as held, self._writing():
            made = held.enter_context(tempfile.TemporaryDirectory(dir=run.path, prefix=".tables."))
            work = held.enter_context(plainly_named(Path(made)))
            scratch, self._built = work / "scratch", work / "tables"
            scratch.mkdir()
            self._built.mkdir()
            connection = held.enter_context(connect(scratch / "spill"))
            self._building = Building(run, manifest, connection, scratch, self._built)
            self._held = held.pop_all()
        self._load_is_read = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._writing():
            self._held.close()

    def read_load(self) -> None:
        """Build what depends on the load alone, once its records are whole."""
        if not self._load_is_read:
            with self._writing():
                build_load_tables(self._building)
            self._load_is_read = True

    def finish(self) -> duckdb.DuckDBPyConnection:
        """Build the others and put all into their place; a database with one view a table, good until the context ends."""
        self.read_load()
        building = self._building
        building.manifest = load_manifest(self._run.manifest)
        with self._writing():
            build_stack_tables(building)
            build_log_tables(building)
            note_log_gaps(building)
            watched = build_metric_tables(building)
            build_worker_tables(building, watched)
            build_joined(building)
            building.sources += [
                Source(name, problem=sentence, damage="changed")
                for name, sentence in changed_files(self._run)
            ]
            _write_sources(building)
            if self._run.tables.exists():
                shutil.rmtree(self._run.tables)
            self._built.rename(self._run.tables)
            self._built.symlink_to(self._run.tables.resolve())  # where the views look for them
        return building.connection

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ToolkitError(
                f"The tables of {self._run.path} could not be written: {error.strerror or error}."
            ) from error


@contextmanager
def open_tables(run: RunFolder) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with one view a table. Builds the tables where one is missing, or an older toolkit built them.

    Raises:
        ToolkitError: as `build_tables`.
    """
    if not all((run.tables / f"{table}.parquet").is_file() for table in TABLES) or _are_older(run):
        build_tables(run)
    with plainly_named(run.tables) as tables, connect(tables.with_name("spill")) as connection:
        for table in TABLES:
            read_parquet(connection, table, tables / f"{table}.parquet")
        yield connection


def _are_older(run: RunFolder) -> bool:
    """Whether a toolkit built them that had no column `failed` yet."""
    with plainly_named(run.tables) as tables, connect(tables.with_name("spill")) as connection:
        return "failed" not in connection.read_parquet(str(tables / "requests.parquet")).columns


def _write_sources(building: Building) -> None:
    path = building.scratch / "sources.jsonl"
    write_json_lines(path, (asdict(source) for source in building.sources))
    columns = {
        "source": "VARCHAR",
        "records": "BIGINT",
        "unreadable": "BIGINT",
        "implausible": "BIGINT",
        "problem": "VARCHAR",
        "damage": "VARCHAR",
    }
    json_table(building.connection, "raw_sources", path, columns)
    building.write("sources")
