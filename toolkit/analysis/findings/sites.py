"""Sampled time by the application's innermost function and what it waits in, of one view of one server."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from toolkit.analysis.findings.waits import CODE, kind_of
from toolkit.analysis.frames import Function, Owner, function_of
from toolkit.analysis.watch.busy import serves

if TYPE_CHECKING:
    from collections.abc import Iterable

    Stacks = Iterable[tuple[tuple[str, ...], int]]
    """Frames from root to leaf, and microseconds."""

_COLLECTS = {
    "gc_collect_main",
    "gc_collect_region",
    "_PyGC_Collect",
    "PyGC_Collect",
    "gc_collect_generations",
    "<GC>",
    "GC collect",
}
"""Functions of the interpreter's, where the recording has native frames, or of a recorder that marks collections."""


@dataclass
class Site:
    """One function of the application, while a thread was inside a request."""

    us: float = 0.0
    lines: Counter[str] = field(default_factory=Counter)
    """Frame label with its line → microseconds."""
    kinds: Counter[str] = field(default_factory=Counter)
    """What lies below it (waits.py) → microseconds."""


@dataclass
class ViewSites:
    """A view, summed up. Times are thread time: two threads for a second are two seconds."""

    recorded_s: float = 0.0
    sampled_us: float = 0.0
    request_us: float = 0.0
    """Of it inside requests."""
    websocket_us: float = 0.0
    """Beside that: in a websocket or Socket.IO connection that waits for its next message, which is its purpose."""
    by_function: dict[Function, Site] = field(default_factory=dict)
    collecting: Counter[str] = field(default_factory=Counter)
    """Frame label of a garbage collection, or of a finalizer → microseconds."""

    def requests(self) -> float:
        """Threads inside a request at a time, on average."""
        return self.request_us / 1e6 / self.recorded_s if self.recorded_s else 0.0


class _Frame(NamedTuple):
    function: Function
    application: bool
    serves: bool
    kind: str
    collects: bool


def sites_of(stacks: Stacks, recorded_s: float) -> ViewSites:
    """Sum up. Most stacks are long and share their outer frames: each frame is judged once."""
    found = ViewSites(recorded_s)
    for frames, us in stacks:
        judged = [_frame(label) for label in frames]
        found.sampled_us += us
        collecting = next((at for at, one in enumerate(judged) if one.collects), None)
        if collecting is not None:
            found.collecting[frames[collecting]] += us
        if not any(one.serves for one in judged):
            continue
        at = next((at for at in range(len(judged) - 1, -1, -1) if judged[at].application), None)
        kind = "" if at is None else _below([one.kind for one in judged[at + 1 :]])
        if kind == "websocket":
            found.websocket_us += us
            continue
        found.request_us += us
        if at is None:
            continue
        site = found.by_function.setdefault(judged[at].function, Site())
        site.us += us
        site.lines[frames[at]] += us
        site.kinds[kind] += us
    return found


def _below(kinds: list[str]) -> str:
    """The outermost call that says what it is; of a driver the lock that it uses inside is no news."""
    said = [kind for kind in kinds if kind]
    named = next((kind for kind in said if kind not in ("lock", "socket")), None)
    return named or (said[0] if said else (CODE if kinds else ""))


@lru_cache(maxsize=65536)
def _frame(label: str) -> _Frame:
    function = function_of(label)
    name = function.name.rpartition(".")[2]
    return _Frame(
        function,
        function.owner is Owner.APPLICATION and bool(function.file),
        serves(label),
        kind_of(function),
        name == "__del__" or name in _COLLECTS,
    )
