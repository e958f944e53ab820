"""Watches, once a second, the processes that make the load and the machine they run on."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from toolkit.recording.jsonl import JsonLines

if TYPE_CHECKING:
    from toolkit.recording.layout import GeneratorFolder

EVERY_S = 1.0
_FAMILY_EVERY_S = 10.0  # to look for children reads all of /proc

Threads = dict[int, tuple[float, float | None]]
"""Thread → CPU seconds, and seconds it waited for a CPU (None where the system does not say)."""


@dataclass
class _Watched:
    """One engine and what it has started."""

    load: str
    roots: list[psutil.Process]
    family: list[psutil.Process] = field(default_factory=list)
    looked: float = float("-inf")
    threads: Threads = field(default_factory=dict)


class GeneratorWatch:
    """Appends one `records.GENERATOR_LINE` a second to `generator/cpu.jsonl`; costs about 1 ms each."""

    def __init__(self, folder: GeneratorFolder) -> None:
        self._lines = JsonLines(folder.cpu)
        self._engines: list[_Watched] = []
        self._sampled = time.monotonic()
        self._host = _busy_s()

    def add(self, load: str, pids: list[int]) -> None:
        """Watch an engine whose processes have just been started."""
        watched = _Watched(load, [])
        for pid in pids:
            with suppress(psutil.Error):  # it ended at once
                watched.roots.append(psutil.Process(pid))
        watched.threads = _threads(watched.roots)
        self._engines.append(watched)

    def sample_if_due(self) -> None:
        """Write a line where the last is a second old.

        Raises:
            OSError: the run folder cannot be written.
        """
        now = time.monotonic()
        interval_s = now - self._sampled
        if interval_s < EVERY_S:
            return
        host = _busy_s()
        row = {
            "t_ns": time.time_ns(),
            "interval_s": round(interval_s, 3),
            "cores": psutil.cpu_count() or 1,
            "host_cpu": round((host - self._host) / interval_s, 3),
            "engines": [line for one in self._engines if (line := _line(one, now, interval_s))],
        }
        self._sampled, self._host = now, host
        self._lines.append(row)

    def close(self) -> None:
        """No more lines."""
        with suppress(OSError):
            self._lines.close()


def _line(watched: _Watched, now: float, interval_s: float) -> dict[str, Any] | None:
    if now - watched.looked >= _FAMILY_EVERY_S:
        watched.looked = now
        watched.family = [child for root in watched.roots for child in _children(root)]
    alive = [process for process in (*watched.roots, *watched.family) if _is_running(process)]
    if not alive:
        return None
    before, watched.threads = watched.threads, _threads(alive)
    used = [
        _growth(now, before.get(thread) or _unseen(now, interval_s))
        for thread, now in watched.threads.items()
    ]
    cpu_s, waited_s = max(used, key=lambda one: one[0] + (one[1] or 0.0), default=(0.0, None))
    return {
        "load": watched.load,
        "cpu": round(sum(one[0] for one in used) / interval_s, 3),
        "busiest": round(cpu_s / interval_s, 3),
        "waited": None if waited_s is None else round(waited_s / interval_s, 3),
        "rss": sum(_rss(process) for process in alive),
        "threads": len(used),
    }


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _unseen(now: tuple[float, float | None], interval_s: float) -> tuple[float, float | None]:
    """What a thread that is seen first did before: all, where it is more than an interval holds, as nobody knows when."""
    return now if now[0] + (now[1] or 0.0) > interval_s else (0.0, 0.0)


def _growth(
    now: tuple[float, float | None], before: tuple[float, float | None]
) -> tuple[float, float | None]:
    waited = None if now[1] is None else max(0.0, now[1] - (before[1] or 0.0))
    return max(0.0, now[0] - before[0]), waited


def _threads(processes: list[psutil.Process]) -> Threads:
    found: Threads = {}
    for process in processes:
        with suppress(psutil.Error):  # it ended meanwhile, or is not ours to look at
            for thread in process.threads():
                found[thread.id] = (thread.user_time + thread.system_time, _waited_s(process.pid, thread.id))
    return found


def _waited_s(pid: int, thread: int) -> float | None:
    try:
        return int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _rss(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _busy_s() -> float:
    """Seconds that all cores together were not idle; what a hypervisor took counts: nobody here had it."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Guests are counted in user and nice already.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return float(sum(times) - guests - idle)
