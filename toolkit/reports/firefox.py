"""A window for https://profiler.firefox.com (which reads it without uploading): one track a process, samples in order of time.

The "processed profile" format, version 48, without anything of a browser; newer profilers upgrade it as they load it.
A sample's weight is its sampled time in milliseconds. When in its chunk a stack was seen is not recorded: the stacks of a
chunk are put one behind the other, evenly.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.windows_profile import Frame

_VERSION = 48
CATEGORIES = (
    ("application", "orange"),
    ("libraries", "lightblue"),
    ("standard library", "yellow"),
    ("server", "purple"),
    ("other", "grey"),
)
"""In order of `Frame.owner`; the last is the format's own default (it must be grey)."""


@dataclass(frozen=True)
class Span:
    """What was sampled in one chunk."""

    start_ms: float
    """Since the start of the profile."""
    length_ms: float
    stacks: Sequence[tuple[Sequence[Frame], int]]
    """Frames from root to leaf, microseconds."""


@dataclass
class Track:
    """One process."""

    name: str
    pid: int
    spans: Sequence[Span]


@dataclass
class _Tables:
    """The interned tables of one thread."""

    strings: dict[str, int] = field(default_factory=dict)
    functions: dict[tuple[int, int | None], int] = field(default_factory=dict)
    frames: dict[tuple[int, int, int], int] = field(default_factory=dict)
    stacks: dict[tuple[int | None, int], int] = field(default_factory=dict)

    def stack(self, path: Sequence[Frame]) -> int | None:
        prefix: int | None = None
        for frame in path:
            file = self._string(frame.recorded_file or frame.file) if frame.file else None
            function = self.functions.setdefault((self._string(frame.name), file), len(self.functions))
            number = self.frames.setdefault((function, frame.line, frame.owner), len(self.frames))
            prefix = self.stacks.setdefault((prefix, number), len(self.stacks))
        return prefix

    def _string(self, text: str) -> int:
        return self.strings.setdefault(text or "(no name)", len(self.strings))


def content(tracks: Sequence[Track], *, title: str, start_ms: float, interval_ms: float) -> bytes:
    """The file, packed (the profiler takes it so).

    Args:
        tracks: the processes.
        title: what the profiler calls the profile.
        start_ms: milliseconds since 1970.
        interval_ms: between two samples.
    """
    profile = {
        "meta": {
            "interval": interval_ms or 1.0,
            "startTime": start_ms,
            "processType": 0,
            "product": title,
            "stackwalk": 1,
            "version": 29,
            "preprocessedProfileVersion": _VERSION,
            "symbolicated": True,
            "importedFrom": f"gunicorn-load-profile-toolkit {__version__}",
            "categories": [
                {"name": name, "color": colour, "subcategories": ["Other"]} for name, colour in CATEGORIES
            ],
            "markerSchema": [],
            "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "µs"},
        },
        "libs": [],
        "pages": [],
        "counters": [],
        "threads": [_thread(track) for track in tracks],
    }
    return gzip.compress(json.dumps(profile, separators=(",", ":")).encode("ascii"), 9, mtime=0)


def _thread(track: Track) -> dict[str, Any]:
    tables = _Tables()
    stacks, times, weights = [], [], []
    for span in track.spans:
        step = span.length_ms / max(1, len(span.stacks))
        for number, (path, us) in enumerate(span.stacks):
            stacks.append(tables.stack(path))
            times.append(round(span.start_ms + number * step, 3))
            weights.append(us / 1000)
    return {
        "processType": "default",
        "processName": track.name,
        "processStartupTime": 0,
        "processShutdownTime": None,
        "registerTime": 0,
        "unregisterTime": None,
        "pausedRanges": [],
        "name": track.name,
        "isMainThread": True,
        "pid": str(track.pid),
        "tid": track.pid,
        "samples": {
            "stack": stacks,
            "time": times,
            "weight": weights,
            "weightType": "tracing-ms",
            "length": len(stacks),
        },
        "markers": {
            "data": [],
            "name": [],
            "startTime": [],
            "endTime": [],
            "phase": [],
            "category": [],
            "length": 0,
        },
        **_tables(tables),
    }


def _tables(tables: _Tables) -> dict[str, Any]:
    owners = [owner for _, _, owner in tables.frames]
    nothing = [None] * len(tables.frames)
    functions = len(tables.functions)
    return {
        "stackTable": {
            "frame": [frame for _, frame in tables.stacks],
            "prefix": [prefix for prefix, _ in tables.stacks],
            "category": [owners[frame] for _, frame in tables.stacks],
            "subcategory": [0] * len(tables.stacks),
            "length": len(tables.stacks),
        },
        "frameTable": {
            "address": [-1] * len(tables.frames),
            "inlineDepth": [0] * len(tables.frames),
            "category": owners,
            "subcategory": [0] * len(tables.frames),
            "func": [function for function, _, _ in tables.frames],
            "nativeSymbol": nothing,
            "innerWindowID": nothing,
            "implementation": nothing,
            "line": [line or None for _, line, _ in tables.frames],
            "column": nothing,
            "length": len(tables.frames),
        },
        "funcTable": {
            "name": [name for name, _ in tables.functions],
            "isJS": [False] * functions,
            "relevantForJS": [False] * functions,
            "resource": [-1] * functions,
            "fileName": [file for _, file in tables.functions],
            "lineNumber": [None] * functions,
            "columnNumber": [None] * functions,
            "length": functions,
        },
        "resourceTable": {"lib": [], "name": [], "host": [], "type": [], "length": 0},
        "nativeSymbols": {"libIndex": [], "address": [], "name": [], "functionSize": [], "length": 0},
        "stringArray": list(tables.strings),
    }
