"""Everything that a postmortem's template may say: plain values of the run, and nothing that its data does not hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from toolkit.reports.failures import failure_parts
from toolkit.reports.finding_words import PARTS, fragment, lanes_of, sorted_out, window_s
from toolkit.reports.page_data import again, duration_words
from toolkit.reports.page_time import zero_s
from toolkit.reports.postmortem.timeline import at, timeline
from toolkit.reports.terminal_text import time_of

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

_PAGE = "report.html"
_MOST_NAMES = 10


def facts(results: Results) -> dict[str, Any]:
    """`run`, `impact`, `requests`, `timeline`, `timeline_left_out`, `findings`, `ruled_out`, `open_questions`, `again`, `trust`,
    `summary` (all of summary.json), `method`: see docs/postmortem.md."""
    summary, zero = results.summary, zero_s(results)
    rows, left_out = timeline(results)
    findings = summary.get("findings") or {"found": []}
    ruled_out, unknown = sorted_out(findings)
    return {
        "run": _run(results, zero),
        "impact": _impact(summary),
        "requests": _requests(summary),
        "timeline": [{**row, "at": at(row["t_ns"], zero), "server": row.get("server")} for row in rows],
        "timeline_left_out": left_out,
        "findings": [_finding(row, zero) for row in findings["found"]],
        "ruled_out": ruled_out,
        "open_questions": _open_questions(summary, findings["found"], unknown),
        "again": again(results),
        "trust": {"verdict": summary["trust"]["verdict"], "reasons": summary["trust"]["reasons"]},
        "summary": summary,
    }


def _run(results: Results, zero: float) -> dict[str, Any]:
    manifest = results.manifest
    return {
        "id": manifest.run_id,
        "plan": manifest.plan_name,
        "kind": manifest.kind,
        "command": manifest.command,
        "target": manifest.target,
        "servers": [
            {"name": entry.name, "address": entry.address, "of": _gunicorn(results.summary, entry.name)}
            for entry in manifest.servers
        ],
        "outcome": manifest.outcome,
        "exit_code": manifest.exit_code,
        "reason": manifest.reason,
        "started": _utc(manifest.started_ns),
        "zero": _utc(round(zero * 1e9)),
        "duration": duration_words(manifest),
        "missing": results.summary.get("missing") or [],
    }


def _gunicorn(summary: dict[str, Any], name: str) -> str:
    server: dict[str, Any] = next((one for one in summary["servers"] if one["name"] == name), {})
    workers = (server.get("watch") or {}).get("workers") or {}
    count = workers.get("configured") or workers.get("at_start")
    said = [
        f"gunicorn {workers['gunicorn']}" if workers.get("gunicorn") else "",
        workers.get("class") or "",
        f"{count} workers" if count else "",
        f"Python {workers['python']}" if workers.get("python") else "",
    ]
    return ", ".join(part for part in said if part)


def _impact(summary: dict[str, Any]) -> dict[str, Any]:
    totals = summary["totals"]
    count, failed = totals["count"], totals["failed"]
    deaths = [
        death
        for server in summary["servers"]
        for death in ((server.get("watch") or {}).get("workers") or {}).get("deaths") or []
    ]
    return {
        "requests": count,
        "per_s": totals["rate_per_s"],
        "failed": failed,
        "failed_percent": failed / count * 100 if count else None,
        "failed_parts": [{"words": words, "count": number} for words, number in failure_parts(totals)],
        "users_failed": totals.get("scenarios_failed"),
        "users": totals.get("scenarios_launched"),
        "workers_ended": len(deaths),
        **{name: totals.get(name) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")},
        "explanations": [
            one["sentence"] for one in (summary.get("server_errors") or {}).get("explanations", [])
        ],
    }


def _requests(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of which some failed, the most first; else the slowest by p95."""
    rows = summary["requests"]
    failed = sorted((row for row in rows if row["failed"]), key=lambda row: -row["failed"])
    slow = sorted((row for row in rows if not row["failed"]), key=lambda row: -(row["p95_ms"] or 0.0))
    return [*failed, *slow][:_MOST_NAMES]


def _finding(row: dict[str, Any], zero: float) -> dict[str, Any]:
    window = window_s(row, zero)
    return {
        **row,
        "when": f"{time_of(window[0])} to {time_of(window[1])}" if window else "",
        "lanes_shown": lanes_of(row),
        "link": f"{_PAGE}#{row['id']}",
        "shown": f"{_PAGE}{fragment(row, zero)}" if row["part"] else "",
        "shown_words": PARTS.get(row["part"], row["part"]),
    }


def _open_questions(
    summary: dict[str, Any], found: list[dict[str, Any]], unknown: list[dict[str, Any]]
) -> list[str]:
    """What would settle what is not certain, what could not be told, and what is missing."""
    questions = [
        f"{row['title']} ({row['certainty']}). {row['settle']}"
        for row in found
        if row["certainty"] != "certain" and row["rule"] != "healthy"
    ]
    several = len(summary["servers"]) > 1
    questions += [
        f"{row['server']}: {row['words']}" if several and row["server"] else row["words"] for row in unknown
    ]
    questions += summary["trust"]["reasons"]
    return list(dict.fromkeys([*questions, *(summary.get("missing") or [])]))


def _utc(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
