"""The servers' part of summary.txt: what was measured of each host and its gunicorn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.reports.terminal_text import fixed, number, printable, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SHORT_LIVES = (
    " (one that lived for less than a second would not be seen: no log told of workers that were made)"
)
_MOST_WORKERS = 16
_MOST_TIMES = 6
_MIB = 2**20
_KIB = 1 << 10
_HOST = (
    # words, quantity, factor, digits
    ("CPU, cores", "host.cpu", 1.0, 2),
    ("CPU waiting for a disk, cores", "host.cpu_iowait", 1.0, 2),
    ("CPU stolen by the hypervisor, cores", "host.cpu_steal", 1.0, 2),
    ("load (1 min)", "host.load_1", 1.0, 2),
    ("memory available, MiB", "host.memory_available", 1 / _MIB, 0),
    ("swap used, MiB", "host.swap_used", 1 / _MIB, 0),
    ("network in, MiB/s", "host.net_in", 1 / _MIB, 2),
    ("network out, MiB/s", "host.net_out", 1 / _MIB, 2),
    ("disk read, MiB/s", "host.disk_read", 1 / _MIB, 2),
    ("disk write, MiB/s", "host.disk_write", 1 / _MIB, 2),
    ("time short of CPU, %", "host.pressure_cpu_some", 100.0, 1),
    ("time short of memory, %", "host.pressure_memory_some", 100.0, 1),
    ("time short of disk, %", "host.pressure_io_some", 100.0, 1),
    ("held back by the CPU limit, %", "service.cgroup_cpu_throttled", 100.0, 1),
    ("memory of the cgroup, MiB", "service.cgroup_memory", 1 / _MIB, 0),
    ("connections", "service.connections", 1.0, 0),
    ("connections to others", "service.connections_out", 1.0, 0),
)
_ALWAYS = {"host.cpu", "host.memory_available", "service.connections"}
"""Shown even where they are nothing; the others only where they were something."""


def server_lines(summary: dict[str, Any]) -> list[str]:
    """A section for each server of which anything was measured."""
    lines: list[str] = []
    for server in summary["servers"]:
        watch = server.get("watch")
        if not watch or not (watch["lines"] or watch["workers"]["most"] or watch["busy"]["from_stacks"]):
            continue
        zero_ns = summary["run"]["zero_ns"]
        at = _clock(zero_ns)
        zero = datetime.fromtimestamp(zero_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines += ["", f"Server {printable(server['name'])}{_gunicorn(watch['workers'])}"]
        lines += [f"  Times count from {zero}, as in report.html and by toolkit flamegraph --from"]
        lines += [
            *_host(watch),
            *_queue(watch["queue"], at),
            *_busy(watch["busy"]),
            *_workers(watch, at),
            *_deaths(watch["workers"], watch["window"], at),
        ]
    return lines


def _clock(zero_ns: int) -> Callable[[int | None], str]:
    def at(t_ns: int | None) -> str:
        """Time since time 0, as 00:03:12, or -00:00:05 before it."""
        if t_ns is None:
            return "-"
        sign, seconds = (
            ("", (t_ns - zero_ns) // 10**9) if t_ns >= zero_ns else ("-", -((t_ns - zero_ns) // 10**9))
        )
        return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    return at


def _gunicorn(workers: dict[str, Any]) -> str:
    said = [f"gunicorn {printable(workers['gunicorn'])}"] if workers["gunicorn"] else []
    if workers["class"]:
        said.append(printable(workers["class"]))
    if workers["configured"]:
        said.append(f"{workers['configured']} workers{threads_words(workers)}")
    if workers["python"]:
        said.append(f"Python {printable(workers['python'])}")
    return f" ({', '.join(said)})" if said else ""


def threads_words(workers: dict[str, Any]) -> str:
    """` × 4 threads`. gunicorn that renamed itself (setproctitle) tells no more how many threads it was given."""
    threads = workers["threads"]
    if threads is None and "thread" in (workers["class"] or ""):
        return " × an unknown number of threads"
    return f" × {threads} threads" if (threads or 1) > 1 else ""


def _host(watch: dict[str, Any]) -> list[str]:
    if not watch["lines"]:
        return ["  Nothing was measured of the host."]
    window = watch["window"]
    lasted = (window["to_ns"] - window["from_ns"]) / 1e9
    of = "while requests were sent" if window["of"] == "load" else "all that was measured"
    metrics = watch["metrics"]
    cores = metrics.get("host.cores")
    body = [
        [words, *(_scaled(metrics[name][column], factor, digits) for column in ("mean", "p95", "max", "min"))]
        for words, name, factor, digits in _HOST
        if name in metrics and (name in _ALWAYS or metrics[name]["max"])
    ]
    head = f"host with {number(cores['last'])} cores" if cores else "host"
    return [
        f"  {number(lasted)} s ({of}), every {number(watch['interval_s'], 2)} s",
        *table([head, "mean", "p95", "max", "min"], body),
    ]


def _scaled(value: float | None, factor: float, digits: int) -> str:
    return fixed(None if value is None else value * factor, digits)


def _queue(queue: dict[str, Any] | None, at: Callable[[int | None], str]) -> list[str]:
    if queue is None:
        return []
    said = f"  Accept queue: at most {number(queue['max'])}"
    said += f" of {number(queue['limit'])}" if queue["limit"] is not None else ""
    said += f" (at {at(queue['at_ns'])})" if queue["at_ns"] is not None else ""
    said += f", mean {number(queue['mean'], 2)}"
    if queue["seconds_full"]:
        said += f", FULL for {number(queue['seconds_full'])} s"
    if queue["overflows"]:
        said += (
            f"; the kernel turned connections away {queue['overflows']} times as a queue was full "
            "(ListenOverflows of the service's network namespace: all of its ports, each retry counted)"
        )
    return [said]


def _busy(busy: dict[str, Any]) -> list[str]:
    said = []
    stacks, cpu = busy["from_stacks"], busy["from_cpu"]
    of = f" of {busy['workers']}" if busy["workers"] else ""
    if stacks:
        what = "in a request's code" if busy["event_loop"] else "inside a request"
        line = (
            f"{number(stacks['workers_mean'])}{of} {what} on average, at most {number(stacks['workers_max'])}"
        )
        if not busy["event_loop"] and stacks["threads_max"] > stacks["workers_max"]:
            slots = f" of {stacks['threads']}" if stacks["threads"] else ""
            line += f" (threads: {number(stacks['threads_mean'])}{slots}, at most {number(stacks['threads_max'])})"
        if stacks["seconds_all_busy"]:
            line += f"; ALL for {stacks['seconds_all_busy']} s"
        said.append(f"{line} (stacks, {_resolution(stacks)})")
    elif busy["reason"]:
        said.append(f"not known from the stacks: {printable(busy['reason'])}")
    if cpu:
        said.append(
            f"{number(cpu['cores_mean'], 2)} cores on average, at most {number(cpu['cores_max'], 2)}; "
            f"at most {cpu['workers_max']} used {number(cpu['threshold_cores'])} of a core or more (CPU)"
        )
    return [f"  Busy workers: {said[0]}", *(f"                {line}" for line in said[1:])] if said else []


def _resolution(stacks: dict[str, Any]) -> str:
    said = f"means over {number(stacks['chunk_s'])} s, of {number(stacks['seconds'])} s"
    return said + (", with idle time before or after the requests in them" if stacks["blurred"] else "")


def _workers(watch: dict[str, Any], at: Callable[[int | None], str]) -> list[str]:
    rows = watch["per_worker"]
    if not any(row["cpu_mean"] is not None or row["busy"] is not None for row in rows):
        return []
    by_cpu = sorted(rows, key=lambda row: (-(row["cpu_mean"] or 0.0), row["pid"]))
    shown = sorted(by_cpu[:_MOST_WORKERS], key=lambda row: row["pid"])
    body = [
        [
            str(row["pid"]),
            _scaled(row["cpu_mean"], 100.0, 1),
            _scaled(row["cpu_max"], 100.0, 1),
            _scaled(row["busy"], 100.0, 0),
            _scaled(row["rss_last"], 1 / _MIB, 1),
            _scaled(row["rss_max"], 1 / _MIB, 1),
            _scaled(row["uss_last"], 1 / _MIB, 1),
            number(row["threads_max"]),
            number(row["descriptors_max"]),
            _scaled(row["switches_per_s"], 1.0, 0),
            _scaled(row["io_per_s"], 1 / _KIB, 1),
            at(row["born_ns"]) if row["born_ns"] else "",
            at(row["died_ns"]) if row["died_ns"] else "",
        ]
        for row in shown
    ]
    head = ["CPU %", "max", "busy %", "RSS MiB", "max", "USS", "threads", "files"]
    head += ["switches/s", "disk KiB/s", "born", "died"]
    lines = table(["worker", *head], body)
    left = len(rows) - len(shown) + watch["workers_left_out"]
    return [*lines, f"  … and {left} workers that used less CPU"] if left else lines


def _deaths(workers: dict[str, Any], window: dict[str, Any], at: Callable[[int | None], str]) -> list[str]:
    if not workers["most"]:
        return ["  Births and deaths of workers were not watched."]
    births = f"{workers['births']} {'was' if workers['births'] == 1 else 'were'} born"
    births += "" if workers["short_lives_known"] else SHORT_LIVES
    total = sum(workers["by_cause"].values())
    if not total:
        said = f", {births}" if workers["births"] else "" if workers["short_lives_known"] else SHORT_LIVES
        return [f"  No worker died{said}."]
    whole = "In the whole recording, " if _some_outside(workers, window) else ""
    lines = [f"  {whole}{total} worker{'s' if total > 1 else ''} died, {births}"]
    for cause, count in workers["by_cause"].items():
        deaths = [death for death in workers["deaths"] if death["cause"] == cause]
        certainties = {death["certainty"] for death in deaths} - {"certain", "unknown"}
        doubt = " (likely)" if certainties else ""
        lines.append(f"    {printable(cause)}: {count}{doubt}: {_times(deaths, count, at)}")
        lines += [f"      {printable(words)}" for words in _distinct(death["words"] for death in deaths)]
    return lines


def _some_outside(workers: dict[str, Any], window: dict[str, Any]) -> bool:
    """Whether some ended or were born before or after the time that the other figures are of."""
    if window["from_ns"] is None:
        return False
    lives = [*workers["born"], *workers["deaths"]]
    return any(not window["from_ns"] <= one["t_ns"] <= window["to_ns"] for one in lives)


def _times(deaths: list[dict[str, Any]], count: int, at: Callable[[int | None], str]) -> str:
    said = [f"{death['pid']} at {at(death['t_ns'])}" for death in deaths[:_MOST_TIMES]]
    return ", ".join(said) + (f" and {count - len(said)} more" if count > len(said) else "")


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))[:3]
