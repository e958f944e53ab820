"""The timeline of a postmortem: what the run, its workers, its phases and its requests say of when, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.recording.jsonl import read_lines
from toolkit.reports.terminal_text import time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.analysis.results import Results

_MOST = 120
_MOST_OF_A_KIND = 25
_NEAR_S = 60.0
"""What was so at most so long before a first failure is named beside it."""
_CAUSES = {
    "timeout": "gunicorn killed worker {pid} for its timeout",
    "oom": "worker {pid} was killed for lack of memory",
    "crash": "worker {pid} crashed",
    "killed": "worker {pid} was killed",
    "boot_failed": "worker {pid} could not boot",
    "max_requests": "worker {pid} ended after max_requests",
}
_LOUD = {"all_busy", "queue", "host_full"}

Row = dict[str, Any]
"""`t_ns`, `words`; `server` where it is of one; `kind`."""


def timeline(results: Results) -> tuple[list[Row], int]:
    """Rows in order of time, and how many were left out."""
    rows = [*_events(results), *_phases(results), *_workers(results), *_moments(results)]
    rows += _failures(results, rows)
    rows.sort(key=lambda row: (row["t_ns"], row["kind"]))
    return rows[:_MOST], max(0, len(rows) - _MOST)


def _events(results: Results) -> Iterator[Row]:
    """Of events.jsonl, what a reader of a postmortem asks for."""
    said: dict[str, Callable[[dict[str, Any]], str]] = {
        "load_started": lambda row: f"load {row.get('scenario')} began",
        "users_left": lambda _: "the last user left",
        "load_ended": lambda row: (
            f"load {row.get('scenario')} ended" + (f": {row['problem']}" if row.get("problem") else "")
        ),
        "fault": lambda row: (
            f"a fault on server {row.get('server')}: {row.get('message') or row.get('fault')}"
        ),
        "lost": lambda row: f"server {row.get('server')} was lost: {row.get('reason')}",
        "refused": lambda row: f"server {row.get('server')} refused: {row.get('message')}",
        "problem": lambda row: f"a problem: {row.get('message')}",
        "failed": lambda row: f"the stage “{row.get('stage')}” failed: {row.get('message')}",
        "interrupted": lambda _: "the run was interrupted",
    }
    yield {"t_ns": results.manifest.started_ns, "kind": "run", "words": "the run began"}
    count = 0
    for row in read_lines(results.run.events):
        words = said.get(str(row.get("kind")))
        if words is None or not isinstance(row.get("t_ns"), int) or count >= _MOST_OF_A_KIND:
            continue
        count += 1
        yield {"t_ns": row["t_ns"], "kind": "run", "words": words(row)}
    if results.manifest.ended_ns:
        outcome = f"the run ended: {results.manifest.outcome}"
        yield {"t_ns": results.manifest.ended_ns, "kind": "run", "words": outcome}


def _phases(results: Results) -> Iterator[Row]:
    several = len({phase["load"] for phase in results.phases}) > 1
    for phase in results.phases[:_MOST_OF_A_KIND]:
        of = f" of {phase['load']}" if several else ""
        yield {"t_ns": phase["start_ns"], "kind": "phase", "words": f"phase {phase['name']}{of} began"}


def _workers(results: Results) -> Iterator[Row]:
    for server in results.summary.get("servers", []):
        workers = (server.get("watch") or {}).get("workers") or {}
        deaths = workers.get("deaths") or []
        for death in deaths[:_MOST_OF_A_KIND]:
            words = _CAUSES.get(death["cause"], "worker {pid} ended ({cause})").format(**death)
            yield {
                "t_ns": death["t_ns"],
                "kind": "death",
                "server": server["name"],
                "words": f"{words} ({death['certainty']})" if death["certainty"] != "unknown" else words,
            }
        for birth in (workers.get("born") or [])[:_MOST_OF_A_KIND]:
            words = f"worker {birth['pid']} was born"
            yield {"t_ns": birth["t_ns"], "kind": "birth", "server": server["name"], "words": words}


def _moments(results: Results) -> Iterator[Row]:
    for moment in (results.summary.get("findings") or {}).get("moments", []):
        first = "" if moment["what"] == "slowest" else " for the first time"
        words = f"{moment['words']}{first}" if first not in moment["words"] else moment["words"]
        earliest = moment.get("earliest_ns")
        if earliest:
            before = (moment["t_ns"] - earliest) / 1e9
            words += f" at the latest (up to {before:.0f} s before: stacks are counted chunk by chunk)"
        yield {
            "t_ns": moment["t_ns"],
            "earliest_ns": earliest or moment["t_ns"],
            "kind": "moment",
            "server": moment["server"],
            "words": words,
            "of": moment["words"] if moment["what"] in _LOUD else "",
        }


def _failures(results: Results, others: list[Row]) -> Iterator[Row]:
    """The first of each kind, with how long it came after what was seen before it: a worker's end, all of them busy."""
    loud = [row for row in others if row["kind"] == "death" or row.get("of")]
    for failure in results.first_failures:
        got = (
            str(failure["status"])
            if failure["status"] is not None
            else failure["error"] or "request without an answer"
        )
        if failure["status"] is not None and failure["error"]:
            got = f"{got} ({failure['error']})"
        words = (
            f"first {got} ({failure['name']}), one of {failure['requests']:,}"
            if failure["requests"] > 1
            else f"first {got} ({failure['name']}), the only one"
        )
        before = [row for row in loud if 0 <= (failure["first_ns"] - _earliest(row)) / 1e9 <= _NEAR_S]
        if before:
            nearest = max(before, key=lambda row: row["t_ns"])
            what = nearest.get("of") or nearest["words"]
            words += f", {_since(failure['first_ns'], nearest)} after {what}"
        yield {"t_ns": failure["first_ns"], "kind": "failure", "words": words}


def _earliest(row: Row) -> int:
    found: int = row["earliest_ns" if "earliest_ns" in row else "t_ns"]
    return found


def _since(t_ns: int, row: Row) -> str:
    """`4 s`, `4 to 9 s` or `at most 5 s`, where it is not known to the second when that was so."""
    least, most = ((t_ns - one) / 1e9 for one in (row["t_ns"], _earliest(row)))
    if f"{most:.0f}" == f"{least:.0f}":
        return f"{least:.0f} s"
    return f"{least:.0f} to {most:.0f} s" if least >= 0.5 else f"at most {most:.0f} s"


def at(t_ns: int, zero_s: float) -> str:
    """`00:03:12` since the first request's second."""
    return time_of(t_ns // 10**9 - zero_s)
