"""The host as a whole: `host` of a metrics line, raw as the kernel counts it (names in toolkit/recording/metric_fields.py)."""

from __future__ import annotations

import os
from typing import Optional

import procfs
from kernel_files import KernelFile, Values, number_after

_TICKS = float(os.sysconf("SC_CLK_TCK"))
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SECTOR = 512  # in /proc/diskstats, whatever the disk's own is
_FILES = {
    "stat": "/proc/stat",
    "load": "/proc/loadavg",
    "memory": "/proc/meminfo",
    "vmstat": "/proc/vmstat",
    "interfaces": "/proc/net/dev",
    "disks": "/proc/diskstats",
    "pressure_cpu": "/proc/pressure/cpu",
    "pressure_memory": "/proc/pressure/memory",
    "pressure_io": "/proc/pressure/io",
}


class Host:
    """Reads the host's counters. TCP's own are those of the network namespace of the process `pid`: the service's."""

    def __init__(self, pid: int) -> None:
        self._files = {name: KernelFile(path) for name, path in _FILES.items()}
        own = procfs.same_network(pid)
        self._snmp = KernelFile("/proc/net/snmp" if own else "/proc/%d/net/snmp" % pid)
        self._netstat = KernelFile("/proc/net/netstat" if own else "/proc/%d/net/netstat" % pid)
        self._disks: dict[bytes, bool] = {}
        self._idle: Values = {}

    def read(self) -> Values:
        """Everything that can be read now."""
        text = {name: file.read() for name, file in self._files.items()}
        values = cpu(text["stat"])
        values.update(self._never_less(values))
        values.update(load(text["load"]))
        values.update(memory(text["memory"]))
        values.update(virtual_memory(text["vmstat"]))
        values.update(interfaces(text["interfaces"]))
        values.update(
            disks([line for line in map(bytes.split, text["disks"].splitlines()) if self._whole(line)])
        )
        values.update(pressure("cpu", text["pressure_cpu"], ("some",)))
        values.update(pressure("memory", text["pressure_memory"], ("some", "full")))
        values.update(pressure("io", text["pressure_io"], ("some", "full")))
        values.update(protocol("tcp_retransmits", self._snmp.read(), b"Tcp:", b"RetransSegs"))
        values.update(protocol("listen_overflows", self._netstat.read(), b"TcpExt:", b"ListenOverflows"))
        return values

    def close(self) -> None:
        """Close the files."""
        for file in (*self._files.values(), self._snmp, self._netstat):
            file.close()

    def _never_less(self, values: Values) -> Values:
        """The kernel's idle and iowait times step back now and then, which a counter must not."""
        for name in ("cpu_idle", "cpu_iowait"):
            if name in values:
                self._idle[name] = max(values[name], self._idle.get(name, 0.0))
        return self._idle

    def _whole(self, fields: list[bytes]) -> bool:
        """Whether a line is about a disk, not a part of one or something that is made of others."""
        if len(fields) < 10:
            return False
        name = fields[2]
        if name not in self._disks:
            path = "/sys/block/%s/device" % name.decode("utf-8", "replace").replace("/", "!")
            self._disks[name] = os.path.exists(path)
        return self._disks[name]


def cpu(data: bytes) -> Values:
    """/proc/stat: CPU seconds of all cores, cores, context switches."""
    values: Values = {}
    first = data[: data.find(b"\n")].split()
    if len(first) >= 9 and first[0] == b"cpu" and all(word.isdigit() for word in first[1:9]):
        user, nice, system, idle, iowait, irq, softirq, steal = (int(word) / _TICKS for word in first[1:9])
        values = {
            "cpu_user": round(user + nice, 2),
            "cpu_system": round(system + irq + softirq, 2),
            "cpu_iowait": iowait,
            "cpu_steal": steal,
            "cpu_idle": idle,
        }
    cores = data.count(b"\ncpu")
    if cores:
        values["cores"] = cores
    return _with(values, "context_switches", number_after(data, b"ctxt "))


def load(data: bytes) -> Values:
    """/proc/loadavg."""
    try:
        return dict(zip(("load_1", "load_5", "load_15"), [float(word) for word in data.split()[:3]]))
    except ValueError:
        return {}


def memory(data: bytes) -> Values:
    """/proc/meminfo."""
    values: Values = {}
    _with(values, "memory_total", number_after(data, b"MemTotal:"), 1024)
    _with(values, "memory_available", number_after(data, b"MemAvailable:"), 1024)
    total, free = number_after(data, b"SwapTotal:"), number_after(data, b"SwapFree:")
    if total is not None and free is not None:
        values.update(swap_total=total * 1024, swap_used=max(0, total - free) * 1024)
    return values


def virtual_memory(data: bytes) -> Values:
    """/proc/vmstat."""
    values: Values = {}
    _with(values, "swap_in", number_after(data, b"pswpin "), _PAGE)
    _with(values, "swap_out", number_after(data, b"pswpout "), _PAGE)
    return _with(values, "oom_kills", number_after(data, b"oom_kill "))


def interfaces(data: bytes) -> Values:
    """/proc/net/dev."""
    values: Values = {}
    for line in data.splitlines()[2:]:
        name, _, rest = line.partition(b":")
        fields = rest.split()
        if len(fields) < 12 or not all(word.isdigit() for word in fields[:12]):
            continue
        if name.strip() == b"lo":
            values["net_loopback"] = values.get("net_loopback", 0) + int(fields[8])
        else:
            values["net_in"] = values.get("net_in", 0) + int(fields[0])
            values["net_out"] = values.get("net_out", 0) + int(fields[8])
            values["net_drops"] = values.get("net_drops", 0) + int(fields[3]) + int(fields[11])
    return values


def disks(lines: list[list[bytes]]) -> Values:
    """Lines of /proc/diskstats, those of whole disks."""
    try:
        read, written = [int(fields[5]) for fields in lines], [int(fields[9]) for fields in lines]
    except ValueError:
        return {}
    return {"disk_read": sum(read) * _SECTOR, "disk_write": sum(written) * _SECTOR} if lines else {}


def pressure(resource: str, data: bytes, kinds: tuple[str, ...]) -> Values:
    """/proc/pressure/<resource>: seconds."""
    values: Values = {}
    for line in data.splitlines():
        kind, _, rest = line.partition(b" ")
        word = rest.rpartition(b"total=")[2]
        if kind.decode("ascii", "replace") in kinds and word.isdigit():
            values["pressure_%s_%s" % (resource, kind.decode("ascii"))] = int(word) / 1e6
    return values


def protocol(name: str, data: bytes, prefix: bytes, field: bytes) -> Values:
    """/proc/net/snmp and netstat: a line of names, then a line of their values."""
    lines = [line.split() for line in data.splitlines() if line.startswith(prefix)]
    if len(lines) < 2 or field not in lines[0]:
        return {}
    position = lines[0].index(field)
    word = lines[1][position] if position < len(lines[1]) else b""
    return {name: int(word)} if word.isdigit() else {}


def _with(values: Values, name: str, value: Optional[int], unit: int = 1) -> Values:
    if value is not None:
        values[name] = value * unit
    return values
