"""Renderer: exports/profile.pb.gz, for `go tool pprof`, speedscope, Grafana Pyroscope and others.

The format is https://github.com/google/pprof/blob/main/proto/profile.proto. Written by hand: six messages of numbers and
strings need less code than a generated module and its runtime (docs/decisions/007-pprof-by-hand.md).
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit import __version__
from toolkit.analysis.frames import function_of, line_of
from toolkit.reports.varints import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from toolkit.analysis.results import Flame, Results
    from toolkit.analysis.windows_profile import RecordedProfile

_VARINT, _BYTES = 0, 2


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield the one file: a sample type for each view, labels `server`, `pid`, `role`; none where nothing was recorded."""
    profile = results.profile
    if profile.entry_nodes:
        yield f"{results.run.exports.name}/profile.pb.gz", whole_run(profile, results.manifest.run_id)


@dataclass(frozen=True)
class Sample:
    """Nanoseconds of one stack, one value a sample type."""

    frames: Sequence[int]
    """Numbers of locations (from `Writer.location`), root first."""
    values: Sequence[int]
    labels: Sequence[tuple[str, str | int]] = ()


@dataclass
class Writer:
    """Collects a profile. Every string, function and location is written once."""

    types: Sequence[str]
    """Sample types; all are nanoseconds."""
    start_ns: int = 0
    length_ns: int = 0
    period_ns: int = 0
    """Between two samples."""
    comments: Sequence[str] = ()
    _strings: dict[str, int] = field(default_factory=lambda: {"": 0})
    _functions: dict[tuple[str, str], int] = field(default_factory=dict)
    _locations: dict[tuple[int, int], int] = field(default_factory=dict)
    _samples: list[bytes] = field(default_factory=list)

    def location(self, name: str, file: str, line: int) -> int:
        """The number of the location of a frame; line 0 where it is not known."""
        function = self._functions.setdefault((name or "(no name)", file), len(self._functions) + 1)
        return self._locations.setdefault((function, line), len(self._locations) + 1)

    def add(self, sample: Sample) -> None:
        """Append a sample."""
        body = _packed(1, reversed(sample.frames)) + _packed(2, sample.values)
        for key, value in sample.labels:
            label = _number(1, self._string(key))
            label += _number(2, self._string(value)) if isinstance(value, str) else _number(3, value)
            body += _bytes(3, label)
        self._samples.append(_bytes(2, body))

    def content(self) -> bytes:
        """The file: gzip of the message."""
        types = [_bytes(1, self._type(name)) for name in self.types]
        functions = [
            _bytes(5, _number(1, number) + self._names(name) + _number(4, self._string(file)))
            for (name, file), number in self._functions.items()
        ]
        locations = [
            _bytes(
                4,
                _number(1, number) + _number(2, 1) + _bytes(4, _number(1, function) + _number(2, line)),
            )
            for (function, line), number in self._locations.items()
        ]
        # One mapping that says that its names, files and lines are known: else readers look for a binary to ask.
        mapping = (
            _number(1, 1) + _number(5, self._string("python")) + b"".join(_number(at, 1) for at in (7, 8, 9))
        )
        period_type = self._type(self.types[0])
        tail = _number(9, self.start_ns) + _number(10, self.length_ns)
        tail += _bytes(11, period_type) + _number(12, self.period_ns)
        tail += _packed(13, [self._string(comment) for comment in self.comments])
        parts = [*types, *self._samples, _bytes(3, mapping), *locations, *functions, tail]
        # The strings last: everything above has added its own.
        strings = [_bytes(6, text.encode("utf-8", "replace")) for text in self._strings]
        return gzip.compress(b"".join([*parts, *strings]), 9, mtime=0)

    def _type(self, name: str) -> bytes:
        return _number(1, self._string(name)) + _number(2, self._string("nanoseconds"))

    def _names(self, name: str) -> bytes:
        return _number(2, self._string(name)) + _number(3, self._string(name))

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


def whole_run(profile: RecordedProfile, name: str) -> bytes:
    """Everything recorded, of all servers, views and processes."""
    shown = sorted({state.view for state in profile.states if state.shown})
    position = {view: at for at, view in enumerate(shown)}
    ends = [one.start + one.length for one in profile.slices if one.length]
    starts = [one.start for one in profile.slices if one.length]
    start_ms = min(starts, default=0)
    writer = Writer(
        [profile.views[view] for view in shown],
        start_ns=max(0, profile.start_ms + start_ms) * 1_000_000,
        length_ns=max(0, max(ends, default=0) - start_ms) * 1_000_000,
        period_ns=min((one.unit for one in profile.slices), default=0) * 1000,
        comments=_comments(name, *dict.fromkeys(state.note for state in profile.states if state.shown)),
    )
    places = [
        writer.location(frame.name, frame.recorded_file or frame.file, frame.line)
        for frame in profile.tree.frames
    ]
    times: dict[tuple[int, int], list[int]] = {}
    at = 0
    for slice_, process, size in zip(
        profile.group_slices, profile.group_processes, profile.group_sizes, strict=True
    ):
        one = profile.slices[slice_]
        for entry in range(at, at + size):
            values = times.setdefault((profile.entry_nodes[entry], process), [0] * len(shown))
            values[position[one.view]] += profile.entry_counts[entry] * one.unit * 1000
        at += size
    for (node, number), values in sorted(times.items()):
        process_ = profile.processes[number]
        labels: list[tuple[str, str | int]] = [
            ("server", profile.servers[process_.server]),
            ("pid", process_.pid),
            ("role", process_.role),
        ]
        writer.add(Sample([places[frame] for frame in _path(profile, node)], values, labels))
    return writer.content()


def one_flame(flame: Flame, start_ns: int) -> bytes:
    """One window of one view. `flame.stacks` may be of any scope."""
    writer = Writer(
        [flame.view],
        start_ns=max(0, start_ns),
        length_ns=round(flame.seconds * 1e9),
        period_ns=round(1e9 / flame.rate_hz) if flame.rate_hz else 0,
        comments=_comments(flame.title, flame.note),
    )
    labels: list[tuple[str, str | int]] = [("server", flame.server)]
    if flame.worker is not None:
        labels.append(("pid", flame.worker))
    for stack, us in flame.stacks:
        writer.add(Sample([_place(writer, label) for label in stack], [us * 1000], labels))
    return writer.content()


def _comments(*texts: str) -> list[str]:
    return [text for text in (*texts, f"gunicorn-load-profile-toolkit {__version__}") if text]


def _place(writer: Writer, label: str) -> int:
    function = function_of(label)
    return writer.location(function.name, function.file, line_of(label) or 0)


def _path(profile: RecordedProfile, node: int) -> list[int]:
    frames = []
    place = node + 1
    while place:
        frames.append(profile.tree.node_frames[place - 1])
        place = profile.tree.parents[place - 1]
    return frames[::-1]


def _number(field_: int, value: int) -> bytes:
    return encode((field_ << 3 | _VARINT, value)) if value else b""


def _bytes(field_: int, content: bytes) -> bytes:
    return encode((field_ << 3 | _BYTES, len(content))) + content


def _packed(field_: int, values: Iterable[int]) -> bytes:
    content = encode(values)
    return _bytes(field_, content) if content else b""
