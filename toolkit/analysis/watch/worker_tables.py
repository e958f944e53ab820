"""Births and deaths, gunicorn's log, and the kernel's counts → worker_events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.building import Source
from toolkit.analysis.database import has_table, json_table, rows, write_json_lines
from toolkit.analysis.watch.causes import (
    LIKELY,
    UNKNOWN,
    Cause,
    Circumstances,
    cause_of_death,
    exit_code,
    exit_signal,
)
from toolkit.analysis.watch.credible import credible
from toolkit.analysis.watch.lives import LOOK_NS, Life, add_log_lines, recorded_lives
from toolkit.analysis.watch.log_lines import LogLine, read_log_lines
from toolkit.analysis.watch.memory_kills import MemoryKills
from toolkit.analysis.watch.metric_tables import Watched
from toolkit.analysis.watch.orders import Orders
from toolkit.recording.manifest import ServerEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from toolkit.analysis.building import Building
    from toolkit.recording.layout import ServerFolder

_COLUMNS = {
    "server": "VARCHAR",
    "t_ns": "BIGINT",
    "pid": "INTEGER",
    "create_time": "DOUBLE",  # seconds on the server's clock; null where only a log names the worker
    "what": "VARCHAR",  # there (when watching began), born, died
    "cause": "VARCHAR",
    "cause_words": "VARCHAR",
    "certainty": "VARCHAR",  # certain, likely, unknown
    "evidence": "VARCHAR",  # the log line, and what else says so
    "source": "INTEGER",  # of that line, as in `log_events`; null where there is none
    "position": "BIGINT",
}
_LONGEST = 300


def build_worker_tables(building: Building, watched: Mapping[str, Watched]) -> None:
    """Write the table `worker_events`. Reads `log_events`."""
    lines = read_log_lines(building.connection)
    events: list[dict[str, Any]] = []
    for server in building.run.servers():
        events += _events(building, server, watched.get(server.name, Watched()), lines.get(server.name, []))
    path = building.scratch / "worker_events.jsonl"
    write_json_lines(path, events)
    json_table(building.connection, "raw_worker_events", path, _COLUMNS)
    building.write("worker_events")


def _events(
    building: Building, server: ServerFolder, watched: Watched, lines: list[LogLine]
) -> Iterator[dict[str, Any]]:
    entries = {entry.name: entry for entry in building.manifest.servers}
    offset_ns = entries.get(server.name, ServerEntry(server.name, "")).offset_ns
    births = recorded_lives(server.workers, building.scratch / "workers.jsonl", offset_ns, watched)
    if births.unreadable or not births.whole:
        name = building.name_of(server.workers)
        problem = "" if births.whole else f"{name} could not be read to its end."
        building.sources.append(Source(name, births.records, births.unreadable, problem=problem))
    arbiters = {pid for (pid, _), (role, _, _) in watched.processes.items() if role == "arbiter"}
    lines = credible(lines, arbiters, {life.pid for life in births.lives})
    lives = add_log_lines(births.lives, lines)
    orders = Orders(lines, lives)
    deaths = [life for life in lives if life.died_ns is not None]
    around = Circumstances(
        orders,
        watched,
        memory=_memory_kills(watched, deaths),
        log_read=any(life.lines for life in lives) or bool(lines and not births.lives),
        log_followed=_followed(building, server.name),
        orders_logged=any(line.level in ("INFO", "DEBUG") for line in lines),
        orderly_ends_logged=any(line.event == "exiting" for line in lines),
        max_requests=_max_requests(entries.get(server.name)),
    )
    replaced = _Replaced(deaths)
    for life in lives:
        head = {"server": server.name, "pid": life.pid, "create_time": life.create_time}
        if life.there:
            first = Cause("started", "it was there when watching began", UNKNOWN)
        else:
            first = orders.birth_of(life) or replaced.by(life)
        born = (
            {"t_ns": life.seen_ns, "what": "there"} if life.there else {"t_ns": life.born_ns, "what": "born"}
        )
        yield {**head, **born, **_said(first)}
        if life.died_ns is not None:
            cause = cause_of_death(life, around)
            yield {**head, "t_ns": life.died_ns, "what": "died", **_said(cause)}


def _followed(building: Building, server: str) -> bool:
    """Whether a log of gunicorn's own was."""
    if not has_table(building.connection, "log_sources"):
        return False
    return bool(rows(building.connection, "log_tells_births", {"server": server})[0]["followed"])


def _max_requests(entry: ServerEntry | None) -> int:
    said = entry.facts.get("gunicorn") if entry is not None and isinstance(entry.facts, dict) else None
    value = said.get("max_requests") if isinstance(said, dict) else None
    return value if type(value) is int and 0 < value < 2**31 else 0


def _memory_kills(watched: Watched, deaths: list[Life]) -> MemoryKills:
    dead = [life for life in deaths if not life.line("timeout")]
    unsaid = [
        life
        for life in dead
        if exit_signal(life) is None
        and exit_code(life) is None
        and not life.line("exiting", "max_requests", "boot_failed")
    ]
    return MemoryKills(watched, [life for life in dead if exit_signal(life) == "SIGKILL"], unsaid)


class _Replaced:
    """Gunicorn makes a worker for each that died: told by the time alone."""

    def __init__(self, deaths: list[Life]) -> None:
        self._left = sorted(deaths, key=lambda life: life.died_ns or 0, reverse=True)

    def by(self, life: Life) -> Cause:
        """Why a worker was born that no order asked for; asked in order of birth."""
        while self._left and (self._left[-1].died_ns or 0) <= life.born_ns + LOOK_NS:
            dead = self._left.pop()
            if life.born_ns - (dead.died_ns or 0) <= LOOK_NS and dead is not life:
                return Cause("replaced", f"worker {dead.pid} had died", LIKELY)
        return Cause("unknown", "no order and no death before it is known", UNKNOWN)


def _said(cause: Cause) -> dict[str, Any]:
    line = cause.line
    quoted = (
        [f"{line.message[:_LONGEST]} ({line.file[-_LONGEST:]})" if line.file else line.message[:_LONGEST]]
        if line
        else []
    )
    return {
        "cause": cause.cause,
        "cause_words": cause.words,
        "certainty": cause.certainty,
        "evidence": "; ".join([*quoted, *([cause.evidence] if cause.evidence else [])]),
        "source": line.source if line else None,
        "position": line.position if line else None,
    }
