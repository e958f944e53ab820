"""Which server, view and worker of a run is meant, and why it cannot be shown."""

from __future__ import annotations

from statistics import median_high
from typing import TYPE_CHECKING

from toolkit.analysis.windows import OFF, slices_in
from toolkit.analysis.windows_reading import why_hidden
from toolkit.analysis.windows_slices import bounds_ms
from toolkit.commands.run_times import offset
from toolkit.errors import UsageError
from toolkit.plan.places import known_instead

if TYPE_CHECKING:
    from toolkit.analysis.windows import Selection
    from toolkit.analysis.windows_tables import TableSource
    from toolkit.recording.manifest import Manifest


def choose_server(source: TableSource, manifest: Manifest, name: str | None) -> str:
    """The server of this name or address; the only one, where none is named.

    Raises:
        UsageError: there is none, or one of several must be named.
    """
    known = list(dict.fromkeys(view.server for view in source.views))
    if not known:
        raise UsageError("No server was profiled in this run.")
    if name is None:
        if len(known) > 1:
            raise UsageError(
                f"This run has {len(known)} servers: {', '.join(known)}.", "Name one with --server."
            )
        return known[0]
    if name in known:
        return name
    by_address = [
        server.name for server in manifest.servers if server.address == name and server.name in known
    ]
    if by_address:
        return by_address[0]
    raise UsageError(f"There is no profiled server {name!r} in this run: {known_instead(name, known)}")


def recorded_span(source: TableSource, server: str, view: str) -> tuple[float, float]:
    """From where to where a view was recorded, seconds since time 0.

    Raises:
        UsageError: the view is not there or must not be shown; why is said.
    """
    for name in ("wall", "cpu") if view == OFF else (view,):
        _check_view(source, server, name, view)
    first_ms, last_ms = bounds_ms(source.slices(server, "wall" if view == OFF else view)) or (0, 0)
    return first_ms / 1000, last_ms / 1000


def _check_view(source: TableSource, server: str, name: str, asked: str) -> None:
    needed = f"The {asked} view is wall − cpu, and the" if asked == OFF else "The"
    shown = [view.name for view in source.views if view.server == server and not why_hidden(view)]
    if "wall" in shown and "cpu" in shown:
        shown.append(OFF)
    hint = f"Shown of {server}: {', '.join(shown)}." if shown else f"No view of {server} can be shown."
    found = source.view(server, name)
    if found is None:
        raise UsageError(f"{needed} {name} view of {server} was not recorded.", hint)
    if why := why_hidden(found):
        raise UsageError(f"{needed} {name} view of {server} is not shown: {why}", hint)


def choose_worker(source: TableSource, server: str, number: int) -> tuple[int, str]:
    """The PID of a process, told by its PID or by its place among the workers in order of PID; and words on which it is.

    Raises:
        UsageError: there is no such process.
    """
    seen = {
        process.pid: process.role
        for view in source.views
        if view.server == server and not why_hidden(view)
        for process in source.processes(server, view.name)
    }
    workers = sorted(pid for pid, role in seen.items() if role == "worker")
    if number in seen:
        place = f"worker {workers.index(number) + 1} of {len(workers)}" if number in workers else seen[number]
        return number, f"PID {number} ({place})."
    if 1 <= number <= len(workers):
        pid = workers[number - 1]
        return pid, f"Worker {number} of {len(workers)}: PID {pid}."
    some = ", ".join(map(str, workers[:12])) + (", …" if len(workers) > 12 else "")
    raise UsageError(
        f"There is no worker {number} on {server}: {len(workers)} were seen.",
        f"Name 1 to {len(workers)}, or a PID: {some}.",
    )


def check_window(source: TableSource, selection: Selection, words: str) -> None:
    """See that a window holds something.

    Raises:
        UsageError: it lies outside of what was recorded, or between two chunks.
    """
    if slices_in(source, selection):
        return
    view = "wall" if selection.view == OFF else selection.view
    slices = source.slices(selection.server, view)
    bounds = bounds_ms(slices)
    if bounds is None:
        raise UsageError(
            f"When the {view} view of {selection.server} was recorded is not known.", "Leave out the window."
        )
    usual_s = median_high(one.length for one in slices if one.length) / 1000
    raise UsageError(
        f"No chunk of the {view} view of {selection.server} lies in {words}: it was recorded from "
        f"{offset(bounds[0] / 1000)} to {offset(bounds[1] / 1000)}, in chunks of about {usual_s:.3g} s.",
        "Take one inside of these times.",
    )
