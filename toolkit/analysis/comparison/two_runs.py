"""The profiles of two runs as one source of windows, so that what compares two windows of a run compares two runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.analysis.latency_bins import requests_between
from toolkit.analysis.windows import Selection
from toolkit.analysis.windows_difference import Side
from toolkit.analysis.windows_reading import open_source, why_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from toolkit.analysis.windows_profile import Frame, StackPath
    from toolkit.analysis.windows_slices import ChunkSlice
    from toolkit.analysis.windows_tables import TableSource
    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest

VIEWS = ("cpu", "wall")
_BASE, _NEW = "base/", "new/"


@dataclass(frozen=True)
class TwoRuns:
    """A server's name begins with whose it is: `base/web`, `new/web`. Frames are numbered together."""

    base: TableSource
    new: TableSource
    requests: tuple[int, int]
    """Of all loads, on either side."""

    @classmethod
    def open(
        cls,
        base: tuple[duckdb.DuckDBPyConnection, RunFolder, Manifest],
        new: tuple[duckdb.DuckDBPyConnection, RunFolder, Manifest],
    ) -> TwoRuns:
        """From both runs' open tables."""
        first, second = open_source(*base), open_source(*new)
        second.frames, second._numbers = first.frames, first._numbers
        counts = [requests_between(connection, 0, None, None) for connection, _, _ in (base, new)]
        return cls(first, second, (counts[0], counts[1]))

    @property
    def frames(self) -> Sequence[Frame]:
        """By number."""
        return self.base.frames

    def shared(self) -> list[tuple[str, str]]:
        """Server and view of what both recorded and may be shown."""
        sides = [
            {(view.server, view.name) for view in source.views if not why_hidden(view)}
            for source in (self.base, self.new)
        ]
        return sorted(
            (one for one in sides[0] & sides[1] if one[1] in VIEWS),
            key=lambda one: (one[0], VIEWS.index(one[1])),
        )

    def sides(self, server: str, view: str) -> tuple[Side, Side]:
        """The whole of both runs, of one server and view."""
        return (
            Side(Selection(_BASE + server, view), self.requests[0]),
            Side(Selection(_NEW + server, view), self.requests[1]),
        )

    @property
    def normal(self) -> str:
        """What differences are per: request, or second where a run has none."""
        return "request" if all(self.requests) else "second"

    def slices(self, server: str, view: str) -> list[ChunkSlice]:
        """As `windows.Source`."""
        source, name = self._of(server)
        return source.slices(name, view)

    def times(
        self, server: str, view: str, worker: int | None, slices: Sequence[ChunkSlice], blocks: Sequence[int]
    ) -> dict[int, dict[StackPath, int]]:
        """As `windows.Source`."""
        source, name = self._of(server)
        return source.times(name, view, worker, slices, blocks)

    def _of(self, server: str) -> tuple[TableSource, str]:
        if server.startswith(_BASE):
            return self.base, server.removeprefix(_BASE)
        return self.new, server.removeprefix(_NEW)
