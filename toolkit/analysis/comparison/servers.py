"""A run's servers in the same slices: CPU seconds, memory of the workers, accept queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.analysis.comparison.slices import Window
from toolkit.analysis.database import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ServerPhase:
    """One server during one phase. The arrays have one value a slice; sums, and how many lines they are of."""

    server: str
    window: Window
    requests: Floats
    """Of all loads, that ended in the slice."""
    cores: Floats
    cores_lines: Floats
    rss: Floats
    rss_lines: Floats
    accept_queue: Floats
    accept_queue_lines: Floats

    @property
    def cpu_s(self) -> Floats:
        """CPU seconds of the slices that were measured; 0 in the others."""
        lines = np.maximum(self.cores_lines, 1)
        return np.asarray(self.cores / lines * self.window.slice_ns / 1e9)

    @property
    def requests_measured(self) -> Floats:
        """The requests of the slices whose CPU was measured."""
        return np.where(self.cores_lines > 0, self.requests, 0.0)


def read_servers(
    connection: duckdb.DuckDBPyConnection, servers: Iterable[str], windows: list[Window]
) -> dict[tuple[str, str], ServerPhase]:
    """(server, phase) → what was measured; phases of one name that several loads have are one."""
    found = {}
    for window in joined(windows):
        asked = {
            "start_ns": window.start_ns,
            "end_ns": window.end_ns,
            "length_ns": window.slice_ns,
            "slices": window.slices,
        }
        requests = _column(rows(connection, "compare_ended", asked), "requests", window.slices)
        for server in servers:
            lines = rows(connection, "compare_metrics", {**asked, "server": server})
            if lines:
                found[server, window.phase] = _phase(server, window, requests, lines)
    return found


def joined(windows: Iterable[Window]) -> list[Window]:
    """One window for each name of a phase, from the first start to the last end."""
    by_phase: dict[str, list[Window]] = {}
    for window in windows:
        by_phase.setdefault(window.phase, []).append(window)
    return [
        Window(
            "",
            phase,
            min(one.start_ns for one in its),
            max(one.end_ns for one in its),
            sum(one.requests for one in its),
        )
        for phase, its in by_phase.items()
    ]


def _phase(server: str, window: Window, requests: Floats, lines: list[dict[str, Any]]) -> ServerPhase:
    def column(name: str) -> Floats:
        return _column(lines, name, window.slices)

    return ServerPhase(
        server,
        window,
        requests,
        column("cores"),
        column("cores_lines"),
        column("rss"),
        column("rss_lines"),
        column("accept_queue"),
        column("accept_queue_lines"),
    )


def _column(lines: list[dict[str, Any]], name: str, slices: int) -> Floats:
    column = np.zeros(slices)
    for row in lines:
        column[row["slice"]] = row[name]
    return column
