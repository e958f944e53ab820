"""Loads of which there are only sums: Artillery's own report of its workers in a cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.recording.layout import LoadFolder, RunFolder
    from toolkit.recording.manifest import Manifest

ENGINE = "artillery-cloud"
_CODES, _ERRORS = "http.codes.", "errors."
_SCENARIOS = "vusers.created_by_name."
_NAMES = "plugins.metrics-by-endpoint.response_time."
_TIMES = {
    **{f"{one}_ms": one for one in ("min", "max", "mean", "p50", "p75", "p90", "p95", "p99")},
    "p999_ms": "p999",
}


def aggregates_summary(run: RunFolder, manifest: Manifest) -> tuple[list[dict[str, Any]], list[str]]:
    """One entry a load of which there are only sums, and what to say of each.

    An entry: `{"load", "workers" (None: not told), "region" (or empty), "started_ns", "ended_ns", "duration_s", "requests",
    "answered", "rate_per_s", "errors": {text: count}, "codes": {"200": count}, "users": {"created", "completed", "failed",
    "skipped"}, "scenarios": {name: count}, "bytes_in_total", TIMES, "names": [{"name", "count", TIMES}]}`; TIMES are `min_ms`,
    `max_ms`, `mean_ms`, `p50_ms` … `p999_ms` of the answered, as Artillery's sketches give them.
    """
    found, said = [], []
    for entry in manifest.loads:
        if entry.engine != ENGINE:
            continue
        folder = run.load(entry.name)
        report = _read(folder)
        sums = report.get("aggregate")
        if not isinstance(sums, dict):
            said.append(f"Load {entry.name}: Artillery left no report.")
            continue
        found.append(_entry(entry.name, sums, report.get("metadata")))
        said.append(
            f"Load {entry.name} was made by Artillery's own workers in a cloud: there are their sums, and no single "
            "requests, request ids, or records to be counted against them."
        )
    return found, said


def _read(folder: LoadFolder) -> dict[str, Any]:
    try:
        said = json.loads(folder.engine_json.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _entry(load: str, sums: dict[str, Any], metadata: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    counters = {
        name: int(value) for name, value in _mapping(sums.get("counters")).items() if _is_number(value)
    }
    summaries = _mapping(sums.get("summaries"))
    started, ended = _ms(sums.get("firstMetricAt")), _ms(sums.get("lastMetricAt"))
    seconds = None if started is None or ended is None else (ended - started) / 1000
    told = _mapping(metadata)
    return {
        "load": load,
        "workers": told.get("count"),
        "region": str(told.get("region") or ""),
        "started_ns": None if started is None else started * 1_000_000,
        "ended_ns": None if ended is None else ended * 1_000_000,
        "duration_s": seconds,
        "requests": counters.get("http.requests", 0),
        "answered": counters.get("http.responses", 0),
        "rate_per_s": round(counters.get("http.requests", 0) / seconds, 3) if seconds else None,
        "errors": _below(counters, _ERRORS),
        "codes": _below(counters, _CODES),
        "users": {
            name: counters.get(f"vusers.{name}", 0) for name in ("created", "completed", "failed", "skipped")
        },
        "scenarios": _below(counters, _SCENARIOS),
        "bytes_in_total": counters.get("http.downloaded_bytes", 0),
        **_times(summaries.get("http.response_time")),
        "names": [
            {"name": name.removeprefix(_NAMES), "count": int(_mapping(one).get("count") or 0), **_times(one)}
            for name, one in sorted(summaries.items())
            if name.startswith(_NAMES)
        ],
    }


def _times(summary: Any) -> dict[str, float | None]:  # noqa: ANN401 - JSON
    found = _mapping(summary)
    return {key: float(found[name]) if _is_number(found.get(name)) else None for key, name in _TIMES.items()}


def _below(counters: dict[str, int], prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): count
        for name, count in sorted(counters.items())
        if name.startswith(prefix)
    }


def _ms(value: Any) -> int | None:  # noqa: ANN401 - JSON
    return int(value) if _is_number(value) else None


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, (int, float)) and not isinstance(value, bool)
