"""What each server's views show, and whether they may be shown: flames, their numbers, and sentences on their limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from toolkit.analysis.chunks import recording
from toolkit.analysis.database import rows
from toolkit.analysis.flames import make_flames
from toolkit.analysis.frames import waits_for_work
from toolkit.analysis.hotspots import hotspots
from toolkit.analysis.stack_reader import stacks_of
from toolkit.analysis.view_notes import losses, notes_on, sentence
from toolkit.recording.manifest import ServerEntry

if TYPE_CHECKING:
    import duckdb

    from toolkit.analysis.flames import Flame
    from toolkit.analysis.stack_reader import SampledStack
    from toolkit.recording.layout import RunFolder
    from toolkit.recording.manifest import Manifest


@dataclass
class Profiles:
    """What was recorded on all servers."""

    servers: list[dict[str, Any]] = field(default_factory=list)
    """The summary's `servers`."""
    flames: list[Flame] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass
class RecordedView:
    """A view of a server as it was asked for, recorded and stored."""

    server: str
    name: str
    said: dict[str, Any]
    """As the agent said of it (run.json)."""
    chunks: list[dict[str, Any]]
    stored_as: str
    """The view that its chunks and samples are named after."""
    stands_in_for: dict[str, str] = field(default_factory=dict)
    """Views that could not be recorded as themselves and were recorded as this one → why."""


def read_profiles(connection: duckdb.DuckDBPyConnection, run: RunFolder, manifest: Manifest) -> Profiles:
    """Flames and numbers of every view of every server, in order of server and view (wall, cpu, gil)."""
    profiles = Profiles()
    for entry, views in recorded_views(connection, run, manifest):
        name = entry.name
        profiles.servers.append(
            {
                "name": name,
                "address": entry.address,
                "clock_offset_ms": round(entry.offset_ns / 1e6, 3),
                "clock_error_ms": round(entry.offset_error_ns / 1e6, 3),
                "budget": entry.budget,
                "views": [_read_view(connection, view, profiles) for view in views],
            }
        )
        if not views:
            profiles.missing.append(f"Server {name}: no stacks were recorded.")
    return profiles


def recorded_views(
    connection: duckdb.DuckDBPyConnection, run: RunFolder, manifest: Manifest
) -> list[tuple[ServerEntry, list[RecordedView]]]:
    """Every server and its views, whether they may be shown or not; in order of server and view (wall, cpu, gil)."""
    chunks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows(connection, "chunk_list"):
        chunks.setdefault((row["server"], row["view"]), []).append(row)
    entries = {entry.name: entry for entry in manifest.servers}
    for folder in run.servers():
        entries.setdefault(folder.name, ServerEntry(folder.name, ""))
    return [
        (entry, _views(entry, {view: found for (server, view), found in chunks.items() if server == name}))
        for name, entry in sorted(entries.items())
    ]


def _views(entry: ServerEntry, chunks: dict[str, list[dict[str, Any]]]) -> list[RecordedView]:
    told: dict[str, Any] = entry.views  # as read from a file: a view may be anything
    said = {name: view if isinstance(view, dict) else {} for name, view in told.items()}
    names = sorted(said.keys() | chunks.keys(), key=lambda name: (_order(name), name))
    views = {
        name: RecordedView(entry.name, name, said.get(name, {}), chunks.get(name, []), name) for name in names
    }
    for name, view in list(views.items()):
        other = view.said.get("recorded_as")
        if not isinstance(other, str) or other == name:
            continue
        if other not in views:  # what lies under this name is of the other kind
            views[other] = RecordedView(
                entry.name, other, {"rate_hz": view.said.get("rate_hz")}, view.chunks, name
            )
            view.chunks = []
        views[other].stands_in_for[name] = str(view.said.get("reason") or "no reason was given")
    return sorted(views.values(), key=lambda view: (_order(view.name), view.name))


def _order(name: str) -> int:
    return {"wall": 0, "cpu": 1, "gil": 2}.get(name, 3)


