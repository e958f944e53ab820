"""The profile as report.html carries it: every shown view, chunk by chunk, small enough for a page of 5 MB.

`pack` makes the bytes; the page holds them as base64 in `<script type="application/octet-stream" id="profile">`.
They are gzip of: the 4 bytes `TKP1`, the length of the header (u32, little endian), the header (JSON, UTF-8), the body.

A profile that would take more than `LARGEST` bytes is coarsened (`coarsened`, and `note` says how): chunks are merged, and
frames that are hardly ever seen count on their caller. No time is lost.

Header
    start_ms      epoch milliseconds of time 0: the first second of the timeline, else the start of the run
    servers       [name]
    views         [wall, cpu, gil, …]
    workers       [{"server": index, "pid": n (0: the recording names none), "role": "arbiter" | "worker"}]
    names         [function's name]
    files         [file: below site-packages or the standard library's folder, an application's as recorded; may be ""]
    packages      [package]
    view_states   [{"server", "view", "shown": bool, "note", "rate_hz": number | null}]; a view that is not shown has no slice
    chunk_s       seconds of the usual slice: what a window can tell apart; 0 where there is none
    coarsened     whether something was merged to keep the page small
    note          how, in sentences; or ""
    columns       {name: {"offset": from the body's start, "bytes", "count", "delta": bool}}

A column is `count` unsigned LEB128 varints, each below 2^53 (more than 32 bits: multiply, do not shift). With `delta`, each is
the zigzag (0, -1, 1, -2 … → 0, 1, 2, 3 …) of the difference to the value before it, the first to 0, over the whole column.

    frame.name, frame.file, frame.package   index into names, files, packages
    frame.line      0: none
    frame.owner     0 application, 1 library, 2 standard library, 3 server
    node.parent     number of the parent + 1; 0 below the root; a parent always precedes its children
    node.frame      number of the frame
    slice.server, slice.view   indices; slices are in order of server, view and time
    slice.start     ms since start_ms; may be negative (it is a delta column)
    slice.length    ms; 0: when it was recorded is not known: it belongs to the whole run and to no window
    slice.unit      µs of sampled time that one count stands for; 1000 where slices of different rates were merged
    group.slice, group.worker, group.size   what one process did in one slice, in order of slice and process; size: its entries
    entry.node      where a stack ends, ascending within a group
    entry.count     samples (or, with unit 1000, milliseconds)

How a window is added up from this: `toolkit.analysis.windows` (one definition, here and in the page).
"""

from __future__ import annotations

import gzip
import json
import math
import struct
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from toolkit.analysis.windows_profile import Frame, Process, RecordedProfile, Slice, Tree, ViewState
from toolkit.reports.profile_coarsening import lengthen, prune
from toolkit.reports.varints import decode, deltas, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAGIC = b"TKP1"
LARGEST = 2_800_000
"""Bytes; as base64 3.7 MB: with everything else the page stays below 5 MB."""

_DELTA = {"node.parent", "node.frame", "slice.start", "group.slice", "entry.node"}


# How many chunks become one slice, and below which share of the time a frame counts on its caller. What a window can tell apart
# is worth more than frames that nobody sees: `(1, 0.002)` is as large as `(2, 0.001)`.
_STEPS = (
    (1, 0.0005),
    (1, 0.002),
    (2, 0.002),
    (2, 0.004),
    (4, 0.005),
    (8, 0.01),
    (16, 0.01),
    (64, 0.02),
    (512, 0.05),
    (8192, 0.2),
)


def pack(profile: RecordedProfile, largest: int = LARGEST) -> bytes:
    """`profile` in at most `largest` bytes (should no coarsening do, in as few as that gives).

    The same profile gives the same bytes.
    """
    packed, step = write(profile), 0
    while len(packed) > largest and step < len(_STEPS):
        # No step makes it less than half as large: pass over those that cannot be enough.
        step = min(step + max(0, math.floor(math.log2(len(packed) / largest))), len(_STEPS) - 1)
        packed = write(_coarser(profile, *_STEPS[step]))
        step += 1
    return packed


def _coarser(profile: RecordedProfile, times: int, smallest_share: float) -> RecordedProfile:
    coarse = prune(profile, smallest_share)
    said = f"frames that never take {100 * smallest_share:.3g} % of any five minutes count on their caller"
    if times > 1:
        coarse = lengthen(coarse, times)
        said += f", and {times} chunks of {profile.chunk_s:.3g} s are one of {coarse.chunk_s:.4g} s"
    coarse.note = f"To keep this page small, {said}. The run folder has everything: see toolkit flamegraph."
    return coarse


