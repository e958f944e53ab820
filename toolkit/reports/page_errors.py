"""What report.html says of failures: sentences first, then tracebacks by group, their frames, and when they were logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.reports.flamegraph_text import bounded
from toolkit.reports.page_lines import lines_of
from toolkit.reports.page_numbers import clock
from toolkit.reports.summary_errors import PERHAPS_SAME, other_traffic, quoted

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

_BARS = 90
_MOST_PATHS = 5
_LINKS = {
    "cause": "The above was the direct cause of:",
    "context": "While that was handled, this happened:",
}


def error_words(results: Results, zero: int) -> dict[str, Any]:
    """`{"sentences": […], "asides": […], "notes": […], "groups": […]}`; empty lists where no log says anything."""
    found = results.summary.get("server_errors") or {}
    return {
        "sentences": [one["sentence"] for one in found.get("explanations", [])],
        "asides": _unseen(found.get("unseen") or {}),
        "notes": found.get("notes", []),
        "groups": [_group(one, results, zero) for one in found.get("tracebacks", [])],
    }


def _unseen(unseen: dict[str, Any]) -> list[str]:
    by_server, by_client = unseen.get("by_server", {}), unseen.get("by_client", {})
    said = []
    if unseen.get("known") and by_server["count"]:
        answered = f", {by_server['answered']:,} of them answered" if by_server["answered"] else ""
        paths = _paths(by_server["paths"])
        said.append(
            f"Never seen by the server: {by_server['count']:,} of {unseen['expected']:,} requests{answered}{paths}."
        )
    if by_client.get("count"):
        paths = _paths(by_client["paths"])
        said.append(f"{other_traffic(by_client)}: {by_client['count']:,} requests{paths}.")
    if unseen.get("perhaps_same"):
        said.append(PERHAPS_SAME)
    return said


def _paths(paths: list[dict[str, Any]]) -> str:
    shown = [f"{one['method'] or '?'} {bounded(one['path'])} {one['count']:,}" for one in paths[:_MOST_PATHS]]
    more = ", …" if len(paths) > _MOST_PATHS else ""
    return f" ({', '.join(shown)}{more})" if shown else ""


def _group(group: dict[str, Any], results: Results, zero: int) -> dict[str, Any]:
    first, last = clock(group["first_ns"] / 1e9 - zero), clock(group["last_ns"] / 1e9 - zero)
    count, beside = group["count"], group["requests_count"]
    example = group["example"]
    return {
        "known_by": group["known_by"],
        "message": lines_of(group["message"] or ""),
        "count": f"{count:,}",
        "when": f"at {first}" if count == 1 else f"{first} to {last}",
        "t": round(group["first_ns"] / 1e9 - zero, 3),
        "beside": _beside(beside, group["requests"]) + quoted(group),
        "where": bounded(f"{', '.join(group['servers'])}; the first in {example.get('file', '')}"),
        "chain": [_link(link) for link in group["chain"]],
        "bars": _bars(results, results.server_errors.series.get(group["fingerprint"], [])),
    }


def _beside(count: int, requests: list[dict[str, Any]]) -> str:
    if not count:
        return "beside no request that failed or was slow"
    parts = [
        f"{one['name']} ({one['error'] or one['status']}) {one['requests']:,}"
        for one in requests[:_MOST_PATHS]
    ]
    more = ", …" if len(requests) > _MOST_PATHS else ""
    return f"beside {count:,} failed or slow request{'s' if count > 1 else ''}: {', '.join(parts)}{more}"


def _link(link: dict[str, Any]) -> dict[str, Any]:
    return {
        "intro": _LINKS.get(link["link"] or "", ""),
        "exception": link["exception"] or "(cut short)",
        "message": lines_of(link["message"] or ""),
        "left_out": link["frames_left_out"],
        "frames": [
            {
                "place": f"{frame['file']}:{frame['line']}",
                "function": frame["function"],
                "code": lines_of(frame["code"] or ""),
            }
            for frame in link["frames"]
        ],
    }


def _bars(results: Results, counts: list[tuple[int, int]]) -> list[dict[str, float]]:
    """Counts over the whole run as bars in a box of `_BARS` x 1."""
    ends = _span(results, counts)
    if ends is None:
        return []
    first, last = ends
    width = max(1, last - first + 1) / _BARS
    totals = [0] * _BARS
    for second, count in counts:
        totals[min(_BARS - 1, max(0, int((second - first) / width)))] += count
    most = max(totals)
    return [
        {"x": at, "y": round(1 - count / most, 3), "height": round(count / most, 3)}
        for at, count in enumerate(totals)
        if count
    ]


def _span(results: Results, counts: list[tuple[int, int]]) -> tuple[int, int] | None:
    if not counts:
        return None
    grid = results.series.get("t") or [second for second, _ in counts]
    return int(grid[0]), int(grid[-1])
