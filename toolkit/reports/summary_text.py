"""Renderer: summary.txt, which begins as Artillery's own report does and goes on where that ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.reports.failures import failure_parts
from toolkit.reports.summary_aggregates import aggregate_lines
from toolkit.reports.summary_checks import check_lines, stopped_by_a_check
from toolkit.reports.summary_consistency import consistency_lines
from toolkit.reports.summary_errors import error_lines
from toolkit.reports.summary_findings import finding_lines
from toolkit.reports.summary_kind import kind_lines
from toolkit.reports.summary_profile import profile_lines
from toolkit.reports.summary_server import server_lines
from toolkit.reports.summary_traffic import traffic_lines
from toolkit.reports.summary_trust import first_lines, trust_lines
from toolkit.reports.terminal_text import fixed, number, printable, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.analysis.results import Results

_UNFINISHED = {
    "interrupted": "The run was interrupted before all virtual users finished",
    "running": "The run did not end by itself: not all virtual users may have finished",
    "failed": "The run failed: not all virtual users may have finished",
    "invalid": "The run is invalid: do not use its numbers",
}
_TIMES = (
    ("mean", "mean_ms"),
    ("stdev", "stdev_ms"),
    ("mode", "mode_ms"),
    ("bin", "mode_bin_ms"),
    ("p50", "p50_ms"),
    ("p75", "p75_ms"),
    ("p90", "p90_ms"),
    ("p95", "p95_ms"),
    ("p99", "p99_ms"),
    ("p99.9", "p999_ms"),
    ("min", "min_ms"),
    ("max", "max_ms"),
)
_SIZES = (
    ("mean", "bytes_in_mean"),
    ("median", "bytes_in_median"),
    ("mode", "bytes_in_mode"),
    ("total", "bytes_in_total"),
    ("sent", "bytes_out_total"),
)


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `summary.txt`: UTF-8, safe to print on a terminal whatever the names in it are."""
    summary = results.summary
    if summary.get("aggregates"):
        head = [_finish(summary), *aggregate_lines(summary), *finding_lines(summary)]
    elif summary["run"]["kind"] == "profile" and not summary["totals"]["count"]:
        head = [
            f"Profile report @ {_at(summary['run']['ended_ns'] or summary['run']['started_ns'])}",
            *finding_lines(summary),
        ]
    else:
        head = [
            *_classic(summary),
            *finding_lines(summary),
            *kind_lines(summary),
            *_requests(summary),
            *_phases(summary),
        ]
    lines = [
        *first_lines(summary),
        *head,
        *check_lines(summary),
        *traffic_lines(summary),
        *consistency_lines(summary),
        *trust_lines(summary),
    ]
    lines += error_lines(summary)
    lines += server_lines(summary)
    lines += profile_lines(summary)
    if summary["missing"]:
        lines += ["", "What is missing", *(f"  - {printable(sentence)}" for sentence in summary["missing"])]
    yield results.run.summary_text.name, ("\n".join(lines) + "\n").encode()


def _classic(summary: dict[str, Any]) -> list[str]:
    totals, run = summary["totals"], summary["run"]
    ended_ns = totals["ended_ns"] or run["ended_ns"] or run["started_ns"]
    lines = [
        _finish(summary),
        f"Summary report @ {_at(ended_ns)}",
        f"  Scenarios launched:  {totals['scenarios_launched']}",
        f"  Scenarios completed: {number(totals['scenarios_completed'])}",
        f"  Requests completed:  {totals['answered']}",
        f"  Mean response/sec: {number(totals['mean_responses_per_s'], 2)}",
        "  Response time (msec):",
        f"    min: {number(totals['min_ms'])} max: {number(totals['max_ms'])} median: {number(totals['p50_ms'])} "
        f"p95: {number(totals['p95_ms'])} p99: {number(totals['p99_ms'])}",
        "  Scenario counts:",
    ]
    launched = totals["scenarios_launched"]
    lines += [
        f"    {printable(name)}: {count} ({number(count / launched * 100 if launched else None, 3)}%)"
        for name, count in summary["scenario_counts"].items()
    ]
    lines.append("  Codes:")
    lines += [f"    {code}: {count}" for code, count in summary["codes"].items()]
    errors = {**summary["errors"], **summary["engine_errors"]}
    if errors:
        lines.append("  Errors:")
        lines += [f"    {printable(error)}: {count}" for error, count in errors.items()]
    return lines + _asides(summary)


