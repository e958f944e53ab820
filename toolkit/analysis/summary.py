"""Puts summary.json together: the run, the load, the servers, and what is missing and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from toolkit.analysis.aggregates import ENGINE, aggregates_summary
from toolkit.analysis.consistency import consistency_summary
from toolkit.analysis.database import rows
from toolkit.analysis.load_summary import load_summary
from toolkit.analysis.traffic import traffic_summary

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from toolkit.analysis.views import Profiles
    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest

SCHEMA = 1

_METHOD = {
    "percentiles": "exact, from every record; linear between the two closest ranks",
    "standard_deviation": "of a sample (n - 1)",
    "mode_ms": "the middle of the fullest bin of mode_bin_ms",
    "latency": "from the actual start to the last byte, reply or acknowledgement; of requests that were answered",
    "rates": "over the time from the first start to the last end",
    "send_lag": "from the intended to the actual start",
    "errors": "count of requests that got no answer; an answer of any status is none",
    "failed_checks": "requests that were answered (with any status), but broke off or did not hold what the scenario expected: "
    "capture, match, expect",
    "failed": "requests with no answer, a failed check or a status of 400 or above that the scenario does not accept, each once",
    "error_texts": "the top-level errors: each text of requests without an answer and of failed checks, and how often",
    "sampled_s": "1 / rate_hz for each sample, all threads together",
    "joined": "a request's line in a server's log: certain by request id; by method, path, status and time likely where one "
    "alone fits, ambiguous where several do; each line is of one request",
    "slow": "answered requests at or above the 99th percentile of their name, the 2,000 slowest",
    "server_ms": "as the access log says; outside_ms is the rest of the latency: queues, network, proxies",
    "watch": "over the time from the first to the last request where there is any (window), deaths and births over all that was "
    "watched; counters as growth per second; p95 of the measured lines; of workers the sum of all",
    "busy_from_stacks": "a thread is busy while a function of gunicorn or uvicorn that serves a connection is on its stack (wall "
    "view); of a worker with several, as if independent of each other; of an event loop, while it runs a request's code",
    "busy_from_cpu": "a worker that used threshold_cores or more in a second",
    "cause_of_death": "certain: a log line, an exit status or a count of the kernel says so; likely: it fits, and nothing else "
    "that was looked at does",
}


def make_summary(
    connection: duckdb.DuckDBPyConnection,
    run: RunFolder,
    manifest: Manifest,
    profiles: Profiles,
    server_errors: dict[str, Any],
) -> dict[str, Any]:
    """The exact content of summary.json; the order of its keys is part of the format."""
    sources = rows(connection, "source_list")
    load = load_summary(connection, manifest)
    traffic, unread = traffic_summary(run)
    consistency, unjudged = consistency_summary(run)
    aggregates, of_sums = aggregates_summary(run, manifest)
    return {
        "schema": SCHEMA,
        "run": run_summary(manifest),
        **load,
        "servers": profiles.servers,
        "server_errors": server_errors,
        "records": _records(sources),
        "traffic": traffic,
        "consistency": consistency,
        "aggregates": aggregates,
        "missing": [*_missing(run, manifest, profiles, sources, load), *unread, *unjudged, *of_sums],
        "method": _METHOD,
    }


def run_summary(manifest: Manifest) -> dict[str, Any]:
    """`run` of summary.json, without `zero_ns`."""
    ended_ns = manifest.ended_ns
    return {
        "id": manifest.run_id,
        "plan": manifest.plan_name,
        "kind": manifest.kind,
        "command": manifest.command,
        "target": manifest.target,
        "outcome": manifest.outcome,
        "exit_code": manifest.exit_code,
        "reason": manifest.reason,
        "started_ns": manifest.started_ns,
        "ended_ns": ended_ns,
        "duration_s": round((ended_ns - manifest.started_ns) / 1e9, 3) if ended_ns else None,
        "versions": manifest.versions,
    }


def _records(sources: list[dict[str, Any]]) -> dict[str, int]:
    """Of the request records: how many were read, and how many were not used, and why."""
    of_load = [source for source in sources if source["source"].startswith("load/")]
    return {
        "read": sum(source["records"] for source in of_load),
        "unreadable": sum(source["unreadable"] for source in of_load),
        "implausible": sum(source["implausible"] for source in of_load),
        "cut_files": sum(source["damage"] == "cut" for source in of_load),
        "changed_files": sum(source["damage"] == "changed" for source in sources),
    }


def _missing(
    run: RunFolder,
    manifest: Manifest,
    profiles: Profiles,
    sources: list[dict[str, Any]],
    load: dict[str, Any],
) -> list[str]:
    found = [*manifest.missing]
    found += [f"Load {entry.name}: {entry.problem}" for entry in manifest.loads if entry.problem]
    # Of a run that was killed the parts are still there, and not every thread of the engine sends.
    with_some = {_load_of(source) for source in sources if source["records"]}
    found += [
        f"{source['source']} holds no request."
        for source in sources
        if _is_empty(source) and _load_of(source) not in with_some
    ]
    for source in sources:
        found += _sentences(source)
    if manifest.kind in ("load", "profile-and-load") and not run.loads():
        found.append("No load was driven.")
    elif run.loads() and not load["totals"]["count"] and any(one.engine != ENGINE for one in manifest.loads):
        found.append("No request was recorded.")
    if manifest.kind in ("profile", "profile-and-load") and not (manifest.servers or run.servers()):
        found.append("No server was profiled.")
    found += [
        f"Server {folder.name}: facts.json cannot be read."
        for folder in run.servers()
        if _broken(folder.facts)
    ]
    return list(dict.fromkeys([*found, *profiles.missing]))


def _load_of(source: dict[str, Any]) -> str:
    return "/".join(source["source"].split("/")[:2])


def _is_empty(source: dict[str, Any]) -> bool:
    return source["source"].startswith("load/") and not (source["records"] or source["problem"])


def _sentences(source: dict[str, Any]) -> list[str]:
    said = [source["problem"]] if source["problem"] else []
    if source["unreadable"]:
        said.append(f"{source['source']} holds {source['unreadable']} records that cannot be read.")
    if source["implausible"]:
        said.append(
            f"{source['source']} holds {source['implausible']} records whose times cannot be right; they were left out."
        )
    return said


def _broken(path: Path) -> bool:
    try:
        return not isinstance(json.loads(path.read_bytes()), dict)
    except FileNotFoundError:
        return False  # a server that was never reached: the manifest says so
    except (OSError, ValueError, RecursionError):
        return True
