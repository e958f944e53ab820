"""What /proc says about processes. A process that is gone, or may not be read, is None and never an error."""

from __future__ import annotations

import errno
import os
import stat as modes
import time
from typing import NamedTuple, Optional

_TICKS = os.sysconf("SC_CLK_TCK")
TEXT_LIMIT = 400  # of a command line that is told to people


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that matter here; `start_ticks` tells a process from a later one of the same PID."""

    pid: int
    state: str
    ppid: int
    pgrp: int
    threads: int
    start_ticks: int


def content(path: str, limit: int = 1 << 20) -> Optional[bytes]:
    """The bytes of a file of the kernel's."""
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except (OSError, ValueError):
        return None


def parse_stat(data: bytes) -> Optional[Stat]:
    """Parse the text of a `stat` file; the process's name in it may hold spaces and parentheses."""
    try:
        fields = data[data.rindex(b")") + 2 :].split()
        pid = int(data.split(b" ", 1)[0])
        numbers = (int(fields[1]), int(fields[2]), int(fields[17]), int(fields[19]))
        return Stat(pid, fields[0].decode("ascii"), *numbers)
    except (ValueError, IndexError):
        return None


def stat(pid: int) -> Optional[Stat]:
    """The process's state, parent, group, threads and start."""
    data = content("/proc/%d/stat" % pid)
    return parse_stat(data) if data else None


def alive(pid: int, start_ticks: int) -> bool:
    """Whether that very process still runs (a zombie does not)."""
    now = stat(pid)
    return now is not None and now.start_ticks == start_ticks and now.state not in "ZX"


def pids() -> list[int]:
    """All process numbers."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def raw_cmdline(pid: int) -> bytes:
    """The command line as the kernel gives it; empty for kernel threads and for what is gone."""
    return content("/proc/%d/cmdline" % pid) or b""


def argv(raw: bytes) -> list[str]:
    """The arguments in a raw command line, without the padding that a process title leaves behind."""
    parts = raw.rstrip(b"\0 ").split(b"\0")
    return [part.decode("utf-8", "replace") for part in parts] if parts != [b""] else []


def text(arguments: list[str]) -> str:
    """A command line for people: one line, bounded."""
    return " ".join(" ".join(arguments).split())[:TEXT_LIMIT]


def uid(pid: int) -> Optional[int]:
    """The effective user of a process."""
    for line in (content("/proc/%d/status" % pid) or b"").splitlines():
        if line.startswith(b"Uid:"):
            return int(line.split()[2])
    return None


def boot_time() -> float:
    """When this machine started, seconds since the epoch, by the clock as it stands now.

    The kernel's own `btime` is in whole seconds: births would be up to one early.
    """
    try:
        before = time.clock_gettime(time.CLOCK_BOOTTIME)
        now = time.time()
        return now - (before + time.clock_gettime(time.CLOCK_BOOTTIME)) / 2
    except (AttributeError, OSError):
        pass
    for line in (content("/proc/stat", 1 << 22) or b"").splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    return 0.0


_BOOT = boot_time()


def create_time(start_ticks: int) -> float:
    """Seconds since the epoch at which a process started."""
    return round(_BOOT + start_ticks / float(_TICKS), 2)


def environment(pid: int) -> Optional[dict[str, str]]:
    """The environment a process was executed with; None where it may not be read."""
    data = content("/proc/%d/environ" % pid)
    if data is None:
        return None
    pairs = (item.partition(b"=") for item in data.split(b"\0") if b"=" in item)
    return {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, _, value in pairs}


def children(pid: int) -> list[int]:
    """The PIDs of a process's children."""
    found: list[int] = []
    try:
        tasks = os.listdir("/proc/%d/task" % pid)
    except OSError:
        return found
    for task in tasks:
        data = content("/proc/%d/task/%s/children" % (pid, task))
        if data is None and not os.path.exists("/proc/self/task/%d/children" % os.getpid()):
            return _children_by_scan(pid)
        found.extend(int(item) for item in (data or b"").split())
    return found


def _children_by_scan(parent: int) -> list[int]:
    stats = (stat(pid) for pid in pids())
    return [item.pid for item in stats if item is not None and item.ppid == parent]


def descendants(pid: int) -> list[int]:
    """The PIDs of a process's children and theirs, itself not included."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in children(waiting.pop()):
            if child not in found and child != pid:
                found.append(child)
                waiting.append(child)
    return found


def namespace(pid: object, kind: str = "pid") -> Optional[str]:
    """The identity of a process's namespace (`self` for one's own); None where it may not be read."""
    try:
        return os.readlink("/proc/%s/ns/%s" % (pid, kind))
    except OSError:
        return None


def same_network(pid: int) -> bool:
    """Whether a process is in our network namespace. Its name may be read by its owner alone; the number of a file in it
    by all.
    """
    try:
        return os.stat("/proc/%d/net/tcp" % pid).st_ino == os.stat("/proc/self/net/tcp").st_ino
    except OSError:
        return True


def executable(pid: int) -> str:
    """The path of a process's program; empty where it may not be read."""
    try:
        return os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return ""


def mapped_files(pid: int) -> set[str]:
    """The files that a process has mapped (its program and its libraries)."""
    lines = (content("/proc/%d/maps" % pid, 1 << 24) or b"").decode("utf-8", "replace").splitlines()
    return {
        parts[5]
        for parts in (line.split(None, 5) for line in lines)
        if len(parts) == 6 and parts[5][0] == "/"
    }


def memory_readable(pid: int) -> Optional[str]:
    """Why a process's memory may not be opened (`EACCES`, `EPERM`), empty where it may, None where it is gone."""
    try:
        os.close(os.open("/proc/%d/mem" % pid, os.O_RDONLY))
    except OSError as error:
        return (
            None
            if error.errno in (errno.ENOENT, errno.ESRCH)
            else errno.errorcode.get(error.errno or 0, "EPERM")
        )
    return ""


def small_file(path: str, limit: int = 64) -> Optional[str]:
    """The text of a small regular file that somebody named; never waits on a pipe or a device."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError):
        return None
    try:
        if not modes.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.read(descriptor, limit).decode("utf-8", "replace").strip()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def control_groups(pid: int) -> list[str]:
    """The control group paths of a process."""
    lines = (content("/proc/%d/cgroup" % pid) or b"").decode("utf-8", "replace").splitlines()
    return [line.split(":", 2)[2] for line in lines if line.count(":") >= 2]
