"""Makes packed profiles for the page's tests: python -m tests.integration.page.sample_profile FILE [--hours 4] [--hostile].

The same arguments give the same bytes. A service of gthread workers with a warm-up (the first quarter) and a peak; in the peak
`hot` takes more of the time, and `render` is not called any more.
"""

from __future__ import annotations

import argparse
import random
from itertools import accumulate
from pathlib import Path

from tests.unit.reports.sample_results import HOSTILE, START
from toolkit.analysis.windows_profile import Frame, Process, RecordedProfile, Slice, ViewState
from toolkit.reports.profile_pack import pack

VIEWS = ["wall", "cpu", "gil"]
UNIT = 50_000  # 20 Hz
SERVER = [
    Frame("<module>", "/srv/venv/bin/gunicorn", 8, 3, "gunicorn"),
    Frame("run", "gunicorn/app/wsgiapp.py", 66, 3, "gunicorn"),
    Frame("_bootstrap", "threading.py", 1002, 3, "threading"),
    Frame("_worker", "concurrent/futures/thread.py", 81, 3, "concurrent"),
    Frame("handle", "gunicorn/workers/gthread.py", 340, 3, "gunicorn"),
    Frame("wsgi_app", "flask/app.py", 1511, 3, "flask"),
]
WAITS = 4  # the first so many of SERVER are the path of a thread that waits for work


class _Growing:
    """A tree that grows at random below the frames of the server."""

    def __init__(self, chance: random.Random, profile: RecordedProfile, stacks: int, hostile: bool) -> None:
        self.chance = chance
        self.profile = profile
        self.known: dict[Frame, int] = {}
        parent = 0
        for frame in SERVER:
            parent = self.node(parent, frame)
        self.waits, request = WAITS - 1, parent
        self.render = self._path(request, [_application("index"), _application("render")])
        self.hot = self._path(request, [_application("load_data"), _application("hot")])
        self.others = [self._some(request, number, hostile) for number in range(stacks)]

    def node(self, parent: int, frame: Frame) -> int:
        """A new node; returns its number + 1."""
        tree = self.profile.tree
        if frame not in self.known:
            self.known[frame] = len(tree.frames)
            tree.frames.append(frame)
        tree.parents.append(parent)
        tree.node_frames.append(self.known[frame])
        return len(tree.parents)

    def _path(self, parent: int, frames: list[Frame]) -> int:
        for frame in frames:
            parent = self.node(parent, frame)
        return parent - 1

    def _some(self, request: int, number: int, hostile: bool) -> int:
        frames = [_application(f"view_{number % 23}", 10 + number % 7)]
        for level in range(self.chance.randint(1, 14)):
            place = self.chance.randrange(3)
            if place == 0:
                frames.append(_application(f"step_{self.chance.randrange(60)}", level))
            elif place == 1:
                name = f"lib{self.chance.randrange(9)}"
                frames.append(Frame(f"call_{level}", f"{name}/core.py", 5 * level + 1, 1, name))
            else:
                frames.append(Frame("dumps", "json/__init__.py", 231, 2, "json"))
        if hostile and number % 5 == 0:
            frames.append(Frame(HOSTILE, HOSTILE, number + 1, 0, HOSTILE))
        if hostile and number % 11 == 0:
            frames.append(Frame("x" * 10_000, f"/srv/{'y' * 10_000}.py", 1, 0, "shop"))
        return self._path(request, frames)


def _application(name: str, line: int = 12) -> Frame:
    return Frame(name, "/srv/shop/shop/views.py", line, 0, "shop")


