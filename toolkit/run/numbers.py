"""A set of whole numbers that mostly come in order, in the space of those that did not."""

from __future__ import annotations


class Numbers:
    """Of a run that lasts for hours, chunks that came are remembered; a set of them all would grow with it."""

    def __init__(self) -> None:
        self._below = 0  # all of these are in it
        self._others: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return 0 <= number < self._below or number in self._others

    def add(self, number: int) -> None:
        """Take it in; it may be there already."""
        if number in self:
            return
        self._others.add(number)
        while self._below in self._others:
            self._others.remove(self._below)
            self._below += 1
