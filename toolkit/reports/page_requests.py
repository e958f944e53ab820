"""The requests that report.html shows one by one: the slowest and the failed, each with its lines of the servers' logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.page_lines import lines_of
from toolkit.reports.page_numbers import clock, milliseconds

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

MOST_TEXT = 250_000
"""Characters of log lines in the page; the others are in summary.json and in the run's tables."""

_ROLES = {
    "access": "access log",
    "traceback": "traceback",
    "event": "gunicorn",
    "other": "same request",
}
_MOSTLY = 0.7
_BY = {"id": "by request id", "time": "by time, path and status"}


def worth_showing(results: Results, zero: int) -> list[dict[str, Any]]:
    """Two lists, `{"key", "title", "aside", "rows"}`: the failed first, then the slowest; those without a row are left out."""
    found = results.summary.get("server_errors", {}).get("slowest", [])
    text = _Text()
    lists = []
    for key, title in (("failed", "Failed"), ("slow", "Slowest")):
        rows = [_row(one, zero, text) for one in found if one["shown_as"] == key]
        if rows:
            lists.append({"key": key, "title": title, "aside": _aside(results, key, len(rows)), "rows": rows})
    return lists


def _aside(results: Results, key: str, shown: int) -> str:
    if key == "slow":
        return (
            f"the {shown:,} with the longest latency of those at or above the 99th percentile of their name"
        )
    total = (results.summary.get("totals") or {}).get("failed") or 0
    if total <= shown:
        return "all of them"
    return f"{shown:,} of {total:,}, some of each kind; all are in tables/joined.parquet"


class _Text:
    """How much of the log lines still fits into the page."""

    def __init__(self) -> None:
        self.left = MOST_TEXT

    def lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        shown = []
        for line in lines:
            text = str(line["text"] or "")
            self.left -= len(text)
            if self.left < 0:
                text = "This line is in summary.json; there are too many for this page."
            shown.append(
                {
                    "role": _ROLES.get(line["role"], line["role"]),
                    "where": bounded(f"{line['server']}: {line['file']}"),
                    "text": lines_of(text),
                }
            )
        return shown


def _row(one: dict[str, Any], zero: int, text: _Text) -> dict[str, Any]:
    start_s = one["start_ns"] / 1e9 - zero
    status = one["status"]
    return {
        "t": round(start_s, 3),
        "end": round(one["end_ns"] / 1e9 - zero, 3),
        "clock": clock(start_s),
        "name": bounded(one["name"] or ""),
        "result": bounded(str(one["error"] or ("websocket" if status == 0 else status))),
        "failed": bool(one["failed"]),
        "latency_ms": one["latency_ms"],
        "latency": _ms(one["latency_ms"]),
        "server_ms": one["server_ms"],
        "server": _ms(one["server_ms"]),
        "outside": _ms(one["outside_ms"]),
        "outside_ms": one["outside_ms"],
        "words": one["words"] or _where(one) or _joined(one),
        "facts": _facts(one),
        "lines": text.lines(one["lines"]),
    }


def _where(one: dict[str, Any]) -> str:
    """Where the time of an answered request was spent; empty where the access log does not tell."""
    if one["server_ms"] is None or one["outside_ms"] is None or not one["latency_ms"]:
        return ""
    share = one["server_ms"] / one["latency_ms"]
    if share >= _MOSTLY:
        return "mostly in the server"
    if share <= 1 - _MOSTLY:
        return "mostly outside of the server: queues, network, proxies"
    return "in the server and outside of it"


def _joined(one: dict[str, Any]) -> str:
    by = _BY.get(one["joined_by"])
    return (
        f"its access line was found {by} ({one['certainty']})"
        if by
        else "no line of a server is joined to it"
    )


def _facts(one: dict[str, Any]) -> list[dict[str, str]]:
    request = " ".join(part for part in (one["method"], one["url"]) if part)
    pairs = (
        ("Request", request),
        ("Request id", one["request_id"]),
        ("Scenario", one["scenario"]),
        ("Phase", one["phase"]),
        ("User", one["user"]),
        ("Load", one["load"]),
        ("Server", one["server"]),
        ("Joined", _joined(one)),
    )
    return [{"name": name, "value": bounded(str(value))} for name, value in pairs if value]


def _ms(value: float | None) -> str:
    return "–" if value is None else milliseconds(value)


def histograms(results: Results) -> list[list[int]]:
    """Of each row of the table of requests: the first bin, then answered requests in it and in the bins after it."""
    found: list[list[int]] = []
    for row in results.summary.get("requests", []):
        bins = results.shape.by_name.get((row["load"], row["protocol"], row["name"]))
        if not bins:
            found.append([])
            continue
        first, last = min(bins), max(bins)
        found.append([first, *(bins.get(number, 0) for number in range(first, last + 1))])
    return found
