"""What was measured of one server, in numbers: `watch` in summary.json."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import has_table, rows
from toolkit.analysis.load_summary import rounded
from toolkit.analysis.watch.busy import Busy, busy_from_stacks, on_an_event_loop
from toolkit.analysis.watch.busy_window import BusyChunks, busy_chunks
from toolkit.analysis.watch.lanes import BUSY_CORES
from toolkit.recording.metric_fields import COUNTER, HOST, PROCESS, SERVICE

if TYPE_CHECKING:
    import duckdb

    from toolkit.recording.manifest import Manifest, ServerEntry

_MOST_WORKERS = 200
_MOST_DEATHS = 500
_ALL_BUSY = 0.95
_FIELDS = {"host": HOST, "service": SERVICE, "workers": PROCESS, "arbiter": PROCESS}
_PER_SECOND = {"core-s": "cores"}


_MOST_OF_A_LIFE = 0.4
"""Of what a worker lived of the window; the window may itself be covered by chunks to no more than half."""


def read_busy(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, servers: list[dict[str, Any]]
) -> dict[str, Busy]:
    """Busy workers from the stacks of each server of the summary, by its name."""
    entries = {entry.name: entry for entry in manifest.servers}
    found = {}
    for server in servers:
        wall = next((view for view in server["views"] if view["view"] == "wall"), None)
        worker_class = _gunicorn(entries.get(server["name"]))["class"]
        found[server["name"]] = busy_from_stacks(connection, server["name"], wall, worker_class)
    return found


def watch_summary(
    connection: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    server: str,
    busy: Busy,
    lanes: dict[str, list[Any]],
    load: dict[str, Any],
) -> dict[str, Any]:
    """`watch` of one server.

    Args:
        connection: open tables.
        manifest: of the run.
        server: its name.
        busy: from its stacks.
        lanes: its part of `Results.server_series`; empty where nothing was measured.
        load: `totals` of the summary: numbers are of the time from the first to the last request, where there is one that
            was measured, else of all that was measured.
    """
    entry = {entry.name: entry for entry in manifest.servers}.get(server)
    span = next((row for row in rows(connection, "watch_span") if row["server"] == server), None)
    window = _window(span, load)
    asked = {"server": server, "from_ns": window["from_ns"] or 0, "to_ns": window["to_ns"] or 0}
    statistics = {row["name"]: row for row in rows(connection, "watch_statistics", asked)}
    events = rows(connection, "worker_event_list", {"server": server})
    interval_s = span["interval_s"] if span else None
    workers = _workers(entry, events) | {"short_lives_known": _knows_short_lives(connection, server, events)}
    # Stacks are of the load where no metrics were measured, too.
    first_ns, last_ns = load.get("started_ns"), load.get("ended_ns")
    of_load = first_ns is not None and last_ns is not None and first_ns < last_ns
    counted = busy_chunks(
        busy.chunks, window if span or not of_load else {"from_ns": first_ns, "to_ns": last_ns}
    )
    return {
        "window": window,
        "lines": span["lines"] if span else 0,
        "interval_s": rounded(interval_s),
        "metrics": {name: _metric(row) for name, row in statistics.items()},
        "workers": workers,
        "busy": _busy(busy, lanes, workers, window, counted),
        "queue": _queue(connection, asked, statistics, interval_s),
        **_per_worker(rows(connection, "worker_statistics", asked), events, counted),
    }


def _window(span: dict[str, Any] | None, load: dict[str, Any]) -> dict[str, Any]:
    if span is None:
        return {"of": None, "from_ns": None, "to_ns": None}
    first_ns, last_ns = load.get("started_ns"), load.get("ended_ns")
    if first_ns is not None and last_ns is not None:
        from_ns, to_ns = max(first_ns, span["first_ns"]), min(last_ns, span["last_ns"])
        if from_ns < to_ns:
            return {"of": "load", "from_ns": from_ns, "to_ns": to_ns}
    return {"of": "all", "from_ns": span["first_ns"], "to_ns": span["last_ns"]}


def _metric(row: dict[str, Any]) -> dict[str, Any]:
    found = {name: rounded(row[name], 6) for name in ("mean", "max", "min", "p95", "last")}
    return {**found, "unit": unit_of(row["name"])}


def unit_of(name: str) -> str:
    """The unit of a quantity of `metrics`: `host.cpu_user` → cores, `host.net_in` → bytes/s."""
    scope, _, quantity = name.partition(".")
    if quantity == "cpu":
        return "cores"
    said = _FIELDS[scope][quantity]
    if said.kind == COUNTER:
        return _PER_SECOND.get(said.unit, f"{said.unit}/s")
    return said.unit


def _gunicorn(entry: ServerEntry | None) -> dict[str, Any]:
    """As the agent found it; what it does not say, or says in another type, is None."""
    facts: Any = entry.facts if entry is not None else {}
    facts = facts if isinstance(facts, dict) else {}
    said = facts.get("gunicorn")
    said = said if isinstance(said, dict) else {}

    def text(value: object) -> str | None:
        return value[:200] if isinstance(value, str) else None

    def count(value: object) -> int | None:
        return value if type(value) is int and 0 <= value < 10**6 else None

    return {
        "configured": count(said.get("workers")),
        "threads": count(said.get("threads")),
        "class": text(said.get("worker_class")),
        "gunicorn": text(said.get("version")),
        "python": text(facts.get("target_python")),
    }


def _workers(entry: ServerEntry | None, events: list[dict[str, Any]]) -> dict[str, Any]:
    births, deaths = ([event for event in events if event["what"] == what] for what in ("born", "died"))
    alive = most = 0
    for event in sorted(events, key=lambda event: event["what"] != "there"):
        alive += -1 if event["what"] == "died" else 1
        most = max(most, alive)
    return {
        **_gunicorn(entry),
        "at_start": sum(1 for event in events if event["what"] == "there"),
        "most": most,
        "births": len(births),
        "born": [{"pid": event["pid"], "t_ns": event["t_ns"]} for event in births[:_MOST_DEATHS]],
        "deaths": [
            {
                "pid": event["pid"],
                "t_ns": event["t_ns"],
                "cause": event["cause"],
                "words": event["cause_words"],
                "certainty": event["certainty"],
                "evidence": event["evidence"],
            }
            for event in deaths[:_MOST_DEATHS]
        ],
        "deaths_left_out": max(0, len(deaths) - _MOST_DEATHS),
        "by_cause": dict(
            sorted(Counter(event["cause"] for event in deaths).items(), key=lambda item: (-item[1], item[0]))
        ),
    }


def _knows_short_lives(
    connection: duckdb.DuckDBPyConnection, server: str, events: list[dict[str, Any]]
) -> bool:
    """Whether workers would be known that lived too short for the agent, which looks once a second: gunicorn's log tells."""
    if not has_table(connection, "log_sources"):
        return False
    log = rows(connection, "log_tells_births", {"server": server})[0]
    changed = any(event["what"] != "there" for event in events)
    return bool(log["told"] or (log["followed"] and not changed))


