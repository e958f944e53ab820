"""Renderer: exports/profile.speedscope.json, for https://www.speedscope.app (which also runs offline)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from toolkit import __version__
from toolkit.analysis.frames import function_of, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.analysis.results import Flame, Results

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield the one file, a sampled profile for each flame; none where nothing was recorded (it could not be opened)."""
    if results.flames:
        yield (
            f"{results.run.exports.name}/profile.speedscope.json",
            json.dumps(content(results.flames, results.manifest.run_id), separators=(",", ":")).encode(
                "ascii"
            ),
        )


def content(flames: Sequence[Flame], name: str) -> dict[str, Any]:
    """The file's content: a sampled profile for each flame."""
    frames: dict[str, int] = {}
    profiles = [_profile(flame, frames) for flame in flames]
    return {
        "$schema": _SCHEMA,
        "shared": {"frames": [_frame(label) for label in frames]},
        "profiles": profiles,
        "name": " ".join([name, *dict.fromkeys(flame.note for flame in flames if flame.note)]),
        "activeProfileIndex": 0,
        "exporter": f"gunicorn-load-profile-toolkit@{__version__}",
    }


def _profile(flame: Flame, frames: dict[str, int]) -> dict[str, Any]:
    weights = [count / 1e6 for _, count in flame.stacks]
    return {
        "type": "sampled",
        "name": flame.title,
        "unit": "seconds",
        "startValue": 0,
        "endValue": round(sum(count for _, count in flame.stacks) / 1e6, 6),
        "samples": [
            [frames.setdefault(label, len(frames)) for label in labels] for labels, _ in flame.stacks
        ],
        "weights": weights,
    }


def _frame(label: str) -> dict[str, Any]:
    function = function_of(label)
    frame: dict[str, Any] = {"name": function.name or "(no name)"}
    if function.file:
        frame["file"] = function.file
    line = line_of(label)
    if line is not None:
        frame["line"] = line
    return frame
