"""The control group that holds the service, of either version: what it may use and what it was refused."""

from __future__ import annotations

import os
import re
import time
from typing import Dict, List, NamedTuple, Optional

from kernel_files import KernelFile, Values, content, number_after

_LOOK_AGAIN_S = 10.0  # limits are changed by hand, if ever
_NO_LIMIT = 1 << 60  # version 1 says "no limit" with a number beyond this


class Group(NamedTuple):
    """A control group and those above it, nearest first; `version` 1 or 2."""

    version: int
    folders: List[str]


class ControlGroup:
    """Reads the control group of a process. What a kernel or a container does not show is left out."""

    def __init__(self, pid: int, mountinfo: str = "/proc/self/mountinfo") -> None:
        text = content("/proc/%d/cgroup" % pid) or b""
        mounts = content(mountinfo, 1 << 20) or b""
        self._cpu = group_of("cpu", text, mounts)
        self._memory = group_of("memory", text, mounts)
        self._limits: Values = {}
        self._files: Dict[str, KernelFile] = {}
        self._looked = 0.0

    def read(self) -> Values:
        """The values of `service` that begin with `cgroup_`."""
        if not self._looked or time.monotonic() - self._looked > _LOOK_AGAIN_S:
            self._looked = time.monotonic()
            self._choose()
        values = dict(self._limits)
        throttled = number_after(self._text("cpu"), b"throttled_usec ")
        if throttled is not None:
            values["cgroup_cpu_throttled"] = throttled / 1e6
        throttled = number_after(self._text("cpu"), b"throttled_time ")
        if throttled is not None:
            values["cgroup_cpu_throttled"] = throttled / 1e9
        used = self._text("memory").strip()
        if used.isdigit():
            values["cgroup_memory"] = int(used)
        kills = number_after(self._text("kills"), b"oom_kill ")
        if kills is not None:
            values["cgroup_oom_kills"] = kills
        return values

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files = {}

    def _text(self, name: str) -> bytes:
        file = self._files.get(name)
        return file.read() if file is not None else b""

    def _choose(self) -> None:
        """A limit may be set on any group above: the tightest counts, and what is used is told of the group it is set on."""
        self.close()
        self._limits = {}
        if self._cpu is not None:
            limits = {folder: cpu_limit(self._cpu.version, folder) for folder in self._cpu.folders}
            folder = self._tightest("cgroup_cpu_limit", limits)
            self._files["cpu"] = KernelFile(folder + "/cpu.stat")
        if self._memory is not None:
            version = self._memory.version
            limits = {folder: memory_limit(version, folder) for folder in self._memory.folders}
            folder = self._tightest("cgroup_memory_limit", limits)
            used, kills = (
                ("memory.current", "memory.events")
                if version == 2
                else ("memory.usage_in_bytes", "memory.oom_control")
            )
            self._files["memory"] = KernelFile(folder + "/" + used)
            # Version 1 counts a kill in the killed process's own group alone, whosever limit it was.
            counted = folder if version == 2 else self._memory.folders[0]
            self._files["kills"] = KernelFile(counted + "/" + kills)

    def _tightest(self, name: str, limits: Dict[str, Optional[float]]) -> str:
        set_ones = {folder: limit for folder, limit in limits.items() if limit is not None}
        if not set_ones:
            return next(iter(limits))
        folder = min(set_ones, key=lambda one: set_ones[one])
        self._limits[name] = set_ones[folder]
        return folder


def cpu_limit(version: int, folder: str) -> Optional[float]:
    """Cores; None where there is no limit."""
    if version == 2:
        words = (content(folder + "/cpu.max") or b"").split()
    else:
        words = (content(folder + "/cpu.cfs_quota_us") or b"").split()[:1]
        words += (content(folder + "/cpu.cfs_period_us") or b"").split()[:1]
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[1]):
        return None
    return int(words[0]) / int(words[1])


def memory_limit(version: int, folder: str) -> Optional[float]:
    """Bytes; None where there is no limit."""
    name = "memory.max" if version == 2 else "memory.limit_in_bytes"
    word = (content("%s/%s" % (folder, name)) or b"").strip()
    return int(word) if word.isdigit() and int(word) < _NO_LIMIT else None


def group_of(controller: str, groups: bytes, mounts: bytes) -> Optional[Group]:
    """Where a controller's files of a process lie, from its `cgroup` file and our `mountinfo`."""
    for version in (1, 2):
        path = _path(controller, version, groups)
        mount = _mount(controller, version, mounts)
        if path is None or mount is None:
            continue
        root, point = mount
        folders = _chain(path, root, point)
        # The root of the whole machine is no limit, and what it counts is the host's.
        folders = [folder for folder in folders if not (version == 1 and root == "/" and folder == point)]
        if folders:
            return Group(version, folders)
    return None


def _path(controller: str, version: int, groups: bytes) -> Optional[str]:
    for line in groups.decode("utf-8", "surrogateescape").split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        fits = number == "0" and not controllers if version == 2 else controller in controllers.split(",")
        if fits and path.startswith("/") and ".." not in path.split("/"):
            return path
    return None


def _mount(controller: str, version: int, mounts: bytes) -> Optional[tuple[str, str]]:
    """(root, mount point) of the hierarchy."""
    for line in mounts.decode("utf-8", "surrogateescape").split("\n"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        fits = (
            kind[0] == "cgroup2" if version == 2 else kind[0] == "cgroup" and controller in kind[2].split(",")
        )
        if fits:
            return _unescaped(fields[3]), _unescaped(fields[4])
    return None


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def _chain(path: str, root: str, point: str) -> List[str]:
    """The group's folder and those above it, down to the mount point."""
    if root != "/":
        if path != root and not path.startswith(root + "/"):
            return []
        path = path[len(root) :]
    folder = os.path.normpath(point + "/" + path)
    folders = [folder]
    while folder != point and len(folder) > len(point):
        folder = os.path.dirname(folder)
        folders.append(folder)
    return folders
