"""Busy workers and threads, from the stacks: whether a thread is inside a request, by the frames above it.

A thread is inside a request while one of gunicorn's (or uvicorn's) functions that serve one connection is on its stack. Then
it is occupied: computing, waiting for a database, or sending to a slow client. A thread that waits in `accept`, `select`, a
pool's `get`, or is no server thread at all, has none of them. Of the wall view, as it alone sees threads that wait.
Event loops (gevent, asgi, uvicorn, tornado) put a request that waits off the stack: there it says how much of the time the
loop itself was in a request's code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.database import rows
from toolkit.analysis.frames import function_of

if TYPE_CHECKING:
    import duckdb

_SERVES = (
    # Of gunicorn's own worker classes, and of classes that build upon them.
    (
        re.compile(r"gunicorn/workers/\w+\.py"),
        {"handle", "handle_request", "handle_http2", "handle_http2_request"},
    ),
    (
        re.compile(r"gunicorn/asgi/protocol\.py"),
        {"_handle_http_request", "_serve_http_request", "_handle_websocket", "_handle_connection_uwsgi"},
    ),
    (re.compile(r"uvicorn/protocols/\w+/\w+\.py"), {"run_asgi"}),
    (re.compile(r"tornado/web\.py"), {"_execute"}),
)
_POOL_OF_LOOP = re.compile(r"anyio/_backends/_asyncio\.py")
"""Where an ASGI framework runs what is not `async`: its threads have no frame of the server's."""
_WAITS_FOR_WORK = {("get", "queue.py"), ("wait", "threading.py")}
_EVENT_LOOPS = ("gevent", "eventlet", "asgi", "uvicorn", "tornado")


@dataclass
class Busy:
    """How occupied the workers of one server were, chunk by chunk."""

    chunks: list[dict[str, Any]] = field(default_factory=list)
    """`{"start_ns", "end_ns", "workers": {pid: share}, "threads": {pid: number}}` in time. A worker's share: of the samples
    of it in which one of its threads or more was inside a request; `threads`: how many of its threads were, on average."""
    reason: str = ""
    """Why there are no chunks; empty where there are."""


def busy_from_stacks(
    connection: duckdb.DuckDBPyConnection,
    server: str,
    wall: dict[str, Any] | None,
    worker_class: str | None,
) -> Busy:
    """What the wall view of a server says.

    Args:
        connection: open tables.
        server: as named in the plan.
        wall: that view of the summary's; None where there is none.
        worker_class: as far as it is known.
    """
    if wall is None or wall["view"] != "wall" or not wall["chunks"]:
        return Busy(reason="no wall view was recorded")
    if not wall["valid"]:
        return Busy(reason="the wall view would not be true")
    of = {"server": server}
    frames = [row["frame"] for row in rows(connection, "wall_frames", of)]
    serving = [frame for frame in frames if serves(frame)]
    if not serving and not _known(worker_class):
        return Busy(
            reason="no thread was seen in a request, and of this worker class it is not known how that looks"
        )
    asked = {
        **of,
        "serving": serving,
        "pooled": [frame for frame in frames if _pooled(frame)],
        "waiting": [frame for frame in frames if _waits(frame)],
    }
    chunks: dict[int, dict[str, Any]] = {}
    for row in rows(connection, "busy_threads", asked):
        chunk = chunks.setdefault(
            row["seq"],
            {"start_ns": row["start_ns"], "end_ns": row["end_ns"], "workers": {}, "threads": {}},
        )
        chunk["workers"][row["pid"]] = row["share"]
        chunk["threads"][row["pid"]] = row["threads"]
    timed = [chunk for chunk in chunks.values() if chunk["start_ns"] and chunk["end_ns"]]
    if not timed:
        return Busy(reason="no chunk of the wall view can be used")
    return Busy(sorted(timed, key=lambda chunk: (chunk["start_ns"], chunk["end_ns"])))


def on_an_event_loop(worker_class: str | None) -> bool:
    """Whether requests of this worker class wait off the stack."""
    return worker_class is not None and any(name in worker_class.lower() for name in _EVENT_LOOPS)


def _known(worker_class: str | None) -> bool:
    name = (worker_class or "").lower()
    return any(known in name for known in ("sync", "gthread", "threadworker", *_EVENT_LOOPS))


def serves(frame: str) -> bool:
    """Whether this frame's function serves one connection."""
    function = function_of(frame)
    file = function.short_file.replace("\\", "/")
    name = function.name.rpartition(".")[2]  # qualified since Python 3.11
    return any(name in names and pattern.fullmatch(file) for pattern, names in _SERVES)


def _pooled(frame: str) -> bool:
    function = function_of(frame)
    file = function.short_file.replace("\\", "/")
    return function.name.rpartition(".")[2] == "run" and _POOL_OF_LOOP.fullmatch(file) is not None


def _waits(frame: str) -> bool:
    function = function_of(frame)
    return (function.name.rpartition(".")[2], function.short_file) in _WAITS_FOR_WORK
