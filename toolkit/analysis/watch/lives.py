"""Which worker lived when: as the agent saw it, else as the metrics or gunicorn's log show it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.salvage import salvage_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from toolkit.analysis.watch.log_lines import LogLine
    from toolkit.analysis.watch.metric_tables import Key, Watched

SECOND_NS = 1_000_000_000
LOOK_NS = 3 * SECOND_NS
"""The agent looks once a second: what it sees happened at most so long before."""
_ENDS = ("exiting", "killed", "worker_exited")
_MOST_LIVES = 100_000
_CLOCK_SET_S = 2.0
_LARGEST_PID = 2**31
_LATEST_NS = 2**62


@dataclass(eq=False)
class Life:
    """One worker from birth to death. Times are the controller's, in nanoseconds."""

    pid: int
    create_time: float | None
    """Seconds since the epoch on the server's clock, as the agent tells it; None where only a log names the worker."""
    born_ns: int
    there: bool
    """It was there when watching began."""
    seen_ns: int
    """First seen."""
    died_ns: int | None = None
    gone_ns: int | None = None
    """The agent saw then that it was gone; None where it saw none of it."""
    last_alive_ns: int | None = None
    """Seen alive then."""
    exit: dict[str, Any] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)
    """What gunicorn's log says of this PID while it lived, in order."""

    def line(self, *events: str) -> LogLine | None:
        """The first of its lines that is one of these events."""
        return next((line for line in self.lines if line.event in events), None)

    @property
    def end_line(self) -> LogLine | None:
        """The arbiter's word on its end: the last, as it ends once; one that cannot be a quotation before one that can."""
        said = [line for line in self.lines if line.event in ("killed", "worker_exited")]
        surely = [line for line in said if not line.perhaps_quoted]
        return next(reversed(surely or said), None)


@dataclass
class Births:
    """What `workers.jsonl` held."""

    lives: list[Life]
    records: int = 0
    unreadable: int = 0
    whole: bool = True


def recorded_lives(path: Path, scratch: Path, offset_ns: int, watched: Watched) -> Births:
    """Read `workers.jsonl`; without one, take the lives from the metrics."""
    if not path.is_file():
        return Births(_measured_lives(watched))
    found = Births([], whole=salvage_lines(path, scratch))
    roll = _Roll(offset_ns, watched)
    with scratch.open("rb") as lines:
        for text in lines:
            line = _parsed(text)
            if line is None:
                found.unreadable += 1
                continue
            found.records += 1
            t_ns = line["t_ns"] + offset_ns
            for key, _ in _workers(line.get("born")):
                roll.born(key, t_ns, there=found.records == 1)
            for key, said in _workers(line.get("died")):
                roll.died(key, t_ns, said.get("exit"))
    found.lives = roll.lives
    return found


class _Roll:
    """Calls the workers: who is there, who is gone."""

    def __init__(self, offset_ns: int, watched: Watched) -> None:
        self.lives: list[Life] = []
        self._living: dict[int, Life] = {}
        self._offset_ns = offset_ns
        self._processes = watched.processes
        self._arbiters = {key for key, (role, _, _) in watched.processes.items() if role == "arbiter"}

    def born(self, key: Key, t_ns: int, *, there: bool) -> None:
        """The agent says so of everyone it knows, whenever somebody begins to listen."""
        known = self._living.get(key[0])
        if key in self._arbiters or (known is not None and _same(known, key)):
            return
        if known is not None:  # its PID is used again
            known.died_ns = max(t_ns, known.born_ns)
        self._add(key, t_ns, there=there)

    def died(self, key: Key, t_ns: int, how: object) -> None:
        """One that was never said to be born was there all the time."""
        if key in self._arbiters:
            return
        known = self._living.get(key[0])
        if known is None or not _same(known, key):
            known = self._add(key, t_ns, there=True)
        self._living.pop(key[0], None)
        known.died_ns = known.gone_ns = max(t_ns, known.born_ns)
        known.last_alive_ns = self._processes.get(key, [None, None, None])[2]
        known.exit = how if isinstance(how, dict) else {}

    def _add(self, key: Key, t_ns: int, *, there: bool) -> Life:
        life = _born(key, t_ns, self._offset_ns, there=there)
        if len(self.lives) < _MOST_LIVES:
            self.lives.append(life)
            self._living[key[0]] = life
        return life


def _same(life: Life, key: Key) -> bool:
    """The time of a process's creation moves a little where the machine's clock is set."""
    return abs((life.create_time or 0.0) - key[1]) <= _CLOCK_SET_S


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or type(line.get("t_ns")) is not int:
        return None
    return line if abs(line["t_ns"]) < _LATEST_NS else None


