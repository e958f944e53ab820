"""The load's part of the summary: users, requests, codes, errors, phases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows

if TYPE_CHECKING:
    import duckdb

    from toolkit.recording.manifest import Manifest

_QUANTILES = ("p50", "p75", "p90", "p95", "p99", "p999")
_MEASURES = ("latency_ms", "first_byte_ms", "send_lag_ms", "bytes_in")
_WAIT_QUANTILES = ("p50", "p95", "p99")

Key = tuple[str | None, str | None, str | None, str | None]
"""Load, protocol, name, phase; all None for all requests."""


def load_summary(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Any]:
    """`totals`, `scenarios`, `scenario_counts`, `codes`, `websocket`, `errors`, `engine_errors`, `requests`, `phases`."""
    statistics = rows(connection, "request_statistics")
    total = next(row for row in statistics if row["of"] == "all")
    duration_s = _seconds(total["first_start_ns"], total["last_end_ns"])
    details = _details(connection)
    names = [_request_row(row, duration_s, details) for row in statistics if row["of"] == "name"]
    codes = rows(connection, "codes")
    operations = next(
        (row for row in codes if row["status"] == 0), {"requests": 0, "connections": 0, "calls": 0}
    )
    scenarios = _scenarios(connection)
    users = _by_load(rows(connection, "users"))
    errors = {str(row["error"]): row["requests"] for row in rows(connection, "errors")}
    return {
        "totals": {
            "started_ns": total["first_start_ns"],
            "ended_ns": total["last_end_ns"],
            "duration_s": duration_s,
            **_users(users, scenarios),
            **_statistics(total, duration_s, details),
            "mean_responses_per_s": _rate(total["answered"], duration_s),
        },
        "scenarios": scenarios,
        "scenario_counts": _summed(scenarios),
        "codes": {str(row["status"]): row["requests"] for row in codes},
        "websocket": {
            "connections": operations["connections"],
            "messages": operations["requests"] - operations["connections"] - operations["calls"],
            "unanswered": _merged(users, "unanswered"),
        },
        "errors": errors,
        "engine_errors": {
            name: count for name, count in _merged(users, "errors").items() if name not in errors
        },
        "requests": sorted(names, key=lambda row: (-row["count"], row["load"], row["name"], row["protocol"])),
        "phases": _phases(connection, statistics, details, manifest),
    }


def phase_list(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[dict[str, Any]]:
    """`{"load", "file", "name", "index", "start_ns", "end_ns"}` in order of start."""
    files = {load.name: load.file for load in manifest.loads}
    return [
        {
            "load": row["load"],
            "file": files.get(row["load"], ""),
            "name": row["name"],
            "index": row["idx"],
            "start_ns": row["start_ns"],
            "end_ns": row["end_ns"],
        }
        for row in rows(connection, "phase_list")
    ]


def rounded(value: float | None, digits: int = 3) -> float | None:
    """To microseconds, as nothing here is measured finer."""
    return None if value is None else round(float(value), digits)


def _details(connection: duckdb.DuckDBPyConnection) -> dict[Key, dict[str, Any]]:
    """What the statistics leave out: percentiles of each measure, modes."""
    found: dict[Key, dict[str, Any]] = {}
    asked = [(of, by) for by in ("all", "name") for of in _MEASURES] + [
        ("latency_ms", "phase"),
        ("bytes_in", "phase"),
    ]
    for of, by in asked:
        for row in rows(connection, "request_percentiles", {"of": of, "by": by}):
            values = dict(zip(_QUANTILES, row["percentiles"], strict=True))
            found.setdefault(_key(row), {})[of] = values
    for name in ("request_modes", "size_modes"):
        for row in rows(connection, name):
            found.setdefault(_key(row), {}).update(row)
    return found


def _key(row: dict[str, Any]) -> Key:
    return (row["load"], row.get("protocol"), row.get("name"), row.get("phase"))


def _request_row(
    row: dict[str, Any], duration_s: float | None, details: dict[Key, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "load": row["load"],
        "protocol": row["protocol"],
        "name": row["name"],
        **_statistics(row, duration_s, details),
    }


def _statistics(
    row: dict[str, Any], duration_s: float | None, details: dict[Key, dict[str, Any]]
) -> dict[str, Any]:
    more = details.get(_key(row), {})
    latency = more.get("latency_ms", {})
    found = {
        "count": row["ended"],
        "rate_per_s": _rate(row["ended"], duration_s),
        "answered": row["answered"],
        "errors": row["errors"],
        "failed_checks": row["failed_checks"],
        "failed": row["failed"],
        "status_4xx": row["status_4xx"],
        "status_5xx": row["status_5xx"],
        "mean_ms": rounded(row["mean_ms"]),
        "stdev_ms": rounded(row["stdev_ms"]),
        "min_ms": rounded(row["min_ms"]),
        **{f"{quantile}_ms": rounded(latency.get(quantile)) for quantile in _QUANTILES},
        "max_ms": rounded(row["max_ms"]),
    }
    if row["of"] != "phase":
        found |= {"mode_ms": rounded(more.get("mode_ms")), "mode_bin_ms": rounded(more.get("bin_ms"), 6)}
        for name in ("first_byte", "send_lag"):
            waits = more.get(f"{name}_ms", {})
            found |= {f"{name}_{quantile}_ms": rounded(waits.get(quantile)) for quantile in _WAIT_QUANTILES}
        found["send_lag_max_ms"] = rounded(row["send_lag_max_ms"])
        found["bytes_in_mode"] = more.get("bytes_in_mode")
    return found | {
        "bytes_in_mean": rounded(row["bytes_in_mean"]),
        "bytes_in_median": rounded(more.get("bytes_in", {}).get("p50")),
        "bytes_in_total": row["bytes_in"] or 0,
        "bytes_out_mean": rounded(row["bytes_out_mean"]),
        "bytes_out_total": row["bytes_out"] or 0,
    }


def _phases(
    connection: duckdb.DuckDBPyConnection,
    statistics: list[dict[str, Any]],
    details: dict[Key, dict[str, Any]],
    manifest: Manifest,
) -> list[dict[str, Any]]:
    by_name = {(row["load"], row["phase"]): row for row in statistics if row["of"] == "phase"}
    found = []
    for phase in phase_list(connection, manifest):
        # Phases that share a name share their requests: told once, with the time of all of them together.
        row = by_name.pop((phase["load"], phase["name"]), None)
        duration_s = _seconds(phase["start_ns"], phase["end_ns"])
        if row is not None:
            found.append({**phase, "duration_s": duration_s, **_statistics(row, duration_s, details)})
        elif same := [one for one in found if (one["load"], one["name"]) == (phase["load"], phase["name"])]:
            same[0]["duration_s"] = rounded((same[0]["duration_s"] or 0) + (duration_s or 0))
            same[0]["rate_per_s"] = _rate(same[0]["count"], same[0]["duration_s"])
        else:
            found.append({**phase, "duration_s": duration_s, "count": 0})
    found += [
        {
            "load": load,
            "file": "",
            "name": name or "(none)",
            "duration_s": None,
            **_statistics(row, None, details),
        }
        for (load, name), row in by_name.items()
    ]
    return found


def _scenarios(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Users launched per scenario: as the generator counted them, else as the requests name them."""
    told = _by_load(rows(connection, "users"))
    found: list[dict[str, Any]] = [
        {"load": load, "name": name, "launched": count, "counted_by": "engine"}
        for load, row in told.items()
        for name, count in _counts(row["created"]).items()
    ]
    found += [
        {"load": row["load"], "name": row["scenario"], "launched": row["users"], "counted_by": "requests"}
        for row in rows(connection, "users_seen")
        if row["load"] not in told
    ]
    total = sum(row["launched"] for row in found)
    for row in found:
        row["share_percent"] = rounded(row["launched"] / total * 100) if total else None
    return sorted(found, key=lambda row: (row["load"], row["name"]))


def _users(users: dict[str, dict[str, Any]], scenarios: list[dict[str, Any]]) -> dict[str, Any]:
    told = bool(users)
    return {
        "scenarios_launched": sum(row["launched"] for row in scenarios),
        **{
            f"scenarios_{name}": sum(row[name] or 0 for row in users.values()) if told else None
            for name in ("completed", "failed", "skipped")
        },
    }


def _summed(scenarios: list[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in scenarios:
        found[row["name"]] = found.get(row["name"], 0) + row["launched"]
    return found


def _by_load(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["load"]: row for row in found}


def _merged(users: dict[str, dict[str, Any]], column: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in users.values():
        for name, count in _counts(row[column]).items():
            found[name] = found.get(name, 0) + count
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _counts(text: str | None) -> dict[str, int]:
    try:
        said = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    return {
        name: count for name, count in said.items() if isinstance(count, int) and not isinstance(count, bool)
    }


def _seconds(start_ns: int | None, end_ns: int | None) -> float | None:
    return None if start_ns is None or end_ns is None else rounded((end_ns - start_ns) / 1e9)


def _rate(count: int, seconds: float | None) -> float | None:
    return rounded(count / seconds) if seconds else None
