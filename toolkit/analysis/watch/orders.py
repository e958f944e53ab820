"""What gunicorn's arbiter was told to do, and which workers that ended or made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.analysis.watch.causes import BOOT_CODES, CERTAIN, LIKELY, Cause, exit_signal
from toolkit.analysis.watch.lives import LOOK_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.analysis.watch.lives import Life
    from toolkit.analysis.watch.log_lines import LogLine

_SHUTDOWNS = ("term", "int", "quit", "shutdown", "arbiter_failed")
_TAKE_OVERS = ("term", "quit", "int", "winch", "graceful_stop", "shutdown")
_BOOT_NS = 15 * SECOND_NS
"""New workers of a reload, and a new arbiter, are there within so long."""
_DRAIN_NS = 120 * SECOND_NS
"""Old workers have ended by then: the graceful timeout and the timeout are 30 s each unless they were set."""
_PATTERN_NS = 35 * SECOND_NS
_MOST_COMPARED = 2000


class Orders:
    """The orders of one server's log, and what can be told without any."""

    def __init__(self, lines: Iterable[LogLine], lives: list[Life]) -> None:
        self._lives = lives
        told: dict[str, list[LogLine]] = {}
        for line in lines:
            told.setdefault(line.event, []).append(line)
        self._told = told
        self._hups = told.get("hup", [])
        self._upgrades = told.get("usr2", [])
        self._starts = [line for name in ("starting", "listening") for line in told.get(name, [])]
        self._shutdowns = sorted(
            (line for name in _SHUTDOWNS for line in told.get(name, [])), key=lambda line: line.t_ns
        )
        self._fewer = _credit(lives, _of_one_source(told.get("ttou", [])))
        self._reloaded = _reloaded(lives, _of_one_source(self._hups))
        self._replaced = _replacements(lives) if not self._hups and not self._upgrades else {}

    def explain(self, life: Life) -> Cause | None:
        """The order that ended a worker; the newest that can have."""
        if line := life.line("orphaned"):
            return Cause("shutdown", "its arbiter was gone, and it ended", CERTAIN, line)
        if line := life.line("code_changed"):
            return Cause("reload", "a source file changed, and gunicorn reloads (--reload)", CERTAIN, line)
        return (
            self._upgrade_of(life) or self._shutdown(life) or self._fewer.get(id(life)) or self._hup_of(life)
        )

    def unsaid(self, life: Life) -> Cause | None:
        """What the order of births and deaths alone suggests, where no line says anything."""
        return self._replaced.get(id(life))

    def shutdown_of(self, life: Life) -> LogLine | None:
        """The order to end that this worker died of."""
        died_ns = life.died_ns or 0
        for line in reversed(self._shutdowns):
            if self._began_ns(line) > died_ns + SECOND_NS or not _before(life, line):
                continue
            started_again = any(line.t_ns < start.t_ns <= life.born_ns for start in self._starts)
            mine = not any(line.pid is not None and line.pid == other for other in self._other_arbiters(life))
            if not started_again and mine:
                return line
        return None

    def _began_ns(self, line: LogLine) -> int:
        """When the end began. Gunicorn that ends as a worker exited with the code of a failed boot tells the others to end at
        once, and writes `Shutting down` when all have.
        """
        if self._words_near(line) != {"boot_failed"}:
            return line.t_ns
        exits = [
            other.t_ns
            for other in self._told.get("worker_exited", [])
            if other.exit_code in BOOT_CODES and 0 <= line.t_ns - other.t_ns <= _PATTERN_NS
        ]
        return min(exits, default=line.t_ns)

    def _words_near(self, line: LogLine) -> set[str]:
        return {
            name
            for name in ("term", "int", "quit", "boot_failed")
            for other in self._told.get(name, [])
            if abs(other.t_ns - line.t_ns) <= SECOND_NS or other is line
        }

    def _other_arbiters(self, life: Life) -> set[int]:
        """Arbiters that this worker cannot be of: the new one where it was born before an upgrade, else the old one."""
        found: set[int] = set()
        for upgrade in self._upgrades:
            if upgrade.pid is None:
                continue
            if _before(life, upgrade):
                found |= {
                    start.pid
                    for start in self._starts
                    if start.pid not in (None, upgrade.pid) and start.t_ns >= upgrade.t_ns
                }
            else:
                found.add(upgrade.pid)
        return found

    def _shutdown(self, life: Life) -> Cause | None:
        line = self.shutdown_of(life)
        if line is None:
            return None
        return Cause("shutdown", self._how_it_ended(line), CERTAIN, line)

    def _how_it_ended(self, line: LogLine) -> str:
        """`Shutting down` is written by one that was told to end and by one that ends by itself alike."""
        if line.event == "arbiter_failed":
            return "gunicorn ended by itself: its arbiter failed"
        near = self._words_near(line)
        if line.event == "shutdown" and near == {"boot_failed"}:
            return "gunicorn ended by itself, as a worker could not boot"
        return "gunicorn was told to end" if near else "gunicorn ended"

    def _upgrade_of(self, life: Life) -> Cause | None:
        died_ns = life.died_ns or 0
        for upgrade in reversed(self._upgrades):
            if upgrade.t_ns > died_ns + SECOND_NS or not _before(life, upgrade):
                continue
            for name in _TAKE_OVERS:
                for line in self._told.get(name, []):
                    of_old = upgrade.pid is None or line.pid is None or line.pid == upgrade.pid
                    if of_old and upgrade.t_ns <= line.t_ns <= died_ns + LOOK_NS:
                        words = "gunicorn was upgraded (USR2), and the old arbiter ended its workers"
                        return Cause("usr2", words, CERTAIN, upgrade)
        return None

    def _hup_of(self, life: Life) -> Cause | None:
        died_ns = life.died_ns or 0
        for line in reversed(self._hups):
            if line.t_ns <= died_ns + SECOND_NS and _before(life, line):
                words = "gunicorn was told to reload (HUP), which replaces every worker"
                return Cause("hup", words, CERTAIN if died_ns - line.t_ns <= _DRAIN_NS else LIKELY, line)
        return None

    def birth_of(self, life: Life) -> Cause | None:
        """The order that a worker was made by."""
        if line := self._reloaded.get(id(life)):
            return Cause("hup", "gunicorn reloaded (HUP)", LIKELY, line)
        for event, words, within_ns in (
            ("usr2", "a new gunicorn was started (USR2)", _BOOT_NS),
            ("ttin", "gunicorn was told to have one worker more (TTIN)", LOOK_NS),
            ("starting", "gunicorn started", _BOOT_NS),
        ):
            for line in reversed(self._told.get(event, [])):
                if not _before(life, line) and 0 <= life.born_ns + SECOND_NS - line.t_ns <= within_ns:
                    return Cause("started" if event == "starting" else event, words, LIKELY, line)
        return None


