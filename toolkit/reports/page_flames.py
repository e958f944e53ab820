"""The flamegraphs in report.html: the packed profile for its script, and drawings for readers without scripts."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from toolkit.reports.flamegraph_files import flame_path, flame_svg
from toolkit.reports.profile_pack import LARGEST, pack

if TYPE_CHECKING:
    from toolkit.analysis.results import Results

_MOST_DRAWN = 400_000
"""Bytes of drawings in the page; the others lie beside it as files."""
_LEAST = 200_000


def packed_profile(results: Results, room: int) -> str:
    """The profile as base64 in at most `room` characters (but never less than `_LEAST` bytes); empty where no view is shown."""
    if not results.profile.slices:
        return ""
    return base64.b64encode(pack(results.profile, max(_LEAST, min(LARGEST, room * 3 // 4)))).decode()


def still_flames(results: Results) -> list[dict[str, Any]]:
    """`{"title", "file", "svg"}` for each flamegraph; `svg` is empty where the page has no room for it or it is of one worker."""
    found, room = [], _MOST_DRAWN
    for flame in results.flames:
        svg = ""
        if flame.worker is None:
            drawn = flame_svg(flame, bare=True).split("?>\n", 1)[-1]
            if len(drawn) <= room:
                room -= len(drawn)
                svg = drawn
        # Made by our own drawing, which escapes every name.
        found.append({"title": flame.title, "file": flame_path(flame), "svg": Markup(svg)})  # noqa: S704
    return found
