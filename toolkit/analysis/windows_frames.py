"""What a frame is called in a window, and what a stack becomes in each scope."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from toolkit.analysis.frames import Owner, function_of, line_of
from toolkit.analysis.windows_profile import NO_FRAME, Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SCOPES = ("all", "application", "package")
NO_APPLICATION = "(no application function)"

_OWNERS = (Owner.APPLICATION, Owner.LIBRARY, Owner.STANDARD, Owner.SERVER)
APPLICATION, _SERVER = 0, 3
_LONGEST = 400
_FROZEN = re.compile(r"<?frozen ([^.>]+)")


@lru_cache(maxsize=65536)
def frame_of(label: str) -> Frame:
    """The frame that a recorded label names: `handle (/srv/shop/views.py:12)`."""
    if label == NO_FRAME:
        return Frame(NO_FRAME, "", 0, _SERVER, NO_FRAME)
    function = function_of(label)
    file = function.short_file
    owner = _OWNERS.index(function.owner)
    package = package_of(file, owner) if file else function.name
    return Frame(
        _bounded(function.name),
        _bounded(file),
        line_of(label) or 0,
        owner,
        _bounded(package),
        _bounded(function.file),
    )


def package_of(short_file: str, owner: int) -> str:
    """What imports call it: `flask`, `json`; of an application the folder that the file lies in."""
    parts = [part for part in re.split(r"[/\\]", short_file) if part]
    if frozen := _FROZEN.match(short_file):
        return frozen[1]
    if owner == APPLICATION:
        return parts[-2] if len(parts) > 1 else "(application)"
    if short_file.startswith(("/", "\\")):  # /srv/venv/bin/gunicorn
        return parts[-1]
    return re.sub(r"\.(py|pyc|so)$|\.cpython-.*$|\.abi3\.so$", "", parts[0]) if parts else "(no package)"


@dataclass(frozen=True, slots=True)
class Naming:
    """How a stack is shown."""

    scope: str = "all"
    """One of `SCOPES`."""
    lines: bool = False
    recorded: bool = False
    """Whole paths of files, as recorded, instead of those below site-packages."""

    def labels(self, path: Sequence[Frame]) -> tuple[str, ...]:
        """The labels of a stack from root to leaf."""
        if self.scope == "package":
            return tuple(_merged(frame.package for frame in path))
        if self.scope == "application":
            path = [frame for frame in path if frame.owner == APPLICATION]
        return tuple(self.label(frame) for frame in path) or (NO_APPLICATION,)

    def by_number(self, frames: Sequence[Frame]) -> Callable[[Sequence[int]], tuple[str, ...]]:
        """As `labels`, of paths of numbers of `frames`, which may grow: each frame is labelled once."""
        if self.scope != "all":
            return lambda path: self.labels([frames[number] for number in path])
        known = _Labels(self, frames)
        return lambda path: tuple(map(known.__getitem__, path)) or (NO_APPLICATION,)

    def label(self, frame: Frame) -> str:
        """`func (file:line)`, `func (file)`, `func`; or the package."""
        if self.scope == "package":
            return frame.package
        file = frame.recorded_file if self.recorded else frame.file
        if not file:
            return frame.name
        return (
            f"{frame.name} ({file}:{frame.line})" if self.lines and frame.line else f"{frame.name} ({file})"
        )


class _Labels(dict[int, str]):
    def __init__(self, naming: Naming, frames: Sequence[Frame]) -> None:
        self._naming, self._frames = naming, frames

    def __missing__(self, number: int) -> str:
        label = self[number] = self._naming.label(self._frames[number])
        return label


def _bounded(text: str) -> str:
    """Its first and last characters and its length where it is longer than any name that is meant to be read."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}…{text[-half:]} [{len(text)} characters]"


def _merged(names: Iterable[str]) -> list[str]:
    merged: list[str] = []
    for name in names:
        if not merged or merged[-1] != name:
            merged.append(name)
    return merged
