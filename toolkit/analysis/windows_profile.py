"""The recorded stacks as a tree of frames and sparse counts a slice of time: what every window is added up from.

A **slice** is one recorder's chunk of one view. A stack is a path in one tree (of the whole run) and is counted on the node of
its leaf. A **group** is what one process did in one slice: entries of (node, count).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

NO_FRAME = "(no Python frame)"
"""A thread seen as it began or ended: the summary counts its time, so a window does."""

StackPath = tuple[int, ...]
"""A stack from root to leaf: numbers of frames."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as labels are made of it."""

    name: str
    file: str
    """Below site-packages or the standard library's folder; an application's as recorded; may be empty."""
    line: int
    """0 where it is not known."""
    owner: int
    """0 application, 1 library, 2 standard library, 3 server (see `toolkit.analysis.frames.Owner`)."""
    package: str
    recorded_file: str = field(default="", compare=False)
    """The file as recorded; not packed."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One chunk of one view, or several neighbours together."""

    server: int
    view: int
    start: int
    """Milliseconds since `RecordedProfile.start_ms`; may be negative."""
    length: int
    """Milliseconds; 0: when it was recorded is not known, it belongs to the whole run and to no window."""
    unit: int
    """Microseconds of sampled time that one count stands for."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was seen."""

    server: int
    pid: int
    """0 where the recording names none."""
    role: str
    """arbiter or worker."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """Whether a view of a server is shown, and what a reader must know of it."""

    server: int
    view: int
    shown: bool
    note: str
    rate_hz: float | None


@dataclass
class Tree:
    """Node 0 is the first below the root; a parent always precedes its children."""

    frames: list[Frame] = field(default_factory=list)
    parents: array[int] = field(default_factory=lambda: array("q"))
    """Of each node: its parent's number + 1; 0 below the root."""
    node_frames: array[int] = field(default_factory=lambda: array("q"))
    """Of each node: the number of its frame."""


@dataclass
class RecordedProfile:
    """All shown views of all servers. The arrays are columns of equal length."""

    start_ms: int = 0
    """Milliseconds since 1970 of time 0."""
    servers: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    states: list[ViewState] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)
    slices: list[Slice] = field(default_factory=list)
    """In order of server, view and time."""
    chunk_s: float = 0.0
    """Seconds of the usual (median) chunk: what a window can tell apart."""
    group_slices: array[int] = field(default_factory=lambda: array("q"))
    group_processes: array[int] = field(default_factory=lambda: array("q"))
    group_sizes: array[int] = field(default_factory=lambda: array("q"))
    """Groups in order of slice and process; how many entries each has."""
    entry_nodes: array[int] = field(default_factory=lambda: array("q"))
    """Ascending within a group."""
    entry_counts: array[int] = field(default_factory=lambda: array("q"))
    coarsened: bool = False
    """Whether something was merged to keep it small."""
    note: str = ""
    """What was merged, in a sentence."""

    def add_group(self, slice_: int, process: int, nodes: list[int], counts: list[int]) -> None:
        """Append what one process did in one slice; `nodes` ascending."""
        self.group_slices.append(slice_)
        self.group_processes.append(process)
        self.group_sizes.append(len(nodes))
        self.entry_nodes.extend(nodes)
        self.entry_counts.extend(counts)
