"""The summary's numbers as report.html shows them: figures, scenarios, the table of requests, codes and errors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from toolkit.reports.failures import failure_parts
from toolkit.reports.flamegraph_text import bounded

_SIZES = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class _Column:
    """One column of the table of requests: the key in the summary's row, its heading, how a value is written."""

    key: str
    name: str
    kind: str
    hint: str = ""
    group: str = ""


_LATENCY, _SERVER, _OUTSIDE, _SIZE = "Latency, ms", "In the server, ms", "Outside, ms", "Mean size"
_COLUMNS = (
    _Column("name", "Request", "text"),
    _Column("load", "Load", "text", "the scenario file's name in the plan"),
    _Column("count", "Count", "count", "requests that ended"),
    _Column(
        "rate_per_s",
        "Per second",
        "rate",
        "requests that ended, over the time from the first start to the last end",
    ),
    _Column("status_4xx", "4xx", "failed"),
    _Column("status_5xx", "5xx", "failed"),
    _Column("errors", "No answer", "failed", "ended without an answer"),
    _Column(
        "failed_checks",
        "Failed checks",
        "failed",
        "answered, with whatever status, but a capture, match or expectation failed",
    ),
    _Column("mean_ms", "Mean", "ms", "arithmetic mean of the answered", _LATENCY),
    _Column("stdev_ms", "σ", "ms", "standard deviation", _LATENCY),
    _Column("mode_ms", "Mode", "ms", "the most frequent time", _LATENCY),
    _Column("min_ms", "Min", "ms", "", _LATENCY),
    _Column("p50_ms", "p50", "ms", "half were at most this", _LATENCY),
    _Column("p75_ms", "p75", "ms", "", _LATENCY),
    _Column("p90_ms", "p90", "ms", "", _LATENCY),
    _Column("p95_ms", "p95", "ms", "", _LATENCY),
    _Column("p99_ms", "p99", "ms", "", _LATENCY),
    _Column("p999_ms", "p99.9", "ms", "", _LATENCY),
    _Column("max_ms", "Max", "ms", "", _LATENCY),
    _Column("server_p50_ms", "p50", "ms", "time in the server, as its access log has it", _SERVER),
    _Column("server_p95_ms", "p95", "ms", "time in the server, as its access log has it", _SERVER),
    _Column("outside_p50_ms", "p50", "ms", "the rest of the latency: queues, network, proxies", _OUTSIDE),
    _Column("outside_p95_ms", "p95", "ms", "the rest of the latency: queues, network, proxies", _OUTSIDE),
    _Column("bytes_in_mean", "Received", "size", "mean size of an answer's body", _SIZE),
    _Column("bytes_out_mean", "Sent", "size", "mean size of a request's body", _SIZE),
)

_TIMES = (("Median", "p50_ms"), ("p95", "p95_ms"), ("p99", "p99_ms"), ("Longest", "max_ms"))


