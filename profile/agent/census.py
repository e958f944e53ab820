"""Who belongs to the chosen gunicorn: births, deaths and upgrades, looked at in one place and told once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

import clock
import procfs
import watch
from exits import Exits, Key

if TYPE_CHECKING:
    import trees

LOOK_S = 1.0
LOOK_AGAIN_S = 0.1  # after a death that was seen at once: a service whose workers die one after another is no reason to hurry

Say = Callable[[Dict[str, Any]], bool]


class Census:
    """The tree as it was last seen. `tick` must be called often; it looks once a second, and when a worker has ended.

    `looks` counts the looks, so that others can do their part after each. `gone` is true once no arbiter is left; the
    workers that outlive it are still followed.

    Args:
        tree: as it is now; its workers count as known.
        say: sends one message.
    """

    def __init__(self, tree: trees.Tree, say: Say) -> None:
        self.tree = tree
        self.looks = 0
        self.gone = False
        self._say = say
        self._exits = Exits()
        self._exits.follow(_keys(tree))
        self._look_at = time.monotonic() + LOOK_S
        self._looked_at = time.monotonic()

    @property
    def descriptor(self) -> int:
        """Readable when a worker or the arbiter has ended: `tick` then."""
        return self._exits.descriptor

    @property
    def wait_s(self) -> float:
        """How long the caller may sleep before the next `tick`."""
        return max(0.0, self._look_at - time.monotonic())

    def tick(self) -> None:
        """Look, if it is time."""
        now = time.monotonic()
        if self._exits.collect():
            self._look_at = min(self._look_at, max(now, self._looked_at + LOOK_AGAIN_S))
        if now >= self._look_at:
            self._looked_at, self._look_at = now, now + LOOK_S
            self.look()

    def look(self) -> None:
        """Look now, and tell what has changed."""
        before = _workers(self.tree)
        self.tree = self._now()
        after = _workers(self.tree)
        ending = tuple(before[key] for key in before if key not in after and _ending(*key))
        if ending:
            self._look_at = min(self._look_at, self._looked_at + LOOK_AGAIN_S)
            self.tree = self.tree._replace(workers=self.tree.workers + ending)
            after = _workers(self.tree)
        self.looks += 1
        born = [watch.as_worker(after[key]) for key in after if key not in before]
        died = [self._ended(before[key], key) for key in before if key not in after]
        self._exits.follow(_keys(self.tree))
        if born or died:
            self._tell(born, died)

    def tell_all(self) -> None:
        """Tell everyone who is there as born: what a listener that has just come must know."""
        self._tell([watch.as_worker(worker) for worker in self.tree.workers], [])

    def close(self) -> None:
        """Let go of the processes."""
        self._exits.close()

    def _now(self) -> trees.Tree:
        now = None if self.gone else watch.watched(self.tree.arbiter)
        if now is None and not self.gone:
            now = watch.successor(self.tree)
            self.gone = now is None
            if now is not None:
                text = "The upgrade is through: recording the arbiter %d." % now.arbiter.pid
                self._say({"type": "log", "message": text})
        if now is not None:
            return now
        left = [one for one in self.tree.workers if procfs.alive(one.pid, one.start_ticks)]
        return self.tree._replace(workers=tuple(left), successors=())

    def _ended(self, worker: trees.Process, key: Key) -> dict[str, Any]:
        row = watch.as_worker(worker)
        ended: Optional[Dict[str, int]] = self._exits.of(key)
        return row if ended is None else dict(row, exit=ended)

    def _tell(self, born: List[Dict[str, Any]], died: List[Dict[str, Any]]) -> None:
        self._say({"type": "workers", "born": born, "died": died, "t": clock.now_ns()})


def _keys(tree: trees.Tree) -> list[Key]:
    return [*_workers(tree), (tree.arbiter.pid, tree.arbiter.start_ticks)]


def _ending(pid: int, start_ticks: int) -> bool:
    """Whether it has given back its memory, and its command line with it, but has not ended: its code is not known yet."""
    return not procfs.raw_cmdline(pid) and procfs.alive(pid, start_ticks)


def _workers(tree: trees.Tree) -> dict[Key, trees.Process]:
    return {(worker.pid, worker.start_ticks): worker for worker in tree.workers}
