"""The errors' part of summary.txt: what the servers' logs say of the requests that failed, and of the time of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.reports.terminal_text import fixed, printable, table

if TYPE_CHECKING:
    from collections.abc import Iterator

PERHAPS_SAME = "Some of both may be the same: a line without the request's id is given to the request that fits it best by time."
_MOST_SENTENCES = 12
_MOST_TRACEBACKS = 3
_MOST_FRAMES = 5
_MOST_PATHS = 3
_MOST_MESSAGE_LINES = 5
_LINKS = {"cause": "because of", "context": "while handling", "member": "one of the group:"}
_MOST_NAMES = 20
_PARTS = ("server", "outside")
_QUANTILES = ("mean", "p50", "p95", "p99")


def error_lines(summary: dict[str, Any]) -> list[str]:
    """The section; empty where no request failed and no log says anything of the load."""
    found = summary.get("server_errors")
    if not found:
        return []
    said = [*_sentences(found["explanations"]), *_tracebacks(found["tracebacks"]), *_unseen(found)]
    split = _split(found["split"])
    if not said and not split:
        return []
    notes = [f"  Note: {printable(note)}" for note in found["notes"]]
    return ["", "Errors", *(said or ["  No request failed, and no traceback was logged."]), *notes, *split]


def _sentences(explained: list[dict[str, Any]]) -> Iterator[str]:
    for one in explained[:_MOST_SENTENCES]:
        yield f"  {printable(one['sentence'])}"
    if len(explained) > _MOST_SENTENCES:
        yield f"  {len(explained) - _MOST_SENTENCES} more kinds of failures are in summary.json."


def _tracebacks(groups: list[dict[str, Any]]) -> Iterator[str]:
    groups = sorted(
        groups, key=lambda group: not group["requests_count"]
    )  # what nothing stands beside may be noise
    for group in groups[:_MOST_TRACEBACKS]:
        beside = group["requests_count"]
        times = "once" if group["count"] == 1 else f"{group['count']:,} times"
        requests = "1 request" if beside == 1 else f"{beside:,} requests"
        yield f"  Traceback, {times}, beside {requests}{quoted(group)}: {printable(group['known_by'])}"
        yield from _innermost(group)
    if len(groups) > _MOST_TRACEBACKS:
        rest = groups[_MOST_TRACEBACKS:]
        others = "1 other traceback" if len(rest) == 1 else f"{len(rest)} other tracebacks"
        be = "is" if len(rest) == 1 else "are"
        yield f"  {others}, {sum(group['count'] for group in rest):,} times, {be} in summary.json."


def quoted(group: dict[str, Any]) -> str:
    """What may be nothing but text that a client sent."""
    if not group["quoted"]:
        return ""
    some = "each" if group["quoted"] == group["count"] else f"{group['quoted']:,} of them"
    return f", {some} directly behind other text that was logged, of which it may be a part"


def _innermost(group: dict[str, Any]) -> Iterator[str]:
    """The last exception's innermost frames, and its message."""
    if not group["chain"]:
        return
    last = group["chain"][-1]
    for frame in last["frames"][-_MOST_FRAMES:]:
        code = f": {frame['code']}" if frame["code"] else ""
        yield printable(f"      {frame['file']}:{frame['line']} {frame['function']}{code}")
    yield f"      {_raised(last)}"
    for later, one in zip(reversed(group["chain"]), reversed(group["chain"][:-1]), strict=False):
        if (word := _LINKS.get(later["link"])) is not None:
            yield f"      {word} {_raised(one)}{_at(one)}"


def _raised(link: dict[str, Any]) -> str:
    """An exception with its message, of which each line stands for itself."""
    first, *more = (link["message"] or "").splitlines()[:_MOST_MESSAGE_LINES] or [""]
    head = printable(f"{link['exception'] or 'cut short'}{f': {first}' if first else ''}")
    return "\n".join([head, *(f"        {printable(line)}" for line in more)])


def _at(link: dict[str, Any]) -> str:
    if not link["frames"]:
        return ""
    frame = link["frames"][-1]
    return printable(f" ({frame['file']}:{frame['line']} {frame['function']})")


def _unseen(found: dict[str, Any]) -> Iterator[str]:
    unseen = found["unseen"]
    by_server, by_client = unseen["by_server"], unseen["by_client"]
    if unseen["known"] and by_server["count"]:
        answered = f", {by_server['answered']:,} of them answered" if by_server["answered"] else ""
        yield (
            f"  {_without_line(by_server)}: {by_server['count']:,} of {unseen['expected']:,} requests{answered}"
            f"{_paths(by_server['paths'])}"
        )
    if by_client["count"]:
        requests = "1 request" if by_client["count"] == 1 else f"{by_client['count']:,} requests"
        yield f"  {other_traffic(by_client)}: {requests}{_paths(by_client['paths'])}"
    if unseen.get("perhaps_same"):
        yield f"  {PERHAPS_SAME}"


def other_traffic(by_client: dict[str, Any]) -> str:
    """What the server's lines are that belong to no recorded request."""
    if by_client.get("calls"):
        return "Requests of the clients' own code, and other traffic, on the server during the load"
    return "Other traffic on the server during the load"


def _without_line(by_server: dict[str, Any]) -> str:
    """A line is written when a request ends: what a client gave up may be in work to the end of the recording."""
    unfinished = by_server["unfinished"]
    if not unfinished:
        return "Never seen by the server"
    if unfinished == by_server["count"]:
        return "Never seen by the server, or cut off, or in work when the recording ended"
    return (
        f"Never seen by the server (or, {unfinished:,} of them, cut off or in work when the recording ended)"
    )


def _paths(paths: list[dict[str, Any]]) -> str:
    shown = [
        f"{printable(one['method'] or '?')} {printable(one['path'])} {one['count']:,}"
        for one in paths[:_MOST_PATHS]
    ]
    more = ", …" if len(paths) > _MOST_PATHS else ""
    return f" ({', '.join(shown)}{more})" if shown else ""


def _split(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    several = len({row["load"] for row in rows}) > 1
    body = [
        [
            printable(f"{row['load']}: {row['name']}" if several else row["name"]),
            str(row["count"]),
            *(fixed(row[f"{part}_{quantile}_ms"]) for part in _PARTS for quantile in _QUANTILES),
        ]
        for row in rows[:_MOST_NAMES]
    ]
    heads = [
        f"{part} {quantile}" if quantile == "mean" else quantile for part in _PARTS for quantile in _QUANTILES
    ]
    return [
        "",
        "Where response times were spent (msec; server: as its access log says; outside of it: queues, network, proxies)",
        *table(["", "count", *heads], body),
    ]
