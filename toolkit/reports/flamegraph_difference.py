"""Draws the difference of two windows: B's flamegraph, coloured by what changed since A, and a list of what vanished.

The width of a frame is its time in B. Its colour is the change of its total between the two, each normalised, as a part of the
larger of both; grey where that is within the noise or the frame is too small to be judged.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from toolkit.reports.flamegraph_svg import percent, render_svg
from toolkit.reports.flamegraph_text import take_apart
from toolkit.reports.folded import folded_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.analysis.windows_difference import Difference
    from toolkit.analysis.windows_tree import ComparedFrame

PALETTES = {
    "red-blue": (
        ("#fde0d9", "#fbb4a5", "#f58771", "#e8604c"),
        ("#deebf7", "#b0d0ee", "#7fb2e5", "#559ad8"),
        ("red", "blue"),
    ),
    "colour-blind": (
        ("#fde3b8", "#fbc679", "#f1a340", "#e08214"),
        ("#e4e1f0", "#c9c3e2", "#ab9fd2", "#9485c4"),
        ("orange", "purple"),
    ),
}
"""Name → colours of what grew and of what shrank, faintest first, and their names."""

_GREY = "#d4d4d4"
_STEPS = (0.1, 0.3, 0.6)
_SMALLEST_LISTED = 0.002
_MOST_LISTED = 40
_NORMALS = {
    "second": "seconds per second of the window",
    "share": "share of the window's samples",
    "request": "time per request that ended in the window",
}


class DifferencePainting:
    """Colours by what changed."""

    def __init__(self, difference: Difference, normal: str, palette: str) -> None:
        self._difference = difference
        self._normal = normal
        more, less, (grew, shrank) = PALETTES[palette]
        self.css = "".join(
            f".flamegraph .{css_class} rect{{fill:{colour}}}\n"
            for css_class, colour in chain(
                ((f"u{number}", colour) for number, colour in enumerate(more)),
                ((f"d{number}", colour) for number, colour in enumerate(less)),
                [("n0", _GREY)],
            )
        )
        judged = "within the noise, or too small to tell" if difference.judged else "unchanged"
        self.legend = [("u3", f"{grew}: more in B"), ("d3", f"{shrank}: less in B"), ("n0", judged)]

    def class_of(self, path: Sequence[str], file: str) -> str:  # noqa: ARG002 - the colour is not of the code
        """`u0` … `u3` for what grew, `d0` … `d3` for what shrank, `n0` for neither."""
        frame = self._at(path)
        change = self._difference.relative_change(frame)
        if not change or (self._difference.judged and frame.within_noise is not False):
            return "n0"
        step = sum(abs(change) >= limit for limit in _STEPS)
        return f"{'u' if change > 0 else 'd'}{step}"

    def words(self, path: Sequence[str]) -> str:
        """Both sides and the change."""
        return change_words(self._difference, self._at(path), self._normal)

    def _at(self, path: Sequence[str]) -> ComparedFrame:
        frame = self._difference.root
        for label in path:
            frame = frame.children[label]
        return frame


def change_words(difference: Difference, frame: ComparedFrame, normal: str) -> str:
    """`A 0.120 s/s, B 0.240 s/s: +0.120 s/s (+100.0 %)`, and what the noise says."""
    a, b = difference.scale_a.of(frame.a_total), difference.scale_b.of(frame.b_total)
    change = b - a
    sign = "+" if change >= 0 else "−"
    relative = f"{sign}{abs(change) / a * 100:.1f} %" if a and b else "vanished" if a else "new"
    words = f"A {quantity(a, normal)}, B {quantity(b, normal)}: {sign}{quantity(abs(change), normal)} ({relative})"
    if frame.within_noise:
        return f"{words}, within the noise"
    return f"{words}, too small to judge" if difference.judged and frame.within_noise is None else words


def quantity(value: float, normal: str) -> str:
    """A normalised time with its unit."""
    if normal == "share":
        return percent(value, 1)
    if normal == "second":
        return f"{value / 1000:.3f} s/s"
    return f"{value / 1000:.3f} ms/request"


def difference_svg(difference: Difference, title: str, note: str, *, normal: str, palette: str) -> str:
    """The drawing as the text of an .svg file; `title` and `note` as in `render_svg`."""
    stacks = [(path, frame.b_own) for path, frame in difference.each() if frame.b_own]
    detail = f"{_NORMALS[normal]}: {change_words(difference, difference.root, normal)}"
    return render_svg(
        stacks,
        title=title,
        seconds_per_count=1e-6,
        detail=detail,
        note=note,
        painting=DifferencePainting(difference, normal, palette),
        tail=vanished_lines(difference, normal),
    )


def vanished_lines(difference: Difference, normal: str) -> list[str]:
    """What A has and B has not, as lines of text; the smallest are left out."""
    gone = difference.vanished()
    if not gone:
        return ["Nothing vanished: every frame of A is also in B."]
    least = difference.a.total_us * _SMALLEST_LISTED
    listed = [(path, frame) for path, frame in gone if frame.a_total >= least][:_MOST_LISTED]
    lines = ["Vanished, in A alone:"] if listed else []
    for path, frame in listed:
        under = f" below {take_apart(path[-2]).short}" if len(path) > 1 else ""
        noise = ", within the noise" if frame.within_noise else ""
        a = quantity(difference.scale_a.of(frame.a_total), normal)
        lines.append(f"– {a}: {take_apart(frame.label).short}{under}{noise}")
    if len(gone) > len(listed):
        more = len(gone) - len(listed)
        lines.append(f"– and {more} smaller ones" if listed else f"Vanished: {more}, each below 0.2 % of A.")
    return lines


def difference_folded(difference: Difference) -> str:
    """Lines of `frame;frame A B`, own microseconds of both windows: the input of difffolded.pl and its like."""
    lines = []
    for path, frame in difference.each():
        if frame.a_own or frame.b_own:
            lines.append(f"{folded_stack(path)} {frame.a_own} {frame.b_own}\n")
    return "".join(lines)