def sample_profile(
    *,
    seconds: int = 75,
    workers: int = 2,
    servers: int = 2,
    stacks: int = 60,
    entries: int = 12,
    hostile: bool = False,
    seed: int = 1,
) -> RecordedProfile:
    """A profile in which the views agree: cpu is a part of wall, gil a part of cpu.

    Args:
        seconds: how long was recorded, in chunks of 5 s, from 4 s before time 0 on.
        workers: of each server; the last one is replaced by another process half-way.
        servers: the gil view of the second one is not shown.
        stacks: different stacks beside the three known ones.
        entries: at most so many of them a process and chunk.
        hostile: names that try to become markup.
        seed: another one, another profile.
    """
    chance = random.Random(seed)
    names = [f"web-{number + 1}" for number in range(servers)]
    profile = RecordedProfile(START * 1000, names, VIEWS, chunk_s=5.002)
    growing = _Growing(chance, profile, stacks, hostile)
    profile.states = [
        ViewState(
            server,
            view,
            not (server == 1 and view == 2),
            "free-threaded Python has no GIL to hold." if server == 1 and view == 2 else "",
            20.0,
        )
        for server in range(servers)
        for view in range(3)
    ]
    chunks = seconds // 5
    for server in range(servers):
        first = len(profile.processes)
        pids = [4700, *(4711 + number for number in range(workers + 1))]
        profile.processes += [Process(server, pid, "worker" if pid > 4700 else "arbiter") for pid in pids]
        counted = [
            [
                _counts(chance, growing, chunk / chunks, entries)
                if _lives(number, workers, chunk, chunks)
                else {}
                for number in range(len(pids))
            ]
            for chunk in range(chunks)
        ]
        _add_views(chance, profile, server, first, counted, growing)
    return profile


def _lives(number: int, workers: int, chunk: int, chunks: int) -> bool:
    """The last worker but one dies half-way and the last one takes its place."""
    if number < workers:
        return True
    return (chunk >= chunks // 2) == (number == workers + 1)


def _counts(chance: random.Random, growing: _Growing, at: float, entries: int) -> dict[int, int]:
    peak = at >= 0.25
    counts = {growing.waits: chance.randint(20, 60), growing.hot: chance.randint(30, 40) if peak else 10}
    if not peak:
        counts[growing.render] = chance.randint(8, 12)
    # Few stacks are common and many are rare, as in services.
    for _ in range(chance.randint(1, entries)):
        node = growing.others[int(len(growing.others) * chance.random() ** 3)]
        counts[node] = counts.get(node, 0) + chance.randint(1, 4)
    return counts


def _add_views(
    chance: random.Random,
    profile: RecordedProfile,
    server: int,
    first: int,
    counted: list[list[dict[int, int]]],
    growing: _Growing,
) -> None:
    for view in range(3):
        if not profile.states[server * 3 + view].shown:
            continue
        for chunk, processes in enumerate(counted):
            profile.slices.append(Slice(server, view, chunk * 5000 - 4000, 5000 + (chunk % 3), UNIT))
            for number, counts in enumerate(processes):
                if view and number == 0:
                    continue  # the arbiter sleeps
                kept = {node: count for node, count in counts.items() if not view or node != growing.waits}
                if view:
                    kept = {node: chance.randint(0, count) for node, count in kept.items()}
                nodes = sorted(node for node, count in kept.items() if count)
                if nodes:
                    profile.add_group(
                        len(profile.slices) - 1, first + number, nodes, [kept[node] for node in nodes]
                    )


def time_of(profile: RecordedProfile) -> int:
    """All of its time in microseconds, to check a reader with."""
    ends = list(accumulate(profile.group_sizes))
    return sum(
        profile.slices[slice_].unit * sum(profile.entry_counts[end - size : end])
        for slice_, size, end in zip(profile.group_slices, profile.group_sizes, ends, strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--hours", type=float, default=75 / 3600)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stacks", type=int, default=60)
    parser.add_argument("--entries", type=int, default=12)
    parser.add_argument("--hostile", action="store_true")
    given = parser.parse_args()
    profile = sample_profile(
        seconds=round(given.hours * 3600),
        workers=given.workers,
        stacks=given.stacks,
        entries=given.entries,
        hostile=given.hostile,
    )
    given.file.write_bytes(pack(profile))


if __name__ == "__main__":
    main()
