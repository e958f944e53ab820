"""Draws one flamegraph as an SVG that stands alone, or beside others in a page.

The root is at the bottom and stacks grow upwards: that is what "flame" graph means and how most readers first met one;
a button in the drawing turns it over (py-spy draws its root at the top). Every frame carries its tooltip and its counts,
so that the file also says everything without its script. There is not one id in it and the script looks only
below its own `<svg>`: several may stand in one page, where the usual flamegraph scripts find each other's elements.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.reports.flamegraph_colours import CodePainting, stylesheet
from toolkit.reports.flamegraph_text import fit, take_apart, xml
from toolkit.reports.flamegraph_tree import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from toolkit.reports.flamegraph_colours import Painting
    from toolkit.reports.flamegraph_tree import Frame, Layout

WIDTH = 1200
MARGIN = 10
ROW = 16
NARROWEST = 0.001
"""Frames below this share of the whole are not drawn: at 1200 pixels that is one pixel."""

_HEAD = 154  # title, figures, legend, and room for the script's controls; each line of the note adds to it
_LEADING = 17
_LINE = 165
_MOST_LINES = 5
_COLUMN = 6.65  # pixels of one character of the frames' font; the script uses the same
_HERE = Path(__file__).parent


def render_svg(
    stacks: Iterable[tuple[Sequence[str], int]],
    *,
    title: str,
    seconds_per_count: float,
    detail: str = "",
    note: str = "",
    bare: bool = False,
    painting: Painting | None = None,
    tail: Sequence[str] = (),
) -> str:
    """The flamegraph of `stacks` as the text of an .svg file.

    Args:
        stacks: labels from root to leaf, `function (file.py:12)`, each with its count.
        title: the headline; also what a screen reader calls the drawing.
        seconds_per_count: what one count stands for (1e-6 for microseconds, 1 / rate for samples).
        detail: one line below the title (how long, at which rate).
        note: what a reader must know, or, where there are no stacks, why there are none.
        bare: leave out style and script, for a page that brings both once for all its flamegraphs.
        painting: what the colours mean; whose code it is, if not given.
        tail: lines of text below the drawing.
    """
    painting = painting or CodePainting()
    layout = lay_out(stacks, NARROWEST)
    if not layout.frames:
        below = _text_lines([fit(line, _LINE) for line in tail], 210)
        height = 190 + _LEADING * len(tail)
        return _document([*_empty(title, detail, note), *below], height, title, "" if bare else css())
    height = layout.levels * ROW + 2
    notes = _lines(note)
    head = _HEAD + _LEADING * len(notes)
    body = [
        f'<svg class="frames" x="{MARGIN}" y="{head}" width="{WIDTH - 2 * MARGIN}" height="{height}">',
        *_frames(layout, seconds_per_count, height, painting),
        "</svg>",
        *_text_lines([fit(line, _LINE) for line in tail], head + height + 20),
        _head(title, _said(layout, seconds_per_count, detail), notes, head, painting),
        *([] if bare else [f"<script><![CDATA[{inline_script()}]]></script>"]),
    ]
    tail_height = _LEADING * len(tail) + 16 if tail else 0
    style = "" if bare else _style() + painting.css
    return _document(body, head + height + tail_height + MARGIN, title, style)


@cache
def inline_script() -> str:
    """The script of one SVG: the code of the two script files, run on the `<svg>` around it."""
    sources = [
        (_HERE / name).read_text(encoding="utf-8")
        for name in ("flamegraph_frames.js", "flamegraph_script.js")
    ]
    # One classic script, not modules: an SVG opened from disk may not import its neighbours.
    code = re.sub(r"^(import .*\n|export )", "", "\n".join(sources), flags=re.MULTILINE)
    call = 'activateFlamegraph(document.currentScript.closest("svg"));'
    return f'(() => {{\n"use strict";\n{code}{call}\n}})();\n'


@cache
def css() -> str:
    """The style of every flamegraph; all its rules hang on the class `flamegraph`."""
    return _style() + stylesheet()


@cache
def _style() -> str:
    return (_HERE / "flamegraph_style.css").read_text(encoding="utf-8")


def _document(body: list[str], height: int, title: str, style: str) -> str:
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" class="flamegraph" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{xml(title)}">',
            *([f"<style><![CDATA[{style}]]></style>"] if style else []),
            '<rect class="paper" width="100%" height="100%"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _empty(title: str, detail: str, note: str) -> list[str]:
    return [
        f'<text class="title" x="{MARGIN}" y="26">{xml(title)}</text>',
        f'<text x="{MARGIN}" y="46">{xml(detail)}</text>',
        f'<text class="empty" x="{MARGIN}" y="90">No samples: nothing to draw.</text>',
        *_text_lines(_lines(note), 114),
    ]


def _head(title: str, said: str, notes: list[str], height: int, painting: Painting) -> str:
    legend = []
    at, y = MARGIN, height - 90
    for css_class, words in painting.legend:
        legend.append(
            f'<g class="{css_class}"><rect x="{at}" y="{y}" width="12" height="12" rx="2"/>'
            f'<text x="{at + 17}" y="{y + 10}">{xml(words)}</text></g>'
        )
        at += 35 + round(len(words) * 6.6)
    return "\n".join(
        [
            # Drawn after the frames and on its own paper: it stays in view while they scroll below it.
            f'<g class="head"><rect class="paper" width="100%" height="{height - 2}"/>',
            f'<text class="title" x="{MARGIN}" y="26">{xml(fit(title, 130))}</text>',
            f'<text x="{MARGIN}" y="46">{xml(fit(said, 190))}</text>',
            *_text_lines(notes, 64),
            *legend,
            f'<text class="hint" x="{MARGIN}" y="{height - 50}">Hold the pointer over a frame for its figures.</text>',
            "</g>",
        ]
    )


def _said(layout: Layout, seconds_per_count: float, detail: str) -> str:
    parts = [f"{seconds(layout.total * seconds_per_count)} sampled"]
    if detail:
        parts.insert(0, detail)
    if layout.pruned_frames:
        share = percent(layout.pruned, layout.total)
        parts.append(
            f"frames narrower than {NARROWEST:.1%} are not drawn: {share} of the time".replace("%", " %", 1)
        )
    return " · ".join(parts)


def _lines(words: str) -> list[str]:
    lines: list[str] = []
    for word in words.split():
        if not lines or len(lines[-1]) + len(word) > _LINE:
            lines.append(fit(word, _LINE))
        else:
            lines[-1] += f" {word}"
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} …"]
    return lines


def _text_lines(lines: list[str], y: int) -> list[str]:
    return [
        f'<text x="{MARGIN}" y="{y + _LEADING * index}">{xml(line)}</text>'
        for index, line in enumerate(lines)
    ]


def _frames(layout: Layout, seconds_per_count: float, height: int, painting: Painting) -> Iterable[str]:
    path: list[str] = []
    for frame in layout.frames:
        if frame.depth:
            path[frame.depth - 1 :] = [frame.label]
        y = height - (frame.depth + 1) * ROW
        yield _frame(frame, path, layout.total, seconds_per_count, y, painting)


def _frame(
    frame: Frame, path: list[str], total: int, seconds_per_count: float, y: int, painting: Painting
) -> str:
    place = take_apart(frame.label)
    left, share = _percent4(frame.start, total), _percent4(frame.total, total)
    words = fit(place.short, int((frame.total / total * (WIDTH - 2 * MARGIN) - 6) / _COLUMN))
    text = f'<text x="{left}" dx="3" y="{y + 11}">{xml(words)}</text>' if words else ""
    figures = (
        f"total {seconds(frame.total * seconds_per_count)} ({percent(frame.total, total)}), "
        f"self {seconds(frame.own * seconds_per_count)} ({percent(frame.own, total)})"
    )
    if more := painting.words(path):
        figures = f"{more} · {figures}"
    return (
        f'<g class="{painting.class_of(path, place.file)}" '
        f'data-f="{frame.start},{frame.total},{frame.own},{frame.depth}">'
        f"<title>{xml(place.full)}\n{figures}</title>"
        f'<rect x="{left}" y="{y}" width="{share}" height="{ROW - 1}"/>{text}</g>'
    )


def _percent4(part: int, whole: int) -> str:
    return f"{part / whole * 100:.4f}%"


def percent(part: float, whole: float) -> str:
    """`12.34 %`; two decimals, as everywhere in a flamegraph."""
    return f"{part / whole * 100:.2f} %"


def seconds(value: float) -> str:
    """A duration with three significant decimals below ten seconds, fewer above: `1.234 s`, `123.4 s`."""
    return f"{value:,.3f} s" if value < 10 else f"{value:,.1f} s"
