"""A profile made smaller for the page: longer slices, and what is hardly ever seen counted on its caller. No time is lost."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from toolkit.analysis.windows_profile import RecordedProfile, Slice, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLISECOND = 1000
"""The unit of slices that were merged from several units, in microseconds."""
STRETCH = 60
"""Chunks; five minutes of chunks of 5 s."""


@dataclass
class _Group:
    slice: int
    process: int
    nodes: array[int]
    counts: array[int]


def lengthen(profile: RecordedProfile, times: int) -> RecordedProfile:
    """Merge the slices of each view that fall into the same `times` usual chunks of the clock."""
    long_ms = max(1, round(profile.chunk_s * 1000) * times)
    numbers: list[int] = []  # of each old slice: its new one
    slices: list[Slice] = []
    units: list[int] = []

    def bucket(one: Slice) -> tuple[int, int, bool, int]:
        # All views and servers are cut at the same times, so that wall - cpu stays what it was.
        return one.server, one.view, one.length > 0, (one.start + one.length // 2) // long_ms

    for _, some in groupby(profile.slices, bucket):
        merged = list(some)
        same = len({one.unit for one in merged}) == 1
        unit = merged[0].unit if same else MILLISECOND
        numbers += [len(slices)] * len(merged)
        units += [one.unit for one in merged]
        length = sum(one.length for one in merged)
        slices.append(replace(merged[0], length=length, unit=unit))
    coarse = _like(profile, profile.tree)
    coarse.slices = slices
    coarse.chunk_s = round(profile.chunk_s * times, 3)
    groups = [(numbers[group.slice], group.process, units[group.slice], group) for group in _groups(profile)]
    groups.sort(key=lambda one: one[:2])
    for (number, process), its in groupby(groups, lambda one: one[:2]):
        times_us: dict[int, int] = {}
        for _, _, unit, group in its:
            for node, count in zip(group.nodes, group.counts, strict=True):
                times_us[node] = times_us.get(node, 0) + count * unit
        _add(coarse, number, process, times_us)
    return coarse


def prune(profile: RecordedProfile, smallest_share: float) -> RecordedProfile:
    """Remove nodes that never reach this share of a view's time, in any stretch of the run (of `STRETCH` chunks, or a 48th).

    Their time counts on the caller that stays.
    """
    kept = _kept(profile, smallest_share)
    new = array("q")  # of each old node: the new one it counts on
    tree = Tree(profile.tree.frames)
    for node, stays in enumerate(kept):
        parent = profile.tree.parents[node]
        above = new[parent - 1] if parent else -1
        if stays:
            new.append(len(tree.parents))
            tree.parents.append(above + 1)
            tree.node_frames.append(profile.tree.node_frames[node])
        else:
            new.append(above)
    coarse = _like(profile, tree)
    coarse.slices = profile.slices
    for group in _groups(profile):
        counts: dict[int, int] = {}
        for node, count in zip(group.nodes, group.counts, strict=True):
            counts[new[node]] = counts.get(new[node], 0) + count
        nodes = sorted(counts)
        coarse.add_group(group.slice, group.process, nodes, [counts[node] for node in nodes])
    return coarse


def _kept(profile: RecordedProfile, smallest_share: float) -> list[bool]:
    parents = profile.tree.parents
    # What hangs directly below the root has no caller to count on.
    kept = [not parent for parent in parents]
    for times_us in _stretches(profile):
        totals = array("q", bytes(8 * len(parents)))
        for node, us in times_us.items():
            totals[node] = us
        least = max(1, smallest_share * sum(times_us.values()))
        for node in range(max(times_us), -1, -1):  # a parent has a lower number
            total = totals[node]
            if total:
                if total >= least:
                    kept[node] = True
                if parents[node]:
                    totals[parents[node] - 1] += total
    return kept


def _stretches(profile: RecordedProfile) -> Iterator[dict[int, int]]:
    """Microseconds by node, of each stretch of each view of each server."""
    chunk_ms = max(1, round(profile.chunk_s * 1000))
    middles = [one.start + one.length // 2 for one in profile.slices]
    span_ms = max(middles, default=0) - min(middles, default=0)
    long_ms = max(STRETCH * chunk_ms, span_ms // 48 + 1)
    stretches: dict[tuple[int, int, int], dict[int, int]] = {}
    for group in _groups(profile):
        one = profile.slices[group.slice]
        times_us = stretches.setdefault((one.server, one.view, middles[group.slice] // long_ms), {})
        unit = one.unit
        for node, count in zip(group.nodes, group.counts, strict=True):
            times_us[node] = times_us.get(node, 0) + count * unit
    yield from stretches.values()


def _like(profile: RecordedProfile, tree: Tree) -> RecordedProfile:
    return RecordedProfile(
        profile.start_ms,
        profile.servers,
        profile.views,
        profile.states,
        profile.processes,
        tree,
        chunk_s=profile.chunk_s,
        coarsened=True,
    )


def _add(profile: RecordedProfile, number: int, process: int, times_us: dict[int, int]) -> None:
    unit = profile.slices[number].unit
    # At least 1: nothing that was seen vanishes.
    counts = [(node, max(1, round(us / unit))) for node, us in sorted(times_us.items())]
    profile.add_group(number, process, [node for node, _ in counts], [count for _, count in counts])


def _groups(profile: RecordedProfile) -> Iterator[_Group]:
    at = 0
    for slice_, process, size in zip(
        profile.group_slices, profile.group_processes, profile.group_sizes, strict=True
    ):
        yield _Group(
            slice_, process, profile.entry_nodes[at : at + size], profile.entry_counts[at : at + size]
        )
        at += size
