"""A window of a run as the bytes of a file: one format, one function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.analysis.windows import OFF, Selection, slices_in, window_times
from toolkit.analysis.windows_flames import window_flame
from toolkit.reports import firefox, pprof, speedscope
from toolkit.reports.flamegraph_colours import CodePainting, kind_of
from toolkit.reports.flamegraph_svg import render_svg
from toolkit.reports.folded import folded

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.analysis.flames import Flame
    from toolkit.analysis.windows_frames import Naming
    from toolkit.analysis.windows_tables import TableSource

_MOST_SPANS = 512


@dataclass(frozen=True)
class WindowFile:
    """What to write."""

    source: TableSource
    selection: Selection
    naming: Naming
    words: str
    """What the window is called."""
    run_id: str

    def flame(self) -> Flame:
        """As a flamegraph; without stacks where nothing was sampled."""
        return window_flame(self.source, self.selection, self.naming, self.words)

    @property
    def start_ms(self) -> int:
        """Milliseconds since 1970 of its first chunk."""
        slices = slices_in(self.source, self.selection)
        return self.source.zero_ms + min((one.start for one in slices if one.length), default=0)


def _svg(file: WindowFile) -> bytes:
    flame = file.flame()
    kinds = {file.naming.label(frame): kind_of(frame.recorded_file) for frame in file.source.frames}
    chunks = len(slices_in(file.source, file.selection))
    return render_svg(
        flame.stacks,
        title=flame.title,
        seconds_per_count=1e-6,
        detail=f"{chunks} chunk{'' if chunks == 1 else 's'}, {flame.seconds:,.1f} s recorded at {flame.rate_hz:.3g} Hz",
        note=flame.note,
        painting=CodePainting(kinds if file.naming.scope == "package" else None),
    ).encode()


def _folded(file: WindowFile) -> bytes:
    return folded(file.flame()).encode()


def _speedscope(file: WindowFile) -> bytes:
    return json.dumps(speedscope.content([file.flame()], file.run_id), separators=(",", ":")).encode("ascii")


def _pprof(file: WindowFile) -> bytes:
    return pprof.one_flame(file.flame(), file.start_ms * 1_000_000)


def _firefox(file: WindowFile) -> bytes:
    selection, source = file.selection, file.source
    # What a difference of two recorders lacks in one process may be too much in another: of all of them it is one.
    apart = selection.worker is None and selection.view != OFF
    pids = [process.pid for process in source.processes(selection.server, selection.view)] if apart else []
    tracks = []
    for pid in pids if apart else [selection.worker]:
        one = Selection(selection.server, selection.view, pid, selection.window)
        spans = _spans(file, one)
        if any(span.stacks for span in spans):
            whose = "all processes" if pid is None else f"process {pid}"
            tracks.append(firefox.Track(f"{selection.server}: {whose}", pid or 0, spans))
    rate = max((1e3 / slice_.unit for slice_ in slices_in(source, selection)), default=1.0)
    flame = file.flame()
    title = f"{file.run_id} – {flame.title}" + (f". {flame.note}" if flame.note else "")
    return firefox.content(tracks, title=title, start_ms=file.start_ms, interval_ms=1 / rate)


def _spans(file: WindowFile, one: Selection) -> list[firefox.Span]:
    source = file.source
    slices = slices_in(source, one)
    if one.view == OFF:  # a difference of two recorders: of single chunks it would be chance
        parts, found = [slices], {0: window_times(source, one).times}
    else:
        count = min(_MOST_SPANS, len(slices))
        numbers = [number * count // len(slices) for number in range(len(slices))]
        found = source.times(one.server, one.view, one.worker, slices, numbers)
        parts = [
            [slices[at] for at in range(len(slices)) if numbers[at] == number] for number in range(count)
        ]
    zero = file.start_ms - source.zero_ms
    return [
        firefox.Span(
            float(part[0].start - zero),
            float(sum(slice_.length for slice_ in part)),
            [([source.frames[at] for at in path], us) for path, us in sorted(found.get(number, {}).items())],
        )
        for number, part in enumerate(parts)
        if part
    ]


FORMATS: dict[str, Callable[[WindowFile], bytes]] = {
    "svg": _svg,
    "folded": _folded,
    "speedscope": _speedscope,
    "pprof": _pprof,
    "firefox": _firefox,
}
