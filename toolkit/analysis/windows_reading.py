"""A run's tables as a source of windows, and as the whole profile that a page carries."""

from __future__ import annotations

from statistics import median_high
from typing import TYPE_CHECKING, Any

from toolkit.analysis.chunks import mean_rate
from toolkit.analysis.database import query, rows
from toolkit.analysis.view_notes import sentence
from toolkit.analysis.views import recorded_views
from toolkit.analysis.windows_profile import Process, RecordedProfile, Slice, ViewState
from toolkit.analysis.windows_tables import TableSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from toolkit.analysis.views import RecordedView
    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest

_ORDER = ("wall", "cpu", "gil")


def open_source(connection: duckdb.DuckDBPyConnection, run: RunFolder, manifest: Manifest) -> TableSource:
    """The run's views as a source of windows; also those that must not be shown (see `why_hidden`)."""
    views = [view for _, found in recorded_views(connection, run, manifest) for view in found]
    return TableSource(connection, views, time_zero_ms(connection, manifest))


def time_zero_ms(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> int:
    """Time 0 in milliseconds since 1970: the timeline's first second, else the second in which the run began."""
    (first,) = rows(connection, "time_zero")
    seconds = manifest.started_ns // 1_000_000_000 if first["t"] is None else first["t"]
    return int(seconds) * 1000


def why_hidden(view: RecordedView) -> str:
    """Why a view must not be shown, a sentence; empty where it may be."""
    if view.said.get("valid") is False:
        return sentence(str(view.said.get("reason") or "Why it would not be true was not recorded."))
    return "" if view.chunks else "It has no chunk."


def read_profile(source: TableSource, summaries: list[dict[str, Any]] | None = None) -> RecordedProfile:
    """Every chunk of every view that may be shown and holds a sample.

    Args:
        source: the run.
        summaries: the summary's `servers`, whose words on the views are taken over.
    """
    reading = _Reading(source, summaries or [])
    for view in source.views:
        reading.add(view)
    lengths = [one.length for one in reading.profile.slices if one.length]
    reading.profile.chunk_s = median_high(lengths) / 1000 if lengths else 0.0
    return reading.profile


class _Reading:
    def __init__(self, source: TableSource, summaries: list[dict[str, Any]]) -> None:
        self.source = source
        self.said = {(server["name"], view["view"]): view for server in summaries for view in server["views"]}
        self.profile = RecordedProfile(
            source.zero_ms,
            servers=list(dict.fromkeys(view.server for view in source.views)),
            views=sorted({view.name for view in source.views}, key=lambda name: (_rank(name), name)),
        )
        self.processes: dict[tuple[int, int], int] = {}
        self.nodes: dict[int, int] = {}
        """Stack → the node of its leaf."""
        self.children: dict[tuple[int, int], int] = {}
        """Number of the parent + 1 and of the frame → node."""

    def add(self, view: RecordedView) -> None:
        profile = self.profile
        server, number = profile.servers.index(view.server), profile.views.index(view.name)
        hidden = why_hidden(view)
        groups = 0
        if not hidden:
            groups = self._add_groups(view, server, number)
            hidden = "" if groups else "It holds no sample that can be shown."
        said = self.said.get((view.server, view.name), {})
        note = str(said.get("note") or "")
        profile.states.append(
            ViewState(server, number, not hidden, hidden or note, mean_rate(view.chunks) or None)
        )

    def _add_groups(self, view: RecordedView, server: int, number: int) -> int:
        profile = self.profile
        slices = self.source.slices(view.server, view.name)
        nodes = self._grow(view)
        if not slices or not nodes:
            return 0
        first = len(profile.slices)
        asked = {
            "server": view.server,
            "view": view.stored_as,
            "seqs": [one.seq for one in slices],
            "numbers": list(range(first, first + len(slices))),
            "stacks": list(nodes),
            "nodes": list(nodes.values()),
        }
        profile.slices += [Slice(server, number, one.start, one.length, one.unit) for one in slices]
        for process in self.source.processes(view.server, view.name):
            if (server, process.pid) not in self.processes:
                self.processes[server, process.pid] = len(profile.processes)
                profile.processes.append(Process(server, process.pid, process.role))
        count = 0
        for slice_, pid, its_nodes, counts in _groups(self.source.connection, asked):
            profile.add_group(slice_, self.processes[server, pid], its_nodes, counts)
            count += 1
        return count

    def _grow(self, view: RecordedView) -> dict[int, int]:
        """The node of each stack of the view, but those of threads that wait in a pool (see `TableSource.times`)."""
        asked = {"server": view.server, "view": view.stored_as}
        # Most seen first: what is common gets small numbers, and small numbers pack well.
        stacks = [row["stack_id"] for row in rows(self.source.connection, "stack_totals", asked)]
        found: dict[int, int] = {}
        for stack, (path, waits) in self.source.paths(stacks).items():
            if not (waits and view.name == "cpu"):
                if stack not in self.nodes:
                    self.nodes[stack] = self._node(path)
                found[stack] = self.nodes[stack]
        self.profile.tree.frames = self.source.frames
        return found

    def _node(self, path: tuple[int, ...]) -> int:
        tree = self.profile.tree
        place = 0
        for frame in path:
            node = self.children.get((place, frame))
            if node is None:
                node = self.children[place, frame] = len(tree.parents)
                tree.parents.append(place)
                tree.node_frames.append(frame)
            place = node + 1
        return place - 1


def _groups(
    connection: duckdb.DuckDBPyConnection, asked: dict[str, Any]
) -> Iterator[tuple[int, int, list[int], list[int]]]:
    cursor = connection.execute(query("window_groups"), asked)
    while some := cursor.fetchmany(1000):  # lists of millions of numbers: not all at once
        yield from some


def _rank(view: str) -> int:
    return _ORDER.index(view) if view in _ORDER else len(_ORDER)
