"""What report.html says of a watched server: its host and gunicorn in numbers, its workers, how they ended, and its logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.page_numbers import clock, size
from toolkit.reports.summary_server import SHORT_LIVES, threads_words

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_WORKERS = 64
_STATISTICS = ("mean", "p95", "max", "min")
_MAIN = {
    "host.cpu": "CPU of the host",
    "host.cpu_iowait": "CPU waiting for a disk",
    "host.cpu_steal": "CPU stolen by the hypervisor",
    "host.load_1": "Load (1 min)",
    "workers.cpu": "CPU of the workers",
    "workers.rss": "RSS of the workers (shared memory counts in each)",
    "workers.threads": "Threads of the workers",
    "workers.descriptors": "Open files of the workers",
    "service.accept_queue": "Accept queue",
    "service.connections": "Connections",
    "service.connections_out": "Connections to others",
    "host.memory_available": "Memory available",
    "host.swap_used": "Swap used",
    "host.net_in": "Network in",
    "host.net_out": "Network out",
    "host.disk_read": "Disk read",
    "host.disk_write": "Disk write",
    "host.pressure_cpu_some": "Time short of CPU",
    "host.pressure_memory_some": "Time short of memory",
    "host.pressure_io_some": "Time short of disk",
    "service.cgroup_cpu_throttled": "Held back by the CPU limit",
    "service.cgroup_memory": "Memory of the cgroup",
}
_ALWAYS = {"host.cpu", "workers.cpu", "workers.rss", "service.accept_queue", "service.connections"}


def watch_words(watch: dict[str, Any] | None, zero: int) -> dict[str, Any] | None:
    """`{"lead", "metrics", "more", "workers", "left_out", "ends"}`; None where nothing was watched.

    `metrics` and `more` are rows `{"name", "cells": [{"text", "sort"}]}`: the ones that matter, and all others.
    """
    if not watch or not (watch["lines"] or watch["per_worker"] or watch["workers"]["most"]):
        return None
    at = _clock(zero)
    metrics = watch["metrics"]
    main = [name for name in _MAIN if name in metrics and (name in _ALWAYS or metrics[name]["max"])]
    return {
        "lead": _lead(watch, at),
        "metrics": [_metric(_MAIN[name], metrics[name]) for name in main],
        "more": [_metric(_plain(name), metrics[name]) for name in sorted(metrics) if name not in main],
        "workers": _workers(watch, at, zero),
        "left_out": watch["workers_left_out"] + max(0, len(watch["per_worker"]) - _MOST_WORKERS),
        "ends": _ends(watch["workers"], zero),
    }


def log_rows(sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`{"path", "role", "lines", "size", "bytes", "found", "words", "alarm"}` for each log of one server."""
    return [
        {
            "path": bounded(str(one["path"] or "?")),
            "role": one["role"] or "?",
            "lines": one["lines"] or 0,
            "size": one["bytes"] or 0,
            "bytes": size(one["bytes"] or 0),
            "found": bounded(str(one["found"] or "")),
            **_limits(one),
        }
        for one in sources
    ]


def _limits(one: dict[str, Any]) -> dict[str, Any]:
    said = [bounded(str(one["note"]))] if one["note"] else []
    if one["dropped_bytes"]:
        said.append(f"{size(one['dropped_bytes'])} were not fetched")
    elif one["limited"]:
        said.append("cut at the size limit (of several logs one gets ¾ of log_limit)")
    alarm = bool(said)
    if (one["generations"] or 1) > 1:
        said.append(f"followed through {one['generations'] - 1} rotations")
    return {"words": "; ".join(said) or "whole", "alarm": alarm}


def _clock(zero: int) -> Callable[[int | None], str]:
    return lambda t_ns: "" if t_ns is None else clock(t_ns / 1e9 - zero)


def _lead(watch: dict[str, Any], at: Callable[[int | None], str]) -> list[dict[str, Any]]:
    workers = watch["workers"]
    configured = f"{workers['configured']}{threads_words(workers)}" if workers["configured"] else ""
    pairs = (
        ("gunicorn", workers["gunicorn"]),
        ("Python", workers["python"]),
        ("Worker class", workers["class"]),
        ("Workers configured", configured),
        (
            "Workers",
            f"{workers['at_start']} at the start, at most {workers['most']}, {workers['births']} born"
            f"{'' if workers['short_lives_known'] else SHORT_LIVES}",
        ),
        ("Busy workers", _busy(watch["busy"])),
        ("Accept queue", _queue(watch["queue"], at)),
    )
    return [
        {"name": name, "value": str(value), "wide": len(str(value)) > 24} for name, value in pairs if value
    ]