def _busy(
    busy: Busy,
    lanes: dict[str, list[Any]],
    workers: dict[str, Any],
    window: dict[str, Any],
    counted: BusyChunks,
) -> dict[str, Any]:
    count = workers["configured"] or workers["most"] or None
    seconds = _within(lanes, window)
    # A worker with threads that are not counted may have some left when it is inside a request.
    of_threads = workers["class"] is None or "thread" in workers["class"].lower()
    threads = workers["threads"] or (None if of_threads else 1)
    from_stacks = _from_stacks(lanes, counted, count, threads) if counted.chunks else None
    return {
        "workers": count,
        "event_loop": on_an_event_loop(workers["class"]),
        "from_stacks": from_stacks,
        "reason": busy.reason,
        "from_cpu": _from_cpu(lanes, seconds),
    }


def _within(lanes: dict[str, list[Any]], window: dict[str, Any]) -> list[int]:
    """Indices of the seconds that lie in the window, or all."""
    if window["from_ns"] is None:
        return list(range(len(lanes.get("t", []))))
    first, last = window["from_ns"] // 10**9, window["to_ns"] // 10**9
    return [at for at, second in enumerate(lanes.get("t", [])) if first <= second <= last]


def _from_stacks(
    lanes: dict[str, list[Any]], counted: BusyChunks, workers: int | None, threads: int | None
) -> dict[str, Any] | None:
    weights = {
        at: weight
        for at, weight in counted.weights(lanes.get("t", [])).items()
        if lanes["busy_workers"][at] is not None
    }
    if not weights:
        return None
    slots = workers * threads if workers and threads else None
    taken = lanes["busy_threads"] if threads and threads > 1 else lanes["busy_workers"]
    all_busy = sum(1 for at in weights if taken[at] >= _ALL_BUSY * slots) if slots else None

    def mean(lane: list[float]) -> float:
        return sum(lane[at] * weight for at, weight in weights.items()) / sum(weights.values())

    return {
        "workers_mean": rounded(mean(lanes["busy_workers"])),
        "workers_max": rounded(max(lanes["busy_workers"][at] for at in weights)),
        "threads_mean": rounded(mean(lanes["busy_threads"])),
        "threads_max": rounded(max(lanes["busy_threads"][at] for at in weights)),
        "threads": slots,
        "seconds_all_busy": all_busy,
        "chunk_s": rounded(counted.chunk_s),
        "seconds": rounded(counted.seconds),
        "blurred": counted.blurred,
    }


