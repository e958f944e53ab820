"""The stacks of a view as flamegraphs: of the whole server, and of each of its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.analysis.chunks import mean_rate, recorded_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.analysis.stack_reader import SampledStack

_MOST_WORKERS = 64
"""A service that recycles its workers every few requests must not make thousands of files."""

_NO_FRAMES = ("(no Python frame)",)
"""A thread seen as it began or ended: the summary counts its time, so the flame does."""

VIEW_WORDS = {
    "wall": "wall time",
    "cpu": "CPU time",
    "gil": "time with the GIL",
    "off": "off-CPU time (wall − cpu)",
}


@dataclass(frozen=True)
class Flame:
    """One flamegraph to draw."""

    server: str
    view: str
    """What the samples are: wall, cpu, gil. A cpu view that had to be recorded as gil says gil here."""
    worker: int | None
    """The worker's PID; None for the whole server."""
    title: str
    seconds: float
    """How long the view was recorded, in seconds of the clock (not the sum of the counts)."""
    rate_hz: float
    """Samples a second and thread; the mean over time where it changed."""
    stacks: list[tuple[tuple[str, ...], int]]
    """Frame labels from root to leaf, `func (path/file.py:12)`, and sampled time in whole microseconds (1e6 / rate each
    sample, so that chunks of different rates add up). Milliseconds would be too coarse: most stacks are seen once, and all
    of them would be rounded the same way. Most sampled first; never empty."""
    note: str
    """What limits this flamegraph, a worker's by its own samples, in sentences; empty where nothing does."""


def make_flames(
    server: str,
    view: str,
    stacks: list[SampledStack],
    chunks: list[dict[str, Any]],
    seen: dict[int | None, set[int]],
    note: Callable[[int | None, list[SampledStack], list[dict[str, Any]]], str],
) -> tuple[list[Flame], int]:
    """The whole server first, then its workers by PID, and how many workers were left out (those with the least time).

    `chunks` and `seen`: all chunks of the view, and the numbers of those in which each process was seen.
    `note`: what limits the flame of a worker (None: of all), told its stacks and chunks.
    """
    flames = [_flame(server, view, None, stacks, chunks, note(None, stacks, chunks))]
    of_worker: dict[int, list[SampledStack]] = {}
    for stack in stacks:
        if stack.pid is not None and stack.pid != stack.root:
            of_worker.setdefault(stack.pid, []).append(stack)
    by_time = sorted(of_worker, key=lambda pid: (-sum(stack.ms for stack in of_worker[pid]), pid))
    for pid in sorted(by_time[:_MOST_WORKERS]):
        its_chunks = [chunk for chunk in chunks if chunk["seq"] in seen.get(pid, ())]
        its_note = note(pid, of_worker[pid], its_chunks)
        flames.append(_flame(server, view, pid, of_worker[pid], its_chunks, its_note))
    return [flame for flame in flames if flame.stacks], max(0, len(by_time) - _MOST_WORKERS)


def _flame(
    server: str,
    view: str,
    worker: int | None,
    stacks: list[SampledStack],
    chunks: list[dict[str, Any]],
    note: str,
) -> Flame:
    merged: dict[tuple[str, ...], float] = {}
    for stack in stacks:
        frames = stack.frames or _NO_FRAMES
        merged[frames] = merged.get(frames, 0.0) + stack.ms
    counted = [(frames, round(ms * 1000)) for frames, ms in merged.items() if round(ms * 1000) > 0]
    counted.sort(key=lambda item: (-item[1], item[0]))
    return Flame(
        server=server,
        view=view,
        worker=worker,
        title=f"{server}: {VIEW_WORDS.get(view, view)}, {'all workers' if worker is None else f'worker {worker}'}",
        seconds=recorded_s(chunks),
        rate_hz=mean_rate(chunks),
        stacks=counted,
        note=note,
    )