def write(profile: RecordedProfile) -> bytes:
    """The gzip of `profile` as it is."""
    header, body = _parts(profile)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return gzip.compress(MAGIC + struct.pack("<I", len(text)) + text + body, 9, mtime=0)


def unpack(data: bytes) -> RecordedProfile:
    """What `pack` packed.

    Raises:
        ValueError: these are no such bytes.
    """
    plain = gzip.decompress(data)
    if plain[:4] != MAGIC:
        raise ValueError("not a packed profile")
    (length,) = struct.unpack_from("<I", plain, 4)
    header = json.loads(plain[8 : 8 + length])
    body = memoryview(plain)[8 + length :]
    columns = {}
    for name, place in header["columns"].items():
        values = decode(body[place["offset"] : place["offset"] + place["bytes"]])
        if len(values) != place["count"]:
            raise ValueError(f"column {name} has {len(values)} values, not {place['count']}")
        columns[name] = list(accumulate((v >> 1) ^ -(v & 1) for v in values)) if place["delta"] else values
    return _profile(header, columns)


def _parts(profile: RecordedProfile) -> tuple[dict[str, Any], bytes]:
    frames = profile.tree.frames
    names, name_of = _indexed(frame.name for frame in frames)
    files, file_of = _indexed(frame.file for frame in frames)
    packages, package_of = _indexed(frame.package for frame in frames)
    columns: dict[str, Sequence[int]] = {
        "frame.name": name_of,
        "frame.file": file_of,
        "frame.line": [frame.line for frame in frames],
        "frame.owner": [frame.owner for frame in frames],
        "frame.package": package_of,
        "node.parent": profile.tree.parents,
        "node.frame": profile.tree.node_frames,
        "slice.server": [one.server for one in profile.slices],
        "slice.view": [one.view for one in profile.slices],
        "slice.start": [one.start for one in profile.slices],
        "slice.length": [one.length for one in profile.slices],
        "slice.unit": [one.unit for one in profile.slices],
        "group.slice": profile.group_slices,
        "group.worker": profile.group_processes,
        "group.size": profile.group_sizes,
        "entry.node": profile.entry_nodes,
        "entry.count": profile.entry_counts,
    }
    places, streams, offset = {}, [], 0
    for name, values in columns.items():
        delta = name in _DELTA
        stream = encode(deltas(values) if delta else values)
        places[name] = {"offset": offset, "bytes": len(stream), "count": len(values), "delta": delta}
        streams.append(stream)
        offset += len(stream)
    header = {
        "start_ms": profile.start_ms,
        "servers": profile.servers,
        "views": profile.views,
        "workers": [{"server": one.server, "pid": one.pid, "role": one.role} for one in profile.processes],
        "names": names,
        "files": files,
        "packages": packages,
        "view_states": [
            {
                "server": one.server,
                "view": one.view,
                "shown": one.shown,
                "note": one.note,
                "rate_hz": one.rate_hz,
            }
            for one in profile.states
        ],
        "columns": places,
        "chunk_s": profile.chunk_s,
        "coarsened": profile.coarsened,
        "note": profile.note,
    }
    return header, b"".join(streams)


def _indexed(texts: Iterable[str]) -> tuple[list[str], list[int]]:
    known: dict[str, int] = {}
    numbers = [known.setdefault(text, len(known)) for text in texts]
    return list(known), numbers


def _profile(header: dict[str, Any], columns: dict[str, list[int]]) -> RecordedProfile:
    def each(prefix: str, *names: str) -> Iterable[tuple[int, ...]]:
        return zip(*(columns[f"{prefix}.{name}"] for name in names), strict=True)

    profile = RecordedProfile(
        start_ms=header["start_ms"],
        servers=header["servers"],
        views=header["views"],
        states=[ViewState(**state) for state in header["view_states"]],
        processes=[Process(**worker) for worker in header["workers"]],
        tree=Tree(
            [
                Frame(header["names"][name], header["files"][file], line, owner, header["packages"][package])
                for name, file, line, owner, package in each(
                    "frame", "name", "file", "line", "owner", "package"
                )
            ]
        ),
        slices=[Slice(*one) for one in each("slice", "server", "view", "start", "length", "unit")],
        chunk_s=header["chunk_s"],
        coarsened=header["coarsened"],
        note=header["note"],
    )
    profile.tree.parents.extend(columns["node.parent"])
    profile.tree.node_frames.extend(columns["node.frame"])
    profile.group_slices.extend(columns["group.slice"])
    profile.group_processes.extend(columns["group.worker"])
    profile.group_sizes.extend(columns["group.size"])
    profile.entry_nodes.extend(columns["entry.node"])
    profile.entry_counts.extend(columns["entry.count"])
    return profile
