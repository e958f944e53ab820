"""The agents' metrics lines → metrics: gauges as they are, counters as growth per second.

Read line by line in Python, not by DuckDB: a line may hold anything, and what is wrong with it is to be counted, not to
empty the line. Growth is computed here too, as a line's processes stand beside those of the line before.
"""

from __future__ import annotations

import json
from array import array
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from toolkit.analysis.building import Source
from toolkit.analysis.database import read_csv
from toolkit.analysis.salvage import salvage_lines
from toolkit.recording.manifest import ServerEntry
from toolkit.recording.metric_fields import COUNTER, HOST, PROCESS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import TextIO

    from toolkit.analysis.building import Building
    from toolkit.recording.metric_fields import Metric

_SCOPES = {"host": HOST, "service": SERVICE, "process": PROCESS}
_KEYS = {"host": 0, "service": 0, "process": 4}
"""How many keys of an object are no measured values: pid, create_time, role, state."""
_ROLES = ("arbiter", "worker")
_LARGEST = 2.0**64
_LARGEST_PID = 2**31
_HOUR_NS = 3_600_000_000_000
_LATEST_NS = 2**62
_OOM = (("host", "oom_kills"), ("service", "cgroup_oom_kills"))

Key = tuple[int, float]
"""PID and create_time (seconds, server's clock): one process, however often its PID is used again."""


@dataclass(frozen=True)
class OomKill:
    """A counter of processes killed for lack of memory grew between two lines."""

    scope: str
    """host, or service: the cgroup that gunicorn runs in."""
    from_ns: int
    to_ns: int
    kills: float


@dataclass
class Watched:
    """What of one server's metrics is needed beside the table."""

    oom_kills: list[OomKill] = field(default_factory=list)
    oom_counted: list[tuple[int, int]] = field(default_factory=list)
    """The times over which the host's counter was read, line by line, as (from, to)."""
    own_oom_counted: list[tuple[int, int]] = field(default_factory=list)
    """The same of the counter of the service's cgroup."""
    processes: dict[Key, list[Any]] = field(default_factory=dict)
    """Each process → [role, first seen (ns, controller's clock), last seen]."""
    last_ns: int | None = None
    gaps_ns: array[int] = field(default_factory=lambda: array("q"))
    """Between each line and the one before."""

    @property
    def longest_gap_ns(self) -> int:
        """Five intervals: over a longer gap no growth is told, as what happened in it is not known."""
        return round(5 * median(self.gaps_ns)) if self.gaps_ns else 0


class _Scope:
    """The columns of one scope's rows, and what is wrong with values."""

    def __init__(self, name: str, metrics: Mapping[str, Metric], sink: TextIO) -> None:
        self.fields = [(metric, said.kind == COUNTER) for metric, said in metrics.items()]
        self.keys = _KEYS[name]
        self.sink = sink
        self.wrong = 0
        self.unknown = 0

    def write(
        self, head: str, values: Mapping[str, Any], before: Mapping[str, Any] | None, gap_ns: int
    ) -> None:
        """One row; `before`: the same object of the line before, `gap_ns` earlier."""
        cells = [head]
        present = 0
        for name, counter in self.fields:
            value = values.get(name)
            if value is None:
                present += name in values
                cells.append("")
                continue
            present += 1
            if not _plausible(value):
                self.wrong += 1
                cells.append("")
            elif not counter:
                cells.append(repr(value))
            else:
                cells.append(_growth(before.get(name) if before else None, value, gap_ns))
        self.unknown += max(0, len(values) - present - self.keys)
        self.sink.write(",".join(cells))
        self.sink.write("\n")


def _plausible(value: object) -> bool:
    # `bool` is an `int`, and NaN compares as neither.
    return (type(value) is float or type(value) is int) and 0 <= value < _LARGEST


def _growth(before: object, value: float, gap_ns: int) -> str:
    if before is None or gap_ns <= 0 or not _plausible(before) or value < before:  # type: ignore[operator]
        return ""
    return repr((value - before) / gap_ns * 1e9)  # type: ignore[operator]


def build_metric_tables(building: Building) -> dict[str, Watched]:
    """Write the table `metrics`; returns what else was learnt, per server."""
    scratch = building.scratch
    servers = building.run.servers()
    found = {}
    with ExitStack() as stack:
        sinks = {
            scope: stack.enter_context((scratch / f"{scope}_metrics.csv").open("w", encoding="ascii"))
            for scope in _SCOPES
        }
        for number, server in enumerate(servers, 1):
            reader = _Reader(building, number, server.name, sinks)
            found[server.name] = reader.read(server.metrics)
    for scope, metrics in _SCOPES.items():
        of_process = {"pid": "INTEGER", "role": "VARCHAR"} if scope == "process" else {}
        columns = {"server_number": "INTEGER", "t_ns": "BIGINT", "gap_ns": "BIGINT", **of_process}
        columns |= dict.fromkeys(metrics, "DOUBLE")
        read_csv(building.connection, f"raw_{scope}_metrics", scratch / f"{scope}_metrics.csv", columns)
    counters = {
        f"{scope}_counters": [name for name, said in metrics.items() if said.kind == COUNTER]
        for scope, metrics in _SCOPES.items()
    }
    longest_ns = [watched.longest_gap_ns for watched in found.values()]
    names: dict[str, object] = {"servers": list(found) or [""], "longest_ns": longest_ns or [0]}
    building.write("metrics", {**names, **counters})
    return found