def _from_cpu(lanes: dict[str, list[Any]], seconds: list[int]) -> dict[str, Any] | None:
    at = [one for one in seconds if lanes["workers_cpu"][one] is not None]
    if not at:
        return None
    cores = [lanes["workers_cpu"][one] for one in at]
    counts = [lanes["busy_by_cpu"][one] for one in at]
    return {
        "cores_mean": rounded(sum(cores) / len(at)),
        "cores_max": rounded(max(cores)),
        "workers_mean": rounded(sum(counts) / len(at)),
        "workers_max": max(counts),
        "threshold_cores": BUSY_CORES,
    }


def _queue(
    connection: duckdb.DuckDBPyConnection,
    asked: dict[str, Any],
    statistics: dict[str, dict[str, Any]],
    interval_s: float | None,
) -> dict[str, Any] | None:
    queue = statistics.get("service.accept_queue")
    if queue is None:
        return None
    limit = statistics.get("service.accept_queue_limit")
    full = rows(connection, "queue_full", asked)[0]["full"]
    overflows = statistics.get("host.listen_overflows")
    return {
        "max": rounded(queue["max"]),
        "at_ns": queue["max_at_ns"] if queue["max"] else None,
        "mean": rounded(queue["mean"]),
        "limit": rounded(limit["min"]) if limit else None,
        "seconds_full": rounded(full * (interval_s or 1.0)) if limit else None,
        "overflows": round(overflows["total"] * (interval_s or 1.0)) if overflows else None,
        "overflows_of": "all ports of the service's network namespace, each retry counted",
    }


def _per_worker(
    measured: list[dict[str, Any]], events: list[dict[str, Any]], counted: BusyChunks
) -> dict[str, Any]:
    found = {row["pid"]: row for row in measured}
    for pid in {pid for chunk in counted.chunks for pid in chunk["workers"]} - found.keys():
        found[pid] = {"pid": pid}
    born = {event["pid"]: event["t_ns"] for event in events if event["what"] == "born"}
    died = {event["pid"]: event["t_ns"] for event in events if event["what"] == "died"}
    for pid in (
        born.keys() | died.keys()
    ) - found.keys():  # lived for less than a sample, or not in the window
        if counted.inside_ns({"start_ns": born.get(pid, 0), "end_ns": died.get(pid, 2**62)}) > 0:
            found[pid] = {"pid": pid}
    shares = _shares(counted, born, died)
    by_cpu = sorted(found.values(), key=lambda row: (-(row.get("cpu_mean") or 0.0), row["pid"]))
    kept = [
        {
            "pid": row["pid"],
            "born_ns": born.get(row["pid"]),
            "died_ns": died.get(row["pid"]),
            "cpu_mean": rounded(row.get("cpu_mean"), 4),
            "cpu_max": rounded(row.get("cpu_max"), 4),
            "busy": rounded(shares.get(row["pid"]), 4),
            **{
                name: None if row.get(name) is None else round(row[name])
                for name in ("rss_max", "rss_last", "uss_last", "threads_max", "descriptors_max")
            },
            "switches_per_s": rounded(row.get("switches_per_s"), 1),
            "io_per_s": rounded(row.get("io_per_s"), 1),
        }
        for row in by_cpu[:_MOST_WORKERS]
    ]
    return {
        "per_worker": sorted(kept, key=lambda row: row["pid"]),
        "workers_left_out": max(0, len(by_cpu) - _MOST_WORKERS),
    }


def _shares(counted: BusyChunks, born: dict[int, int], died: dict[int, int]) -> dict[int, float]:
    """Of each worker, the part of its chunks' time in which it was inside a request; of none that most of its life in the window
    was not looked at."""
    inside: dict[int, float] = {}
    looked: dict[int, float] = {}
    for chunk in counted.chunks:
        for pid, share in chunk["workers"].items():
            weight = counted.inside_ns({**chunk, **_lived(chunk, pid, born, died)})
            inside[pid] = inside.get(pid, 0.0) + share * weight
            looked[pid] = looked.get(pid, 0.0) + weight
    whole = {"start_ns": 0, "end_ns": 2**62}
    lives = {pid: counted.inside_ns({**whole, **_lived(whole, pid, born, died)}) for pid in inside}
    told = counted.window["from_ns"] is not None
    return {
        pid: inside[pid] / looked[pid]
        for pid in inside
        if looked[pid] > 0 and not (told and looked[pid] < _MOST_OF_A_LIFE * lives[pid])
    }


def _lived(chunk: dict[str, Any], pid: int, born: dict[int, int], died: dict[int, int]) -> dict[str, int]:
    """The part of a chunk in which a worker lived."""
    start_ns = max(chunk["start_ns"], born.get(pid, 0))
    return {
        "start_ns": start_ns,
        "end_ns": max(start_ns, min(chunk["end_ns"], died.get(pid, chunk["end_ns"]))),
    }