def _read_view(
    connection: duckdb.DuckDBPyConnection, view: RecordedView, profiles: Profiles
) -> dict[str, Any]:
    valid = view.said.get("valid") is not False
    reason = str(view.said.get("reason") or "")
    found: dict[str, Any] = {
        "view": view.name,
        "shown": False,
        "valid": valid,
        "reason": reason,
        "recorded_as": view.said.get("recorded_as") or view.name,
        **recording(view.chunks),
    }
    where = f"Server {view.server}: the {view.name} view"
    if not valid:
        other = found["recorded_as"]
        instead = f" It was recorded as {other} and is shown under that name." if other != view.name else ""
        profiles.missing.append(
            f"{where} is not shown, as it would not be true: {sentence(reason or 'no reason was given')}{instead}"
        )
        return found
    stacks = stacks_of(connection, view.server, view.stored_as) if view.chunks else []
    kept, waiting, unknown = _usable(view, stacks)
    found |= _sampled(kept, waiting.total(), unknown)
    notes = _notes(view, found)
    if not view.chunks:
        profiles.missing.append(f"{where} has no chunk.")
    elif not kept and view.name != "wall" and not found["lost_chunks"]:
        notes.append("No thread was seen at it: the service was idle, or the samples were too few.")
    elif not kept:
        profiles.missing.append(f"{where} holds no sample that can be shown.")
    else:
        found["shown"] = True
        found["hotspots"] = hotspots((stack.frames, stack.ms) for stack in kept)
        seen = {row["pid"]: set(row["seqs"]) for row in rows(connection, "worker_chunks", _of(view))}

        def note(pid: int | None, its: list[SampledStack], its_chunks: list[dict[str, Any]]) -> str:
            if pid is None:
                return " ".join(notes)
            samples = {
                "samples": sum(stack.samples for stack in its),
                "waiting_samples_left_out": waiting[pid],
            }
            return " ".join(_notes(view, found | recording(its_chunks) | samples, whole=found))

        flames, left_out = make_flames(view.server, view.name, kept, view.chunks, seen, note)
        profiles.flames += flames
        if left_out:
            notes.append(f"{left_out} workers with the least time have no flamegraph of their own.")
    found["note"] = " ".join(notes)
    profiles.missing += losses(where, found)
    return found


def _notes(view: RecordedView, found: dict[str, Any], whole: dict[str, Any] | None = None) -> list[str]:
    told = bool(view.said) or bool(view.stands_in_for)
    return notes_on(found, view.stands_in_for, told=told, whole=whole)


def _of(view: RecordedView) -> dict[str, Any]:
    return {"server": view.server, "view": view.stored_as}


def _usable(
    view: RecordedView, stacks: list[SampledStack]
) -> tuple[list[SampledStack], Counter[int | None], int]:
    """The stacks to show, and the samples left out: of each process's threads that wait for work, and those without a rate."""
    kept: list[SampledStack] = []
    waiting: Counter[int | None] = Counter()
    unknown = 0
    for stack in stacks:
        if view.name == "cpu" and waits_for_work(stack.frames):
            waiting[stack.pid] += stack.samples
        elif stack.ms <= 0:
            unknown += stack.samples
        else:
            kept.append(stack)
    return kept, waiting, unknown


def _sampled(kept: list[SampledStack], waiting: int, unknown: int) -> dict[str, Any]:
    workers: dict[int | None, list[float]] = {}
    for stack in kept:
        times = workers.setdefault(stack.pid, [0, 0.0, float(stack.pid == stack.root)])
        times[0] += stack.samples
        times[1] += stack.ms
    return {
        "samples": sum(stack.samples for stack in kept),
        "sampled_s": round(sum(stack.ms for stack in kept) / 1000, 3),
        "waiting_samples_left_out": waiting,
        "samples_without_rate": unknown,
        "processes": [
            {
                "pid": pid,
                "role": "arbiter" if root else "worker",
                "samples": int(samples),
                "sampled_s": round(ms / 1000, 3),
            }
            for pid, (samples, ms, root) in sorted(workers.items(), key=lambda item: item[0] or 0)
        ],
    }
