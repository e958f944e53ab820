"""Results and tables → what the rules read. Sums come from DuckDB, one query each; nothing is read row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import has_table, rows
from toolkit.analysis.findings.evidence import Evidence, ServerEvidence
from toolkit.analysis.findings.sites import sites_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from toolkit.analysis.findings.sites import ViewSites
    from toolkit.analysis.flames import Flame
    from toolkit.analysis.watch.busy import Busy

_POINTS = 120
"""Of a worker's memory over time: a leak is a slope, not a second."""


def read_evidence(
    connection: duckdb.DuckDBPyConnection,
    summary: dict[str, Any],
    series: dict[str, list[Any]],
    lanes: dict[str, dict[str, list[Any]]],
    flames: Sequence[Flame],
    busy: dict[str, Busy],
) -> Evidence:
    """Gather.

    Args:
        connection: open tables.
        summary: of the run, its verdict included.
        series: `Results.series`.
        lanes: `Results.server_series`.
        flames: `Results.flames`; those of whole servers are summed up.
        busy: of each server, by its name.
    """
    answers: dict[str, dict[int, dict[str, Any]]] = {}
    behind: set[str] = set()
    if has_table(connection, "joined"):
        for row in rows(connection, "finding_answers"):
            answers.setdefault(row["server"], {})[row["t"]] = row
        behind = {row["server"] for row in rows(connection, "finding_behind")}
    servers = []
    for server in summary["servers"]:
        name = server["name"]
        servers.append(
            ServerEvidence(
                name=name,
                watch=server["watch"],
                views={view["view"]: view for view in server["views"] if view["shown"]},
                lanes=lanes.get(name, {}),
                sites=_sites(flames, name),
                threads=_threads(busy[name]),
                answers=answers.get(name, {}),
                behind=name in behind,
                growth=_growth(connection, name, server["watch"]["window"]),
            )
        )
    return Evidence(summary, servers, series)


def _growth(
    connection: duckdb.DuckDBPyConnection, server: str, window: dict[str, Any]
) -> list[dict[str, Any]]:
    if window["from_ns"] is None:
        return []
    asked = {"server": server, "from_ns": window["from_ns"], "to_ns": window["to_ns"], "points": _POINTS}
    return rows(connection, "finding_growth", asked)


def _sites(flames: Sequence[Flame], server: str) -> dict[str, ViewSites]:
    return {
        flame.view: sites_of(flame.stacks, flame.seconds)
        for flame in flames
        if flame.server == server and flame.worker is None
    }


def _threads(busy: Busy) -> dict[int, float]:
    """The mean over the chunks in which each worker was seen."""
    found: dict[int, list[float]] = {}
    for chunk in busy.chunks:
        for pid, threads in chunk["threads"].items():
            found.setdefault(pid, []).append(threads)
    return {pid: sum(values) / len(values) for pid, values in found.items()}