def figures(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The headline numbers: `{"name", "value", "unit", "aside", "alarm"}`; none where no request was recorded."""
    totals = summary.get("totals") or {}
    if not totals.get("count"):
        return []
    return [
        _figure("Requests", f"{totals['count']:,}", aside=_over(totals.get("duration_s"))),
        _figure("Responses", _written("rate", totals.get("mean_responses_per_s")), "/s"),
        *(_figure(name, _written("ms", totals.get(key)), "ms") for name, key in _TIMES),
        _failures(totals),
        _users(totals),
    ]


def _over(duration_s: float | None) -> str:
    return f"in {duration_s:,.1f} s" if duration_s else ""


def _failures(totals: dict[str, Any]) -> dict[str, Any]:
    said = ", ".join(f"{count:,} {words}" for words, count in failure_parts(totals))
    return _figure("Failed", f"{totals['failed']:,}", aside=said or "none", alarm=totals["failed"] > 0)


def _users(totals: dict[str, Any]) -> dict[str, Any]:
    completed = totals.get("scenarios_completed")
    aside = f"{completed:,} completed" if completed is not None else "how many completed was not recorded"
    return _figure("Users", f"{totals.get('scenarios_launched') or 0:,}", aside=aside)


def scenarios(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """`{"name", "count", "share", "percent"}` for each scenario that was launched, most first."""
    return _counted(summary.get("scenario_counts", {}))


def codes(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """As `scenarios`, for each status code; 0 is a websocket or Socket.IO operation."""
    rows = _counted(summary.get("codes", {}))
    for row in rows:
        if row["name"] == "0":
            row["name"] = "0 (websocket, Socket.IO)"
    return rows


def errors(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """As `scenarios`, for each error text, the requests' own and what only the load generator counted."""
    return _counted({**summary.get("engine_errors", {}), **summary.get("errors", {})})


def request_table(summary: dict[str, Any]) -> dict[str, Any]:
    """`{"groups": [{"name", "span"}], "columns": [{"name", "number", "hint"}], "rows": [[{"text", "sort", "tone", "number"}]]}`.

    No rows without requests. Columns that say nothing are left out: without any value, and the scenario file where there is
    one alone. `groups` are the headings above the columns.
    """
    rows = _with_split(summary)
    shown = [column for column in _COLUMNS if _says_something(column, rows)]
    groups = [(name, len(list(some))) for name, some in groupby(shown, lambda column: column.group)]
    return {
        "groups": [{"name": name, "span": span} for name, span in groups],
        "columns": [{"name": c.name, "number": c.kind != "text", "hint": c.hint} for c in shown],
        "rows": [[_cell(column, row.get(column.key)) for column in shown] for row in rows],
    }


def _with_split(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows, with what of their latency was spent in the server where its access log says so."""
    split = {
        (row["load"], row["protocol"], row["name"]): row
        for row in summary.get("server_errors", {}).get("split", [])
    }
    return [
        {**split.get((row["load"], row["protocol"], row["name"]), {}), **row}
        for row in summary.get("requests", [])
    ]


def _says_something(column: _Column, rows: list[dict[str, Any]]) -> bool:
    values = {row.get(column.key) for row in rows}
    if column.key == "load":
        return len(values) > 1
    if column.key in {"status_4xx", "status_5xx", "failed_checks"}:
        return any(values)
    return values != {None}


def _cell(column: _Column, value: Any) -> dict[str, Any]:  # noqa: ANN401 - a number, a text or nothing
    tone = ""
    if column.kind == "failed":
        tone = "alarm" if value else "zero"
    return {
        "text": _written(column.kind, value),
        "sort": "" if value is None else value,
        "tone": tone,
        "number": column.kind != "text",
    }


def _written(kind: str, value: Any) -> str:  # noqa: ANN401 - a number, a text or nothing
    if value is None:
        return "–"
    if kind == "ms":
        return milliseconds(value)
    if kind == "rate":
        return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    if kind == "size":
        return size(value)
    return bounded(str(value)) if kind == "text" else f"{value:,.0f}"


def clock(seconds: float) -> str:
    """Seconds since time 0 as `1:05` or `1:02:05`; `-0:04` before it. The page's script writes times in the same way."""
    whole = abs(int(seconds // 1))
    sign = "-" if seconds < 0 and whole else ""
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes_left:02d}:{rest:02d}" if hours else f"{sign}{minutes}:{rest:02d}"


def milliseconds(value: float) -> str:
    """Three significant digits below 100 ms, whole milliseconds above: `1.23`, `45.6`, `1,234`."""
    if value < 10:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def size(value: float) -> str:
    """Bytes in powers of 1000: `532 B`, `1.5 kB`."""
    for unit in _SIZES[:-1]:
        if value < 999.5:
            return f"{value:,.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} {_SIZES[-1]}"


def _figure(name: str, value: str, unit: str = "", *, aside: str = "", alarm: bool = False) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "aside": aside, "alarm": alarm}


def _counted(counts: dict[str, int]) -> list[dict[str, Any]]:
    total = sum(counts.values()) or 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        {
            "name": bounded(str(name)),
            "count": f"{count:,}",
            "share": f"{count / total * 100:.1f} %",
            "percent": round(count / total * 100, 2),
        }
        for name, count in ordered
    ]
