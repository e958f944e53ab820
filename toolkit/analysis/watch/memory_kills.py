"""Which workers the kernel killed for lack of memory: each growth of its count explains as many deaths as it grew by.

The count has no PIDs, and a cgroup or a host holds other processes too: it says how many were killed between two lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.watch.lives import LOOK_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.analysis.watch.lives import Life
    from toolkit.analysis.watch.metric_tables import OomKill, Watched

_DYING_NS = SECOND_NS // 2
"""The kernel counts first; so much later a process with much memory may still be seen."""


class Explained(NamedTuple):
    """The growth of the kernel's count that a death is put down to."""

    scope: str
    """service or host"""
    kills: float
    sure: bool
    """Nobody else can have been it: no more were killed by SIGKILL meanwhile than the kernel counted in the own cgroup."""


class MemoryKills:
    """The kernel's kills of one server, handed out to those that died.

    Args:
        by_sigkill: the workers that died by SIGKILL.
        unsaid: those of which nobody knows how; they get what the others leave.
    """

    def __init__(self, watched: Watched, by_sigkill: list[Life], unsaid: list[Life]) -> None:
        self._watched = watched
        self._found: dict[int, Explained] = {}
        self._rivals: set[int] = set()
        for scope in ("service", "host"):
            for kill in watched.oom_kills:
                if kill.scope == scope:
                    self._hand_out(kill, by_sigkill, unsaid)

    def of(self, life: Life) -> Explained | None:
        """What explains a death; None where nothing does."""
        return self._found.get(id(life))

    def went_to_others(self, life: Life) -> bool:
        """The kernel killed as it died, and that explains as many other deaths."""
        return id(life) in self._rivals

    def _hand_out(self, kill: OomKill, by_sigkill: list[Life], unsaid: list[Life]) -> None:
        killed, others = self._candidates(kill, by_sigkill), self._candidates(kill, unsaid)
        sure = kill.scope == "service" and len(killed) <= kill.kills
        # The one that would fit nothing later first; those that fit but for the slack last.
        waiting = [
            life
            for group in (killed, others)
            for life in sorted(group, key=lambda life: (_outside_ns(life, kill), life.died_ns or 0, life.pid))
            if id(life) not in self._found
        ]
        count = int(min(kill.kills, len(waiting)))
        for life in waiting[:count]:
            known = life in killed
            self._found[id(life)] = Explained(kill.scope, kill.kills, sure=sure and known)
            self._rivals.discard(id(life))
        self._rivals |= {id(life) for life in waiting[count:]}

    def _candidates(self, kill: OomKill, lives: Iterable[Life]) -> list[Life]:
        return [
            life
            for life in lives
            if _outside_ns(life, kill) <= _DYING_NS
            and not (kill.scope == "host" and self._own_group_counted(life))
        ]

    def _own_group_counted(self, life: Life) -> bool:
        died_ns = life.died_ns or 0
        return any(from_ns <= died_ns <= to_ns for from_ns, to_ns in self._watched.own_oom_counted)


def _outside_ns(life: Life, kill: OomKill) -> int:
    """How far the time in which it died is from the one in which the kernel killed; 0 where they overlap."""
    died_ns = life.died_ns or 0
    if life.gone_ns is None:  # known from a log, by the second
        from_ns, to_ns = died_ns - SECOND_NS, died_ns + SECOND_NS
    else:
        from_ns = max(life.last_alive_ns or life.born_ns, life.gone_ns - LOOK_NS)
        to_ns = life.gone_ns
    if to_ns < kill.from_ns:
        return LOOK_NS  # it was gone before
    return max(0, from_ns - kill.to_ns)
