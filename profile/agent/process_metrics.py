"""Each process of the service: `processes[]` of a metrics line (names in toolkit/recording/metric_fields.py).

/proc is read directly: psutil opens and parses up to three times as much for the same numbers, counts the context
switches of the first thread alone, and may be missing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

import procfs
from kernel_files import Values, content, number_after
from pace import Pace
from private_memory import PrivateMemory, Reading

if TYPE_CHECKING:
    import trees

_TICKS = float(os.sysconf("SC_CLK_TCK"))
_PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_PROCESSES = 1000
SWITCHES_SHARE = 0.0008  # of a core, for reading every thread
SWITCHES_MOST_S = 5.0


class Now(NamedTuple):
    """What /proc/PID/stat says of a process; `waited_s` is its time delayed by block I/O."""

    state: str
    start_ticks: int
    user_s: float
    system_s: float
    threads: int
    rss_bytes: int
    waited_s: float


def parse(data: bytes) -> Optional[Now]:
    """The text of a `stat` file; the process's name in it may hold anything."""
    fields = data[data.rfind(b")") + 2 :].split()
    try:
        return Now(
            fields[0].decode("ascii"),
            int(fields[19]),
            int(fields[11]) / _TICKS,
            int(fields[12]) / _TICKS,
            int(fields[17]),
            max(0, int(fields[21])) * _PAGE,
            int(fields[39]) / _TICKS,
        )
    except (ValueError, IndexError):
        return None


class Known:
    """What is remembered of one process between samples."""

    def __init__(self, start_ticks: int) -> None:
        self.start_ticks = start_ticks
        self.create_time = procfs.create_time(start_ticks)
        self.uss = Reading()
        self._threads: dict[str, tuple[int, int]] = {}
        self._switches = [0, 0]

    def add_switches(self, threads: dict[str, tuple[int, int]]) -> tuple[int, int]:
        """Counters over all threads that only grow: a thread that has ended takes its own with it."""
        for name, now in threads.items():
            before = self._threads.get(name, (0, 0))
            if now[0] < before[0] or now[1] < before[1]:
                before = (0, 0)  # a new thread with an old number
            self._switches[0] += now[0] - before[0]
            self._switches[1] += now[1] - before[1]
        self._threads = threads
        return self._switches[0], self._switches[1]


class Seen(NamedTuple):
    """One process of a sample, and its line to be."""

    pid: int
    known: Known
    threads: int
    row: dict[str, Any]


class Processes:
    """Reads the processes of a tree."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Known] = {}
        self._switches = Pace(SWITCHES_SHARE, most_s=SWITCHES_MOST_S)
        self._private = PrivateMemory()
        self._waits = waits_are_counted()
        # Since Linux 6.2 the size of the folder is the number of open files.
        self._fd_size = _size("/proc/self/fd") or 0

    def read(self, tree: trees.Tree) -> list[dict[str, Any]]:
        """One object for each process that lives."""
        arbiters = (tree.arbiter, *tree.successors)
        seen = [self._seen(process, "arbiter") for process in arbiters]
        seen += [self._seen(process, "worker") for process in tree.workers[:MOST_PROCESSES]]
        present = [one for one in seen if one is not None]
        self._known = {(one.pid, one.known.start_ticks): one.known for one in present}
        if self._switches.due():
            self._switches.run(lambda: _add_switches(present))
        self._private.add(present)
        return [one.row for one in present]

    def _seen(self, process: trees.Process, role: str) -> Optional[Seen]:
        now = parse(content("/proc/%d/stat" % process.pid) or b"")
        if now is None or now.start_ticks != process.start_ticks or now.state in "ZX":
            return None
        known = self._known.get((process.pid, now.start_ticks))
        limits: Values = {}
        if known is None:
            known = Known(now.start_ticks)
            limit = soft_limit(content("/proc/%d/limits" % process.pid) or b"")
            limits = {} if limit is None else {"descriptors_limit": limit}
        row = {"pid": process.pid, "create_time": known.create_time, "role": role, "state": now.state}
        row.update(limits)
        row.update(self._values(process.pid, now))
        return Seen(process.pid, known, now.threads, row)

    def _values(self, pid: int, now: Now) -> Values:
        values: Values = {"cpu_user": now.user_s, "cpu_system": now.system_s}
        values["threads"] = now.threads
        if now.rss_bytes:  # one that is just ending has given its memory back, and is no small process
            values["rss"] = now.rss_bytes
        if self._waits is None and now.waited_s > 0:
            self._waits = True
        if self._waits:
            values["cpu_iowait"] = now.waited_s
        descriptors = self._descriptors(pid)
        if descriptors is not None:
            values["descriptors"] = descriptors
        io = content("/proc/%d/io" % pid) or b""
        for name, key in (("io_read", b"read_bytes:"), ("io_write", b"write_bytes:")):
            count = number_after(io, key)
            if count is not None:
                values[name] = count
        return values

    def _descriptors(self, pid: int) -> Optional[int]:
        folder = "/proc/%d/fd" % pid
        if self._fd_size:
            return _size(folder)
        try:
            return len(os.listdir(folder))
        except OSError:
            return None


def _add_switches(present: list[Seen]) -> None:
    """Of every thread: `status` counts those of the first alone."""
    for one in present:
        paths = {str(one.pid): "/proc/%d/status" % one.pid}
        if one.threads > 1:
            folder = "/proc/%d/task" % one.pid
            try:
                paths = {name: "%s/%s/status" % (folder, name) for name in os.listdir(folder)}
            except OSError:
                continue
        counted = {name: switches(content(path) or b"") for name, path in paths.items()}
        told = {name: count for name, count in counted.items() if count is not None}
        if told:
            one.row["switches_voluntary"], one.row["switches_involuntary"] = one.known.add_switches(told)


def switches(data: bytes) -> Optional[tuple[int, int]]:
    """(voluntary, involuntary) in a `status` file."""
    voluntary = number_after(data, b"voluntary_ctxt_switches:")
    involuntary = number_after(data, b"nonvoluntary_ctxt_switches:")
    return None if voluntary is None or involuntary is None else (voluntary, involuntary)


def soft_limit(data: bytes) -> Optional[int]:
    """The soft limit of open files in a `limits` file; None where there is none."""
    return number_after(data, b"Max open files")


def waits_are_counted() -> Optional[bool]:
    """Whether the kernel accounts for delays by block I/O; None where only a number that is not 0 can tell."""
    setting = content("/proc/sys/kernel/task_delayacct")  # Linux 5.14 and newer, where it is off by default
    return setting.strip() == b"1" if setting else None


def _size(folder: str) -> Optional[int]:
    try:
        return os.stat(folder).st_size
    except OSError:
        return None