def _busy(busy: dict[str, Any]) -> str:
    stacks = busy["from_stacks"]
    if not stacks:
        return busy["reason"] or ""
    of = f" of {busy['workers']}" if busy["workers"] else ""
    said = f"{stacks['workers_mean']:.1f}{of} on average, at most {stacks['workers_max']:.1f}"
    if stacks["threads_max"] > stacks["workers_max"]:
        said += f"; threads {stacks['threads_mean']:.1f}, at most {stacks['threads_max']:.1f}"
    if stacks["seconds_all_busy"]:
        said += f"; all busy for {stacks['seconds_all_busy']} s"
    return said


def _queue(queue: dict[str, Any] | None, at: Callable[[int | None], str]) -> str:
    if queue is None:
        return ""
    said = f"at most {queue['max']:.0f}"
    said += f" of {queue['limit']:.0f}" if queue["limit"] is not None else ""
    said += f" (at {at(queue['at_ns'])})" if queue["at_ns"] is not None else ""
    said += f"; full for {queue['seconds_full']:.0f} s" if queue["seconds_full"] else ""
    return said + (
        f"; ListenOverflows +{queue['overflows']:,} (all ports, retries counted)"
        if queue["overflows"]
        else ""
    )


def _metric(name: str, metric: dict[str, Any]) -> dict[str, Any]:
    unit = metric["unit"]
    values = [metric[statistic] for statistic in _STATISTICS]
    return {
        "name": name,
        "unit": "" if unit.startswith("bytes") else unit,
        "measured_in": unit,
        "cells": [{"text": _value(value, unit), "sort": "" if value is None else value} for value in values],
    }


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit.startswith("bytes"):
        return size(value) + unit.removeprefix("bytes")
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 else f"{value:.3f}"


def _plain(name: str) -> str:
    scope, _, quantity = name.partition(".")
    return f"{scope}: {quantity.replace('_', ' ')}"


def _workers(watch: dict[str, Any], at: Callable[[int | None], str], zero: int) -> list[list[dict[str, Any]]]:
    def since(t_ns: int | None) -> float | None:
        return None if t_ns is None else round(t_ns / 1e9 - zero, 3)

    ends = {death["pid"]: death for death in watch["workers"]["deaths"]}
    rows = []
    for one in watch["per_worker"][:_MOST_WORKERS]:
        death = ends.get(one["pid"])
        ended = f"{at(one['died_ns'])} {death['cause'] if death else ''}".strip() if one["died_ns"] else ""
        rows.append(
            [
                _cell(str(one["pid"]), one["pid"]),
                _percent(one["cpu_mean"]),
                _percent(one["cpu_max"]),
                _percent(one["busy"]),
                _bytes(one["rss_max"]),
                _bytes(one["uss_last"]),
                _cell(one["threads_max"], one["threads_max"]),
                _cell(one["descriptors_max"], one["descriptors_max"]),
                _rate(one["switches_per_s"], 1),
                _rate(one["io_per_s"], 1 << 10),
                _cell(at(one["born_ns"]) or "before", since(one["born_ns"])),
                _cell(ended or "alive", since(one["died_ns"])),
            ]
        )
    return rows


def _rate(value: float | None, unit: int) -> dict[str, Any]:
    return _cell("–" if value is None else f"{value / unit:,.0f}", value)


def _ends(workers: dict[str, Any], zero: int) -> list[dict[str, Any]]:
    return [
        {
            "pid": death["pid"],
            "at": clock(death["t_ns"] / 1e9 - zero),
            "t": round(death["t_ns"] / 1e9 - zero, 3),
            "cause": death["cause"],
            "words": bounded(death["words"] or ""),
            "certainty": death["certainty"],
        }
        for death in workers["deaths"]
    ]


def _percent(value: float | None) -> dict[str, Any]:
    return _cell(None if value is None else f"{100 * value:.1f}", None if value is None else 100 * value)


def _bytes(value: float | None) -> dict[str, Any]:
    return _cell(None if value is None else size(value), value)


def _cell(text: object, sort: object) -> dict[str, Any]:
    return {"text": "–" if text is None else str(text), "sort": "" if sort is None else sort}