def _before(life: Life, line: LogLine) -> bool:
    """Whether the worker was born before this line: by the order in one log where both stand in it, else by the clock."""
    if life.there:
        return True
    booting = life.line("booting")
    if booting is not None and booting.source == line.source:
        return booting.position < line.position
    return life.born_ns < line.t_ns


def _reloaded(lives: list[Life], orders: list[LogLine]) -> dict[int, LogLine]:
    """The workers that each HUP made: at once as many as there were. Those that come later replace others."""
    found: dict[int, LogLine] = {}
    for line in orders:
        there = sum(
            _before(life, line) and (life.died_ns is None or life.died_ns >= line.t_ns) for life in lives
        )
        born = sorted(
            (
                life
                for life in lives
                if not _before(life, line) and 0 <= life.born_ns + SECOND_NS - line.t_ns <= _BOOT_NS
            ),
            key=lambda life: (life.born_ns, life.pid),
        )
        found |= {id(life): line for life in born[: there or None] if id(life) not in found}
    return found


def _of_one_source(lines: list[LogLine]) -> list[LogLine]:
    """The lines of the log that has most of them: a file and a journal may hold the same."""
    by_source: dict[int, list[LogLine]] = {}
    for line in lines:
        by_source.setdefault(line.source, []).append(line)
    return max(by_source.values(), key=len, default=[])


def _credit(lives: list[Life], orders: list[LogLine]) -> dict[int, Cause]:
    """Each TTOU ends one worker, the oldest that is left."""
    found: dict[int, Cause] = {}
    words = "gunicorn was told to have one worker less (TTOU)"
    for line in orders:
        candidates = [
            life
            for life in lives
            if life.died_ns is not None
            and id(life) not in found
            and _before(life, line)
            and line.t_ns - SECOND_NS <= life.died_ns <= line.t_ns + _DRAIN_NS
            and not life.line("timeout", "max_requests")
            and exit_signal(life) in (None, "SIGTERM")  # what gunicorn sends for it
        ]
        if not candidates:
            continue
        first = min(candidates, key=lambda life: (life.died_ns or 0, life.born_ns))
        older = any(
            other is not first
            and id(other) not in found
            and other.born_ns < first.born_ns
            and (other.died_ns is None or other.died_ns > line.t_ns)
            for other in lives
        )
        found[id(first)] = Cause("ttou", words, LIKELY if older else CERTAIN, line)
    return found


def _replacements(lives: list[Life]) -> dict[int, Cause]:
    """Deaths that look like a reload (new workers first, then all the old ones end) or like an end (all end, none is born)."""
    found: dict[int, Cause] = {}
    if len(lives) > _MOST_COMPARED:
        return found
    dead = sorted(
        (life for life in lives if life.died_ns is not None), key=lambda life: (life.died_ns or 0, life.pid)
    )
    for group in _groups(dead):
        first_ns, last_ns = group[0].died_ns or 0, group[-1].died_ns or 0
        alive = [life for life in lives if life.died_ns is None or life.died_ns >= first_ns]
        old = [life for life in alive if life.there or life.born_ns < first_ns - _PATTERN_NS]
        if not old or not {id(life) for life in old} <= {id(life) for life in group}:
            continue
        new = [life for life in alive if life not in old]
        # Seen together with the old ones: a time of creation may be a second off, and max_requests may end all at once.
        early = [life for life in new if life.seen_ns < first_ns]
        if len(old) > 1 and len(early) >= len(old):
            words = (
                "as many new workers came, then all old ones ended: as on a reload (HUP) or an upgrade (USR2)"
            )
            found |= {id(life): Cause("hup", words, LIKELY) for life in old}
        elif not new and last_ns - first_ns <= _PATTERN_NS:
            words = "all workers ended and none came: as when gunicorn ends"
            found |= {id(life): Cause("shutdown", words, LIKELY) for life in old}
    return found


def _groups(dead: list[Life]) -> list[list[Life]]:
    groups: list[list[Life]] = []
    for life in dead:
        if groups and (life.died_ns or 0) - (groups[-1][-1].died_ns or 0) <= _PATTERN_NS:
            groups[-1].append(life)
        else:
            groups.append([life])
    return groups
