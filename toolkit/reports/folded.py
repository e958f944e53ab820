"""Renderer: exports/*.folded, one line a stack, for every flamegraph tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.reports.terminal_text import file_part, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.analysis.results import Flame, Results


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `exports/<server>-<view>.folded`: `frame;frame;frame count`, root first, counts in microseconds."""
    for flame in results.flames:
        if flame.worker is None:
            name = f"{file_part(flame.server)}-{file_part(flame.view)}.folded"
            yield f"{results.run.exports.name}/{name}", folded(flame).encode()


def folded(flame: Flame) -> str:
    """The text of one file. The format knows no escapes: a semicolon in a frame becomes a colon."""
    return "".join(f"{folded_stack(frames)} {count}\n" for frames, count in flame.stacks)


def folded_stack(frames: Sequence[str]) -> str:
    """One stack, root first."""
    return ";".join(printable(frame).replace(";", ":") or "(no name)" for frame in frames)