class _Reader:
    """Reads one server's lines."""

    def __init__(self, building: Building, number: int, server: str, sinks: Mapping[str, TextIO]) -> None:
        entries = {entry.name: entry for entry in building.manifest.servers}
        self._building = building
        self._number = number
        self._offset_ns = entries.get(server, ServerEntry(server, "")).offset_ns
        self._scopes = {name: _Scope(name, metrics, sinks[name]) for name, metrics in _SCOPES.items()}
        self._watched = Watched()
        self._before: dict[str, dict[str, Any]] = {}
        self._processes: dict[Key, dict[str, Any]] = {}
        self._at_ns: int | None = None
        self._nobody = 0
        started_ns = building.manifest.started_ns
        self._earliest = max(0, started_ns - _HOUR_NS) if started_ns > 0 else 0
        self._latest = started_ns + 30 * 24 * _HOUR_NS if started_ns > 0 else _LATEST_NS

    def read(self, path: Path) -> Watched:
        """Write the rows of all lines of `path`, and what was wrong with them to `sources`."""
        if not path.is_file():
            return self._watched
        plain = self._building.scratch / f"metrics-{self._number}.jsonl"
        whole = salvage_lines(path, plain)
        records = unreadable = implausible = 0
        with plain.open("rb") as lines:
            for text in lines:
                line = _parsed(text)
                if line is None:
                    unreadable += 1
                    continue
                t_ns = line["t_ns"] + self._offset_ns
                if not self._earliest <= t_ns <= self._latest:
                    implausible += 1
                    continue
                records += 1
                self._take(t_ns, line)
        plain.unlink()
        name = self._building.name_of(path)
        self._building.sources.append(
            Source(name, records, unreadable, implausible, self._problem(name, whole=whole))
        )
        return self._watched

    def _take(self, t_ns: int, line: dict[str, Any]) -> None:
        gap_ns = 0 if self._at_ns is None else t_ns - self._at_ns
        if gap_ns > 0:
            self._watched.gaps_ns.append(gap_ns)
        head = f"{self._number},{t_ns},{gap_ns if gap_ns > 0 else ''}"
        now = {scope: _object(line.get(scope)) for scope in ("host", "service")}
        for scope, values in now.items():
            self._scopes[scope].write(head, values, self._before.get(scope), gap_ns)
        self._note_oom_kills(now, t_ns)
        self._before = now
        self._processes = self._take_processes(t_ns, head, line.get("processes"), gap_ns)
        self._at_ns = self._watched.last_ns = t_ns

    def _take_processes(self, t_ns: int, head: str, listed: object, gap_ns: int) -> dict[Key, dict[str, Any]]:
        found: dict[Key, dict[str, Any]] = {}
        scope = self._scopes["process"]
        for process in listed if isinstance(listed, list) else []:
            key = _key(process)
            if key is None or key in found:
                self._nobody += 1
                continue
            found[key] = process
            role = process["role"]
            scope.write(f"{head},{key[0]},{role}", process, self._processes.get(key), gap_ns)
            seen = self._watched.processes.setdefault(key, [role, t_ns, t_ns])
            seen[2] = t_ns
        return found

    def _note_oom_kills(self, now: dict[str, dict[str, Any]], t_ns: int) -> None:
        if self._at_ns is None or t_ns <= self._at_ns:
            return
        for scope, name in _OOM:
            before, value = self._before[scope].get(name), now[scope].get(name)
            if not (_plausible(before) and _plausible(value)):
                continue
            if value > before:  # type: ignore[operator]
                kill = OomKill(scope, self._at_ns, t_ns, value - before)  # type: ignore[operator]
                self._watched.oom_kills.append(kill)
            watched = self._watched
            self._note_counted(watched.oom_counted if scope == "host" else watched.own_oom_counted, t_ns)

    def _note_counted(self, counted: list[tuple[int, int]], t_ns: int) -> None:
        if counted and counted[-1][1] == self._at_ns:
            counted[-1] = (counted[-1][0], t_ns)
        elif self._at_ns is not None:
            counted.append((self._at_ns, t_ns))

    def _problem(self, name: str, *, whole: bool) -> str:
        said = [] if whole else [f"{name} is cut short: what came before the cut was read."]
        wrong = sum(scope.wrong for scope in self._scopes.values())
        unknown = sum(scope.unknown for scope in self._scopes.values())
        left_out = [
            f"{count} {words}"
            for count, words in (
                (wrong, "values that are no plausible numbers"),
                (unknown, "values under names that this toolkit does not know"),
                (self._nobody, "processes that are none"),
            )
            if count
        ]
        if left_out:
            said.append(f"{name}: left out were {', '.join(left_out)}.")
        return " ".join(said)


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or type(line.get("t_ns")) is not int:
        return None
    return line if abs(line["t_ns"]) < _LATEST_NS else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _key(process: object) -> Key | None:
    if not isinstance(process, dict) or process.get("role") not in _ROLES:
        return None
    pid, born = process.get("pid"), process.get("create_time")
    if type(pid) is not int or not 0 < pid < _LARGEST_PID:
        return None
    return (pid, float(born)) if _plausible(born) else (pid, 0.0)  # type: ignore[arg-type]
