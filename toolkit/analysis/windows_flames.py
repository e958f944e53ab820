"""One window as a flamegraph to draw or to export, with what limits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.analysis.chunks import mean_rate, recorded_s, recording
from toolkit.analysis.flames import VIEW_WORDS, Flame
from toolkit.analysis.trust.cpu_time import counted_s, cpu_counted
from toolkit.analysis.view_notes import notes_on
from toolkit.analysis.windows import OFF, Selection, stacks_of_window, window_times
from toolkit.analysis.windows_slices import held

if TYPE_CHECKING:
    from toolkit.analysis.windows_frames import Naming
    from toolkit.analysis.windows_tables import TableSource


def window_flame(source: TableSource, selection: Selection, naming: Naming, words: str) -> Flame:
    """The flamegraph of a window; without stacks where nothing was sampled in it.

    Args:
        source: the run.
        selection: what to show.
        naming: how its frames are called.
        words: what the window is called.
    """
    found = window_times(source, selection)
    chunks = _chunks(source, selection, _view(selection))
    return Flame(
        server=selection.server,
        view=selection.view,
        worker=selection.worker,
        title=f"{title_of(selection)}, {words}",
        seconds=recorded_s(chunks),
        rate_hz=mean_rate(chunks),
        stacks=stacks_of_window(found.times, source.frames, naming),
        note=" ".join(window_notes(source, selection)),
    )


def title_of(selection: Selection) -> str:
    """`web-1: CPU time, worker 4711`."""
    who = "all workers" if selection.worker is None else f"worker {selection.worker}"
    return f"{selection.server}: {VIEW_WORDS.get(selection.view, selection.view)}, {who}"


def window_notes(source: TableSource, selection: Selection) -> list[str]:
    """What a reader must know, in sentences: of the samples in the window alone."""
    doubt = _against_the_kernel(source, selection.server) if selection.view in ("cpu", OFF) else []
    if selection.view != OFF:
        return [*_notes(source, selection, selection.view), *doubt]
    said = [f"{view}: {note}" for view in ("wall", "cpu") for note in _notes(source, selection, view)]
    return [*doubt, "Two recorders' samples subtracted, stack by stack: small values are chance.", *said]


def _against_the_kernel(source: TableSource, server: str) -> list[str]:
    """Of the whole run: whether the samples of the cpu view are more, or fewer, than the CPU time that was used."""
    whole = Selection(server, "cpu")
    chunks = _chunks(source, whole, "cpu")
    slices = source.slices(server, "cpu")
    found = {
        "shown": True,
        "sampled_s": window_times(source, whole).total_us / 1e6,
        "rate_hz": mean_rate(chunks),
        "samples": source.samples(server, "cpu", None, slices)[0],
    }
    findings = cpu_counted(server, found, counted_s(source.connection, server), None)
    return [f"Of the whole run: {finding.reason}" for finding in findings if finding.reason]


def _view(selection: Selection) -> str:
    return "wall" if selection.view == OFF else selection.view


def _chunks(source: TableSource, selection: Selection, view: str) -> list[dict[str, Any]]:
    found = source.view(selection.server, view)
    seqs = {one.seq for one in held(selection.window, source.slices(selection.server, view))}
    return [chunk for chunk in found.chunks if chunk["seq"] in seqs] if found else []


def _notes(source: TableSource, selection: Selection, name: str) -> list[str]:
    view = source.view(selection.server, name)
    chunks = _chunks(source, selection, name)
    if view is None or not chunks:
        return []

    def found(worker: int | None) -> dict[str, Any]:
        slices = held(selection.window, source.slices(selection.server, name))
        samples, waiting = source.samples(selection.server, name, worker, slices)
        reason = str(view.said.get("reason") or "")
        return {
            **recording(chunks),
            "reason": reason,
            "samples": samples,
            "waiting_samples_left_out": waiting,
        }

    whole = None if selection.worker is None else found(None)
    told = bool(view.said) or bool(view.stands_in_for)
    return notes_on(found(selection.worker), view.stands_in_for, told=told, whole=whole)