def _finish(summary: dict[str, Any]) -> str:
    outcome, reason = summary["run"]["outcome"], summary["run"]["reason"]
    if not summary["totals"]["count"] and not summary.get("aggregates"):
        return "No request was recorded"
    said = _UNFINISHED.get(outcome, "All virtual users finished")
    if (summary.get("load_kind") or {}).get("figures", {}).get("broke"):
        said = "The load was raised until a limit broke"
    if stopped_by_a_check(summary):
        said = "A check stopped the load before all virtual users finished"
    if outcome == "invalid" and summary["trust"]["verdict"] == "invalid":
        return said  # the lines above this one say why
    return f"{said} ({printable(reason)})" if reason and outcome in _UNFINISHED else said


def _asides(summary: dict[str, Any]) -> list[str]:
    totals, websocket = summary["totals"], summary["websocket"]
    lines = []
    if totals["failed"]:
        parts = ", ".join(f"{count} {words}" for words, count in failure_parts(totals))
        lines.append(f"  Requests failed: {totals['failed']} ({parts})")
    if totals["scenarios_failed"] or totals["scenarios_skipped"]:
        lines.append(
            f"  Scenarios failed: {totals['scenarios_failed']}, skipped over maxVusers: {totals['scenarios_skipped']}"
        )
    if websocket["messages"]:
        lines.append(
            f"  Code 0: {websocket['connections']} websocket connections, {websocket['messages']} messages answered"
        )
    if websocket["unanswered"]:
        sent = ", ".join(f"{printable(name)} {count}" for name, count in websocket["unanswered"].items())
        lines.append(f"  Messages sent without waiting for an answer: {sent}")
    return lines


def _requests(summary: dict[str, Any]) -> list[str]:
    rows = summary["requests"]
    if not rows:
        return []
    total = {**summary["totals"], "name": "all", "load": ""}
    several = len({row["load"] for row in rows}) > 1
    shown = [*rows, total] if len(rows) > 1 else rows
    names = [_name(row, several=several) for row in shown]
    times = [
        [name, *_counts(row), *(fixed(row[key]) for _, key in _TIMES)]
        for name, row in zip(names, shown, strict=True)
    ]
    sizes = [[name, *(number(row[key]) for _, key in _SIZES)] for name, row in zip(names, shown, strict=True)]
    return [
        "",
        "Requests (response time in msec, of the answered; mode: middle of the fullest bin of the width beside it;",
        "errors: got no answer; checks: answered, with whatever status, but a capture, match or expectation failed)",
        *table(["", "count", "/sec", "errors", "checks", "4xx", "5xx", *_heads(_TIMES)], times),
        *(_sizes(sizes) if total["bytes_in_mean"] is not None else []),
    ]


def _sizes(rows: list[list[str]]) -> list[str]:
    return [
        "",
        "Sizes (bytes of response bodies; sent: bytes of request bodies)",
        *table(["", *_heads(_SIZES)], rows),
    ]


def _phases(summary: dict[str, Any]) -> list[str]:
    rows = summary["phases"]
    if not rows:
        return []
    several = len({row["load"] for row in rows}) > 1
    times = [pair for pair in _TIMES if not pair[0].startswith(("mode", "bin"))]
    body = [
        [
            _name(row, several=several),
            fixed(row["duration_s"]),
            *(_counts(row) if row["count"] else ["0", *["-"] * 5]),
            *(fixed(row.get(key)) for _, key in times),
        ]
        for row in rows
    ]
    return [
        "",
        "Phases (by the phase in which a request was started)",
        *table(["", "sec", "count", "/sec", "errors", "checks", "4xx", "5xx", *_heads(times)], body),
    ]


def _name(row: dict[str, Any], *, several: bool) -> str:
    name = printable(row["name"])
    return f"{printable(row['load'])}: {name}" if several and row["load"] else name


def _counts(row: dict[str, Any]) -> list[str]:
    counts = (row["errors"], row["failed_checks"], row["status_4xx"], row["status_5xx"])
    return [str(row["count"]), fixed(row["rate_per_s"], 2), *(str(count) for count in counts)]


def _heads(columns: Sequence[tuple[str, str]]) -> list[str]:
    return [head for head, _ in columns]


def _at(nanoseconds: int) -> str:
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%H:%M:%S(%z) %Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return f"{nanoseconds} ns"
