"""Stacks of one view of one server, over any time, of all processes or one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.analysis.database import rows
from toolkit.analysis.tables import open_tables

if TYPE_CHECKING:
    import duckdb

    from toolkit.recording.layout import RunFolder


@dataclass(frozen=True)
class SampledStack:
    """One stack of one process."""

    pid: int | None
    root: int | None
    """The recorded process that `pid` descends from: `pid` itself for the arbiter."""
    frames: tuple[str, ...]
    """From root to leaf."""
    samples: int
    ms: float
    """Sampled time: 1000 / rate for each sample; 0 where the rate is not known."""


def read_stacks(
    run: RunFolder,
    server: str,
    view: str,
    *,
    worker: int | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> list[SampledStack]:
    """What was recorded, nothing left out; empty where there is no such server or view.

    Args:
        run: the run folder; its tables are built where they are missing.
        server: as named in the plan.
        view: wall, cpu or gil.
        worker: a PID, or all processes.
        start_ns: of the chunks whose middle lies in [start_ns, end_ns), on the controller's clock.
        end_ns: see `start_ns`.

    Raises:
        ToolkitError: as `open_tables`.
    """
    with open_tables(run) as connection:
        return stacks_of(connection, server, view, worker=worker, start_ns=start_ns, end_ns=end_ns)


def stacks_of(
    connection: duckdb.DuckDBPyConnection,
    server: str,
    view: str,
    *,
    worker: int | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> list[SampledStack]:
    """As `read_stacks`, from open tables."""
    of = {"server": server, "view": view}
    frames = {row["stack_id"]: tuple(row["frames"]) for row in rows(connection, "stack_frames", of)}
    asked = {**of, "worker": worker, "start_ns": start_ns, "end_ns": end_ns}
    return [
        SampledStack(row["pid"], row["root"], frames[row["stack_id"]], row["samples"], row["ms"])
        for row in rows(connection, "stack_times", asked)
    ]