def _workers(listed: object) -> Iterator[tuple[Key, dict[str, Any]]]:
    for worker in listed if isinstance(listed, list) else []:
        if not isinstance(worker, dict):
            continue
        pid, born = worker.get("pid"), worker.get("create_time")
        if type(pid) is not int or not 0 < pid < _LARGEST_PID or worker.get("title") in _OTHERS:
            continue
        known = type(born) in (int, float) and 0 <= born < 2**40  # type: ignore[operator]
        yield (pid, float(born) if known else 0.0), worker  # type: ignore[arg-type]


_OTHERS = ("arbiter", "dirty", "resource tracker")


def _born(key: Key, seen_ns: int, offset_ns: int, *, there: bool) -> Life:
    created_ns = round(key[1] * 1e9) + offset_ns
    # Exact where it is one that the look can have missed until then; a clock that was set makes it anything.
    exact = there or seen_ns - LOOK_NS <= created_ns <= seen_ns
    return Life(key[0], key[1] or None, created_ns if exact and key[1] else seen_ns, there, seen_ns)


def _measured_lives(watched: Watched) -> list[Life]:
    workers = {key: seen for key, seen in watched.processes.items() if seen[0] == "worker"}
    first_ns = min((seen[1] for seen in workers.values()), default=0)
    found = []
    for key, (_, from_ns, to_ns) in list(workers.items())[:_MOST_LIVES]:
        life = Life(key[0], key[1] or None, from_ns, from_ns == first_ns, from_ns, last_alive_ns=to_ns)
        if watched.last_ns is not None and watched.last_ns - to_ns > LOOK_NS:
            life.died_ns = to_ns
        found.append(life)
    return sorted(found, key=lambda life: (life.born_ns, life.pid))


def add_log_lines(lives: list[Life], lines: Iterable[LogLine]) -> list[Life]:
    """Give each life its lines, and add the lives that only the log knows: too short for the agent to see.

    In a container gunicorn's log has the container's PIDs, which are not those that the agent sees: where the agent saw
    workers and the log names none of them, no life is made of it.
    """
    strangers = _give_lines(lives, lines)
    if lives and not any(life.lines for life in lives):
        return lives
    found = [*lives]
    for pid, said in strangers.items():
        if len(found) < _MOST_LIVES:
            # One that the agent never saw cannot have lived on.
            found += [life for life in _said_lives(pid, said) if life.died_ns is not None or not lives]
    for life in found:
        _sharpen(life)
    return sorted(found, key=lambda life: (not life.there, life.born_ns, life.pid))


def _give_lines(lives: list[Life], lines: Iterable[LogLine]) -> dict[int, list[LogLine]]:
    """Give each life the lines on it; returns those on no known life, by PID."""
    by_pid: dict[int, list[Life]] = {}
    for life in lives:
        by_pid.setdefault(life.pid, []).append(life)
    strangers: dict[int, list[LogLine]] = {}
    for line in lines:
        if line.pid is None:
            continue
        owner = _alive(by_pid.get(line.pid, []), line.t_ns)
        if owner is not None:
            owner.lines.append(line)
        elif line.event in (*_ENDS, "booting", "timeout", "max_requests"):
            strangers.setdefault(line.pid, []).append(line)
    return strangers


def _alive(lives: list[Life], t_ns: int) -> Life | None:
    for life in reversed(lives):
        until_ns = life.died_ns + LOOK_NS if life.died_ns is not None else _LATEST_NS
        if (life.there or life.born_ns - LOOK_NS <= t_ns) and t_ns <= until_ns:
            return life
    return None


def _said_lives(pid: int, lines: list[LogLine]) -> Iterator[Life]:
    """Lives of a PID that the agent never saw; a line of any other kind alone is not worth one."""
    life: Life | None = None
    for line in lines:
        if line.event == "booting":
            if life is not None:
                yield life
            life = Life(pid, None, line.t_ns, there=False, seen_ns=line.t_ns)
        if life is not None:
            life.lines.append(line)
            if line.event in _ENDS:
                life.died_ns = line.t_ns
    if life is not None:
        yield life


def _sharpen(life: Life) -> None:
    """A birth and a death happened when the log says so, where that fits: the kernel's time of a creation may be a second off,
    and the agent sees a death up to a second later."""
    booting = life.line("booting")
    if booting is not None and not life.there and life.seen_ns - LOOK_NS <= booting.t_ns <= life.seen_ns:
        life.born_ns = booting.t_ns
    if life.died_ns is None or life.create_time is None:
        return
    told = [*reversed(life.lines)]
    for line in sorted(told, key=lambda line: line.perhaps_quoted):
        if line.event in _ENDS and life.died_ns - LOOK_NS <= line.t_ns <= life.died_ns + SECOND_NS:
            life.died_ns = min(line.t_ns, life.died_ns)
            return
