"""Looks for a gunicorn's logs: once at the start, then now and again, some descriptors at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

import log_journal
import log_paths
import log_places
import log_settings
from log_places import Place

if TYPE_CHECKING:
    import trees

EVERY_S = 10.0  # what the processes hold open
SOON_S = 0.25  # after a worker was born; again later, for what its first request opens
STEP = 150  # descriptors at a time
NAMES_EVERY_S = 2.0  # the wildcards of the plan
_FIRST = 20000
_MOST_NOTES = 12


class Search:
    """Finds places, not knowing which of them are followed already.

    Args:
        tree: the gunicorn.
        wanted: what the controller asked for.

    Attributes:
        notes: what was passed over, what cannot be followed.
        root: what the service's paths lie behind (see log_paths).
    """

    def __init__(self, tree: trees.Tree, wanted: Dict[str, Any]) -> None:
        self.notes: List[str] = []
        self._tree = tree
        self._find = bool(wanted.get("find", True))
        self._files = log_places.wanted_list(wanted, "files")
        self._units = log_places.wanted_list(wanted, "units")
        self._settings = log_settings.of_tree(tree)
        self._open_files = log_places.OpenFiles()
        self._pass: Optional[Iterator[Optional[Place]]] = None
        self._due = self._names_due = time.monotonic()
        self._soon = 0

    @property
    def root(self) -> str:
        """Nothing, a chroot, or a container's."""
        return self._settings.root

    def first(self) -> Iterator[Place]:
        """Everything there is at the start."""
        for unit in self._units:
            yield Place("journal", log_journal.unit_name(unit), "", "named in the plan", None)
        by_settings = log_places.by_settings(self._tree, self._settings)
        told = {(place.root, place.path): place for place in by_settings.places}
        if self._find:
            self.notes.extend(by_settings.notes)
            yield from by_settings.places
        for place in log_places.named(self._files, self._settings):
            known = told.get((place.root, place.path))
            yield place._replace(role=known.role, format=known.format) if known else place
        if self._find:
            for number, found in enumerate(self._open_files.search(self._tree, self.root)):
                if found is not None:
                    yield found
                if number > _FIRST:
                    break
            self._note_passed_over()

    def _note_passed_over(self) -> None:
        passed = self._open_files.passed_over
        if passed:
            more = " and %d more" % (len(passed) - _MOST_NOTES) if len(passed) > _MOST_NOTES else ""
            self.notes.append("Passed over: %s%s." % (", ".join(passed[:_MOST_NOTES]), more))

    def later(self) -> Iterator[Place]:
        """What may have turned up since; some of the work that is due."""
        now = time.monotonic()
        if self._files and now >= self._names_due:
            self._names_due = now + NAMES_EVERY_S
            named = [item for item in self._files if log_places.is_pattern(item)]
            yield from log_places.named(named, self._settings)
        if not self._find:
            return
        if self._pass is None and now >= self._due:
            self._pass = self._open_files.search(self._tree, self.root)
        if self._pass is not None:
            yield from self._some(self._pass, now)

    def _some(self, search: Iterator[Optional[Place]], now: float) -> Iterator[Place]:
        for _ in range(STEP):
            try:
                found = next(search)
            except StopIteration:
                self._pass = None
                self._due = now + (1.0 if self._soon > 0 else EVERY_S)
                self._soon -= 1
                return
            if found is not None:
                yield found

    def follow(self, tree: trees.Tree) -> bool:
        """Workers came or went; whether the root has changed, because a container's arbiter is another one now."""
        before = self.root
        if tree.arbiter.pid != self._tree.arbiter.pid:
            self._settings = self._settings._replace(root=log_paths.root_of(tree.arbiter.pid))
        self._tree = tree
        self._pass = None
        self._due = time.monotonic() + SOON_S
        self._soon = 2
        return before != self.root
