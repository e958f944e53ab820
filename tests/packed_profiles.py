"""A profile in memory as a source of windows, to compare what a page can add up with what the tables say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.analysis.windows_slices import ChunkSlice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.windows_profile import Frame, RecordedProfile, StackPath


@dataclass
class PackSource:
    """A `toolkit.analysis.windows.Source`; `ChunkSlice.seq` is the number of the slice."""

    profile: RecordedProfile

    @property
    def frames(self) -> list[Frame]:
        return self.profile.tree.frames

    def slices(self, server: str, view: str) -> list[ChunkSlice]:
        profile = self.profile
        return [
            ChunkSlice(number, one.start, one.length, one.unit)
            for number, one in enumerate(profile.slices)
            if (profile.servers[one.server], profile.views[one.view]) == (server, view)
        ]

    def times(
        self,
        server: str,
        view: str,
        worker: int | None,
        slices: Sequence[ChunkSlice],
        blocks: Sequence[int],
    ) -> dict[int, dict[StackPath, int]]:
        profile = self.profile
        block_of = {one.seq: block for one, block in zip(slices, blocks, strict=True)}
        found: dict[int, dict[StackPath, int]] = {}
        at = 0
        for slice_, process, size in zip(
            profile.group_slices, profile.group_processes, profile.group_sizes, strict=True
        ):
            if slice_ in block_of and worker in (None, profile.processes[process].pid):
                times = found.setdefault(block_of[slice_], {})
                for entry in range(at, at + size):
                    path = self.path(profile.entry_nodes[entry])
                    us = profile.entry_counts[entry] * profile.slices[slice_].unit
                    times[path] = times.get(path, 0) + us
            at += size
        return found

    def path(self, node: int) -> StackPath:
        tree, place, frames = self.profile.tree, node + 1, []
        while place:
            frames.append(tree.node_frames[place - 1])
            place = tree.parents[place - 1]
        return tuple(reversed(frames))
