"""What is measured on a server once a second: the names, units and meanings that agent, tables and reports agree on.

`COUNTER`s only grow (until a process or a machine starts anew): the recording holds their raw value, the table `metrics`
their growth per second. `GAUGE`s stand as they were read. A value that could not be read is left out, never 0.
"""

from __future__ import annotations

from typing import NamedTuple

COUNTER, GAUGE = "counter", "gauge"


class Metric(NamedTuple):
    """One quantity. `unit` is that of the recorded value; the table holds `unit`/s of a counter."""

    kind: str
    unit: str
    meaning: str


HOST = {
    "cpu_user": Metric(COUNTER, "core-s", "user and nice, all cores; per second: cores"),
    "cpu_system": Metric(COUNTER, "core-s", "kernel and interrupts"),
    "cpu_iowait": Metric(COUNTER, "core-s", "idle while a disk was waited for"),
    "cpu_steal": Metric(COUNTER, "core-s", "taken by the hypervisor"),
    "cpu_idle": Metric(COUNTER, "core-s", "idle, without iowait"),
    "cores": Metric(GAUGE, "cores", "that are online"),
    "load_1": Metric(GAUGE, "tasks", "load average of a minute"),
    "load_5": Metric(GAUGE, "tasks", "of five"),
    "load_15": Metric(GAUGE, "tasks", "of fifteen"),
    "memory_total": Metric(GAUGE, "bytes", ""),
    "memory_available": Metric(GAUGE, "bytes", "without swapping, as the kernel estimates it"),
    "swap_total": Metric(GAUGE, "bytes", ""),
    "swap_used": Metric(GAUGE, "bytes", ""),
    "swap_in": Metric(COUNTER, "bytes", "read back from swap"),
    "swap_out": Metric(COUNTER, "bytes", "written to swap"),
    "net_in": Metric(COUNTER, "bytes", "received, all interfaces but loopback"),
    "net_out": Metric(COUNTER, "bytes", "sent"),
    "net_loopback": Metric(COUNTER, "bytes", "sent over loopback"),
    "net_drops": Metric(COUNTER, "packets", "dropped, in and out, all interfaces but loopback"),
    "disk_read": Metric(COUNTER, "bytes", "all whole disks"),
    "disk_write": Metric(COUNTER, "bytes", ""),
    "context_switches": Metric(COUNTER, "switches", ""),
    "tcp_retransmits": Metric(COUNTER, "segments", "in the service's network namespace"),
    "listen_overflows": Metric(
        COUNTER,
        "connections",
        "refused because an accept queue was full; all services of its network namespace",
    ),
    "oom_kills": Metric(COUNTER, "processes", "killed for lack of memory, whole host"),
    "pressure_cpu_some": Metric(COUNTER, "s", "some task waited for a CPU (PSI)"),
    "pressure_memory_some": Metric(COUNTER, "s", "some task waited for memory"),
    "pressure_memory_full": Metric(COUNTER, "s", "all tasks waited for memory"),
    "pressure_io_some": Metric(COUNTER, "s", "some task waited for a disk"),
    "pressure_io_full": Metric(COUNTER, "s", "all tasks waited for a disk"),
}
"""`host` of a metrics line."""

SERVICE = {
    "accept_queue": Metric(
        GAUGE, "connections", "waiting to be accepted, all listening sockets of this gunicorn"
    ),
    "accept_queue_limit": Metric(GAUGE, "connections", "the smallest backlog of them"),
    "connections": Metric(GAUGE, "connections", "in state ESTABLISHED on the listening ports"),
    "connections_syn_recv": Metric(GAUGE, "connections", ""),
    "connections_fin_wait": Metric(GAUGE, "connections", "FIN_WAIT1, FIN_WAIT2 and CLOSING"),
    "connections_close_wait": Metric(
        GAUGE, "connections", "CLOSE_WAIT and LAST_ACK: the peer has gone, the application has not closed"
    ),
    "connections_time_wait": Metric(GAUGE, "connections", ""),
    "connections_out": Metric(
        GAUGE, "connections", "ESTABLISHED, held by the arbiter's tree, to other addresses (databases, APIs)"
    ),
    "cgroup_cpu_throttled": Metric(COUNTER, "s", "the service's cgroup was held back by its CPU limit"),
    "cgroup_cpu_limit": Metric(GAUGE, "cores", ""),
    "cgroup_memory": Metric(GAUGE, "bytes", ""),
    "cgroup_memory_limit": Metric(GAUGE, "bytes", ""),
    "cgroup_oom_kills": Metric(COUNTER, "processes", ""),
}
"""`service` of a metrics line: the chosen gunicorn as a whole."""

PROCESS = {
    "cpu_user": Metric(COUNTER, "core-s", ""),
    "cpu_system": Metric(COUNTER, "core-s", ""),
    "cpu_iowait": Metric(COUNTER, "s", "delayed by block I/O, where the kernel accounts it"),
    "rss": Metric(GAUGE, "bytes", "resident"),
    "uss": Metric(
        GAUGE,
        "bytes",
        "resident and unshared, where it may be read; less often than the rest, for reading it costs",
    ),
    "threads": Metric(GAUGE, "threads", ""),
    "descriptors": Metric(GAUGE, "descriptors", "open files and sockets"),
    "descriptors_limit": Metric(GAUGE, "descriptors", "soft limit; once per process"),
    "switches_voluntary": Metric(COUNTER, "switches", "gave the CPU up: waited"),
    "switches_involuntary": Metric(COUNTER, "switches", "lost the CPU: wanted more"),
    "io_read": Metric(COUNTER, "bytes", "from storage, where it may be read"),
    "io_write": Metric(COUNTER, "bytes", "to storage"),
}
"""`processes[]` of a metrics line: the arbiter and each worker."""
