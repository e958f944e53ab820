"""Renderer: one interactive SVG for each server and view, and for each of its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.reports.flamegraph_files import flame_path, flame_svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `flamegraphs/*.svg`; none where nothing was recorded."""
    for flame in results.flames:
        yield flame_path(flame), flame_svg(flame).encode()
