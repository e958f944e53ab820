"""Says in sentences what explains the requests that failed: "93 requests got 504: 91 of them stand beside this traceback …"."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import Any

from toolkit.analysis.joins.masking import masked

_MOST_PARTS = 6
_LONGEST = 200
_CERTAINTIES = ("certain", "likely", "ambiguous", "none")
_CANNOT = "whether {they} reached a worker cannot be known"

_UNKNOWN = {
    "no_log": "{have} no server line, as no access log was recorded, or not on every server: " + _CANNOT,
    "unlogged": "{have} no server line, but this gunicorn (before 21) writes none where the client, or what is in front of it, "
    "has gone before the answer: " + _CANNOT,
    "gap": "fell into a time in which the access log was not recorded: " + _CANNOT,
    "protocol": "{were} on a websocket, which gunicorn does not log: " + _CANNOT,
    "call": "{were} whole repetitions by the clients' own code, whose single requests nobody sees",
    "incomplete": "{have} no server line, but many that were answered by that address have none either: "
    + _CANNOT,
}
_CLAUSES = {
    "traceback": "{stand} beside this traceback ({traceback})",
    "timeout": "{were} in a worker that gunicorn killed for its timeout ({worker})",
    "killed": "{were} in a worker that {cause} ({worker})",
    "gave_up": "{were} finished by the server with {access} after the client had given up",
    "lost": "{were} finished by the server with {access}, but the answer did not arrive",
    "about": "{were} finished by the server with {access} as the client gave up or shortly before or after",
    "proxy": "{were} answered by something in front of the server, whose own answer was {access}",
    "front": "{were} answered by something in front of gunicorn: its log has {them}, gunicorn's has not",
    "raised_later": "{were} answered by something in front of the server, before the application raised ({traceback})",
    "said": "{were} answered so by the server itself, without a traceback, and the application's log has {their} id",
    "said_perhaps": "{were} answered so by the server itself, and another log has {their} id; whether one of the tracebacks "
    "of that time is {theirs} cannot be told",
    "perhaps": "{were} answered so by the server itself; whether one of the tracebacks of that time is {theirs} cannot be told",
    "access": "{were} answered so by the server itself, without a traceback",
    "cut": "{were} cut off in the middle of the answer: the access log has {them} with the status that was sent before",
    "check": "{stand} in the access log with the status that the client saw",
    "logged": "{stand} in the application's log, certain: by request id, and {have} no access line (a worker had {them}, and "
    "logged no answer)",
    "logged_alone": "{stand} in the application's log, certain: by request id (what was answered is not known: no access log "
    "could be read)",
    "none": "{have} no server line (never reached a worker)",
    "closed": "{have} no server line, and the connection was closed (by a worker that ended before it wrote one, or before "
    "a worker took it)",
    "refused": "got no connection (never reached a worker)",
    "stopped": "got no connection: gunicorn had ended, and did not come back",
    "unsent": "failed before anything was sent",
    "interrupted": "{were} under way when the load ended",
    "unfinished": "{have} no server line (never reached a worker, or {were} waiting or in work when the recording ended)",
    "full": "{have} no server line: the accept queue was full while {they} waited (turned away, or in it to the end)",
    "others": "stand with less frequent explanations",
}
_CAUSES = {
    "killed": "was killed",
    "oom": "was killed for lack of memory",
    "crash": "crashed",
    "exited": "ended by itself",
    "unknown": "ended, nobody knows why",
}
_SURE = {"refused", "unsent", "interrupted", "unknown", "unfinished", "closed", "logged", "others"}
"""What needs no word on how sure it is."""
_OTHERS = {"what": "others", "why": None, "fingerprint": None, "access_status": None, "cause": None}
"""What each of them has of its own would be said of all."""

Row = dict[str, Any]


def explanations(rows: list[Row], places: dict[str, str]) -> list[Row]:
    """One for each status and error: `{"kind": "status" | "error" | "check", "status", "error", "count", "parts", "sentence"}`.

    `rows` are those of error_parts.sql; `places` says for a fingerprint what a reader knows it by.
    """
    found = []
    for (kind, status, error), its in groupby(rows, lambda row: (row["kind"], row["status"], row["error"])):
        parts = _parts(list(its), places)
        count = sum(part["count"] for part in parts)
        shown = None if error is None else masked(error, _LONGEST)
        found.append(
            {
                "kind": kind,
                "status": status,
                "error": shown,
                "count": count,
                "parts": parts,
                "sentence": _sentence(_subject(kind, status, shown, count), count, parts),
            }
        )
    return found


def words(row: Row, places: dict[str, str]) -> str:
    """What explains one failed request; empty for one that did not fail."""
    if row["what"] is None:
        return ""
    one = {**row, "cause": row["event"], "workers": 1, "pid": row["event_pid"]}
    certainties = Counter({row["what_certainty"]: 1})
    return _clause(one, 1, places) + _certainty(row["what"], certainties, by_id=row["joined_by"] == "id")


def _parts(rows: list[Row], places: dict[str, str]) -> list[Row]:
    merged: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = (row["what"], row["why"], row["fingerprint"], row["access_status"], row["cause"])
        merged.setdefault(key, []).append(row)
    groups = sorted(merged.values(), key=lambda its: -sum(row["requests"] for row in its))
    parts = [_part(its, places) for its in groups[:_MOST_PARTS]]
    rest = [row for its in groups[_MOST_PARTS:] for row in its]
    if rest:
        parts.append(_part([{**row, **_OTHERS} for row in rest], places))
    return parts


def _part(rows: list[Row], places: dict[str, str]) -> Row:
    count = sum(row["requests"] for row in rows)
    certainties: Counter[str] = Counter()
    for row in rows:
        certainties[row["what_certainty"] or "none"] += row["requests"]
    merged = {**rows[0], "workers": len({pid for row in rows for pid in row["pids"] or ()})}
    by_id = all(row["by_id"] for row in rows)
    what = merged["what"]
    return {
        "count": count,
        "what": what,
        "why": merged["why"],
        "cause": merged["cause"],
        "words": _clause(merged, count, places) + _certainty(what, certainties, by_id=by_id),
        "fingerprint": merged["fingerprint"],
        "access_status": merged["access_status"],
        "certainty": max(certainties, key=_CERTAINTIES.index),
        "certainties": {name: certainties[name] for name in _CERTAINTIES if certainties[name]},
    }


def _clause(row: Row, count: int, places: dict[str, str]) -> str:
    one = count == 1
    what, why = row["what"], row["why"]
    form = _UNKNOWN[why] if what == "unknown" else _CLAUSES[why or what]
    return form.format(
        have="has" if one else "have",
        were="was" if one else "were",
        stand="stands" if one else "stand",
        they="it" if one else "they",
        them="it" if one else "them",
        their="its" if one else "their",
        theirs="its" if one else "theirs",
        traceback=places.get(row["fingerprint"] or "", "of which nothing more is known"),
        worker=_worker(row, places),
        cause=_CAUSES.get(row["cause"], "died"),
        access=row["access_status"],
    )


def _worker(row: Row, places: dict[str, str]) -> str:
    who = f"{row['workers']} workers" if row["workers"] > 1 else f"PID {row['pid']}"
    where = places.get(row["fingerprint"] or "")
    return f"{who}; {where}" if where else who


def _certainty(what: str, certainties: Counter[str], *, by_id: bool) -> str:
    known = [name for name in _CERTAINTIES[:3] if certainties[name]]
    if what in _SURE or not known:
        return ""
    if known == ["certain"]:
        # A traceback is certain by nothing else, whether or not there is an access line.
        return ", certain: by request id" if by_id or what in {"traceback", "access"} else ", certain"
    if len(known) > 1:
        return ", " + ", ".join(f"{certainties[name]} {name}" for name in known)
    if known == ["likely"]:
        return ", likely: by time and path" if not by_id else ", likely"
    return ", ambiguous: time alone does not tell whose it is"


def _subject(kind: str, status: int | None, error: str | None, count: int) -> str:
    requests = "1 request" if count == 1 else f"{count:,} requests"
    if kind == "status":
        return f"{requests} got {status}"
    if kind == "cut":
        return f"{requests} got an answer that broke off ({error})"
    if kind == "check":
        return f"{requests} got an answer that failed a check ({error})"
    return f"{requests} got no answer ({error or 'no reason was given'})"


def _sentence(subject: str, count: int, parts: list[Row]) -> str:
    said = []
    for index, part in enumerate(parts):
        if part["count"] == count:
            who = "it" if count == 1 else "all of them"
        else:
            who = f"{part['count']:,}" + ("" if index else " of them")
        said.append(f"{who} {part['words']}")
    return f"{subject}: {'; '.join(said)}."
