"""The recorded stacks of any window, added up by the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.frames import waits_for_work
from toolkit.analysis.windows_frames import frame_of
from toolkit.analysis.windows_profile import NO_FRAME, Process
from toolkit.analysis.windows_slices import ChunkSlice, chunk_slices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import duckdb

    from toolkit.analysis.views import RecordedView
    from toolkit.analysis.windows_profile import Frame, StackPath


@dataclass
class TableSource:
    """Slices and sampled times of the views of one run, from its open tables."""

    connection: duckdb.DuckDBPyConnection
    views: list[RecordedView]
    zero_ms: int
    """Milliseconds since 1970 of time 0."""
    frames: list[Frame] = field(default_factory=list)
    """By number."""
    _numbers: dict[Frame, int] = field(default_factory=dict)
    _paths: dict[int, tuple[StackPath, bool]] = field(default_factory=dict)
    """Of each stack met so far: see `paths`."""

    def view(self, server: str, name: str) -> RecordedView | None:
        """The view, if anything is known of it."""
        return next((one for one in self.views if (one.server, one.name) == (server, name)), None)

    def slices(self, server: str, view: str) -> list[ChunkSlice]:
        """All slices of a view in order of time."""
        found = self.view(server, view)
        return chunk_slices(found.chunks, self.zero_ms) if found else []

    def processes(self, server: str, view: str) -> list[Process]:
        """Who was seen, by PID; `Process.server` is 0."""
        return [
            Process(0, row["pid"], "arbiter" if row["arbiter"] else "worker")
            for row in rows(self.connection, "window_processes", self._of(server, view))
        ]

    def times(
        self,
        server: str,
        view: str,
        worker: int | None,
        slices: Sequence[ChunkSlice],
        blocks: Sequence[int],
    ) -> dict[int, dict[StackPath, int]]:
        """Microseconds of each stack in each block; `blocks` names the block of each of `slices`.

        In the cpu view threads that wait for work do not count, as in the summary.
        """
        return self._times(server, view, worker, slices, blocks)[0]

    def samples(
        self, server: str, view: str, worker: int | None, slices: Sequence[ChunkSlice]
    ) -> tuple[int, int]:
        """How many samples count in these slices, and how many were left out as they wait for work."""
        return self._times(server, view, worker, slices, [0] * len(slices))[1]

    def paths(self, stacks: Iterable[int]) -> dict[int, tuple[StackPath, bool]]:
        """Of each stack, in the order given: its path, and whether it is a thread that waits for work."""
        wanted = list(stacks)
        new = sorted(stack for stack in wanted if stack not in self._paths)
        for row in rows(self.connection, "frames_of_stacks", {"stacks": new}) if new else []:
            labels = tuple(row["frames"])
            path = tuple(self._number(frame_of(label)) for label in labels or (NO_FRAME,))
            self._paths[row["stack_id"]] = path, waits_for_work(labels)
        return {stack: self._paths[stack] for stack in wanted}

    def _times(
        self,
        server: str,
        view: str,
        worker: int | None,
        slices: Sequence[ChunkSlice],
        blocks: Sequence[int],
    ) -> tuple[dict[int, dict[StackPath, int]], tuple[int, int]]:
        asked = {
            **self._of(server, view),
            "worker": worker,
            "seqs": [one.seq for one in slices],
            "units": [one.unit for one in slices],
            "blocks": list(blocks),
        }
        found = rows(self.connection, "window_times", asked) if slices else []
        paths = self.paths({row["stack_id"] for row in found})
        times: dict[int, dict[StackPath, int]] = {}
        kept = waiting = 0
        for row in found:
            path, waits = paths[row["stack_id"]]
            if waits and view == "cpu":
                waiting += row["samples"]
                continue
            kept += row["samples"]
            block = times.setdefault(row["block"], {})
            block[path] = block.get(path, 0) + row["us"]
        return times, (kept, waiting)

    def _of(self, server: str, view: str) -> dict[str, Any]:
        found = self.view(server, view)
        return {"server": server, "view": found.stored_as if found else view}

    def _number(self, frame: Frame) -> int:
        number = self._numbers.get(frame)
        if number is None:
            number = self._numbers[frame] = len(self.frames)
            self.frames.append(frame)
        return number
