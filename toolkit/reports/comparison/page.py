"""compare.html: the whole comparison in one file that needs no network and trusts no name in it."""

from __future__ import annotations

import re
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import toolkit
from toolkit.analysis.comparison.judging import BETTER, SAME, UNKNOWN, WORSE
from toolkit.reports.comparison import words
from toolkit.reports.flamegraph_svg import inline_script
from toolkit.reports.flamegraph_text import visible
from toolkit.reports.page import built, policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HERE = Path(__file__).parent
_TONES = {WORSE: "bad", BETTER: "good", SAME: "same", UNKNOWN: "unknown", "gained": "bad", "lost": "good"}
_REACH = 0.3
"""Relative change at the edge of the little drawings."""
_MOST_FUNCTIONS = 40
_STYLE = re.compile(r"<style><!\[CDATA\[(.*?)\]\]></style>", re.DOTALL)


def comparison_page(content: dict[str, Any], drawings: Sequence[tuple[str, str]]) -> str:
    """The page's text.

    Args:
        content: of compare.json.
        drawings: title and text of each differential flamegraph.
    """
    styles = dict.fromkeys(found for _, svg in drawings for found in _STYLE.findall(svg))
    style = built("page.css") + (_HERE / "compare.css").read_text(encoding="utf-8") + "".join(styles)
    changed = [row for row in content["functions"] if row["verdict"] in ("gained", "lost")]
    return (
        _environment()
        .get_template("compare.html.j2")
        .render(
            policy=Markup(policy(inline_script() if drawings else "", style)),  # noqa: S704 - made of hashes alone
            style=Markup(style),  # noqa: S704 - our own
            headline=words.headline(content).split("; exit")[0],
            tone=_TONES[content["verdict"]],
            content=content,
            sides=[_side(name, content[name]) for name in ("base", "new")],
            groups=list(_groups(content["comparisons"])),
            alone=[(side, _alone(content["only_in"][side])) for side in ("base", "new")],
            functions=[_line(row) for row in changed[:_MOST_FUNCTIONS]],
            functions_left_out=max(0, len(changed) - _MOST_FUNCTIONS),
            functions_unchanged=words.functions_unchanged(content["functions"]),
            functions_open=words.functions_open(content["functions"]),
            functions_judged=len(content["functions"]),
            drawings=[(title, Markup(_inline(svg))) for title, svg in drawings],  # noqa: S704 - escaped where it was made
            version=toolkit.__version__,
        )
    )


def _side(name: str, side: dict[str, Any]) -> dict[str, Any]:
    began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(side["started_ns"] / 1e9))
    return {**side, "side": name, "began": began}


def _groups(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of one thing and phase together."""
    for (thing, place), its in groupby(rows, key=lambda row: (words.thing(row), words.place(row))):
        yield {"thing": thing, "phase": place, "rows": [_line(row) for row in its]}


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "base_words": words.value(row["base"], row["unit"]),
        "new_words": words.value(row["new"], row["unit"]),
        "difference_words": words.difference(row),
        "interval_words": words.interval(row),
        "tone": _TONES[row["verdict"]],
        "drawing": _drawing(row),
    }


def _drawing(row: dict[str, Any]) -> dict[str, float] | None:
    """Where the interval and the point lie, 0 to 100, 50 being no difference; None where there is none to draw."""
    interval = row["relative_interval"]
    if interval is None or row["relative"] is None:
        return None
    low, high, point = (
        50 + 50 * max(-_REACH, min(_REACH, part)) / _REACH for part in (*interval, row["relative"])
    )
    return {"low": round(low, 2), "width": round(max(high - low, 0.8), 2), "point": round(point, 2)}


def _alone(rows: list[dict[str, Any]]) -> list[str]:
    return [
        f"{words.thing(row)} in phase {words.place(row)}"
        + (f", {row['requests']:,} requests" if "requests" in row else "")
        for row in rows
    ]


def _inline(svg: str) -> str:
    """A drawing inside the page: without the line that only a file begins with, and without its style, which the page brings."""
    return _STYLE.sub("", re.sub(r"^<\?xml[^>]*>\s*", "", svg))


def _environment() -> Environment:
    # Control, invisible and bidirectional characters are written as escapes wherever a name of a run appears.
    return Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
