"""Renderer: report.html, one file that needs no network, no server and trusts no name in it.

What is read (head, tables, facts) is written here, so that the page reads without scripts and prints; what moves (the time
axis, flamegraphs of any window, sorting, themes) is TypeScript under page/, built into page/dist. A content security policy
allows exactly the one script and the one style that this file put in, by hash.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from toolkit.errors import ToolkitError
from toolkit.reports import flamegraph_svg, page_data, page_flames
from toolkit.reports.flamegraph_text import visible
from toolkit.reports.page_grid import STEPS
from toolkit.reports.page_requests import histograms
from toolkit.reports.page_time import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results

HERE = Path(__file__).parent / "page"
DIST = HERE / "dist"
BUILD = "python -m toolkit.reports.page_build"
LARGEST = 4_900_000
"""Bytes of a page; the profile is packed into what the rest leaves of them."""
_MOST_TIMELINE = 700_000
"""Characters of the packed timeline: a longer run is shown in longer steps."""


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `report.html`.

    Raises:
        ToolkitError: the page's script was never built (a checkout that was not set up).
    """
    script = built("page.js")
    style = built("page.css") + flamegraph_svg.css()
    data = _packed_timeline(results)
    given = {
        **page_data.words(results),
        "policy": Markup(policy(script, style)),  # noqa: S704 - made of hashes alone
        "script": Markup(script),  # noqa: S704 - our own build
        "style": Markup(style),  # noqa: S704 - our own build
        "timeline": data,
        "flames": page_flames.still_flames(results),
        "profile": "",
    }
    template = _environment().get_template("report.html.j2")
    room = LARGEST - len(template.render(given).encode())
    given["profile"] = page_flames.packed_profile(results, room)
    yield "report.html", template.render(given).encode()


def policy(script: str, style: str) -> str:
    """The content security policy of a page with exactly this script and this style."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _packed_timeline(results: Results) -> str:
    """`RunData` of page/src/data.ts as base64 of gzip of JSON; empty where nothing was measured over time."""
    packed = ""
    for step in STEPS:
        over_time = timeline(results, step)
        if over_time is None:
            return ""
        packed = _packed({"timeline": over_time, "histograms": histograms(results)})
        if len(packed) <= _MOST_TIMELINE:
            break
    return packed


def _packed(data: dict[str, Any]) -> str:
    text = json.dumps(data, separators=(",", ":"))
    # No time in the gzip header: the same run gives the same page, byte for byte.
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def built(name: str) -> str:
    """A file of the built page: its script or its style.

    Raises:
        ToolkitError: it was never built (a checkout that was not set up).
    """
    try:
        return (DIST / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ToolkitError(
            f"The report page is not built: {name} is missing in {DIST}.",
            f"Run: {BUILD}  (make setup does it too).",
        ) from None


def _environment() -> Environment:
    # Control, invisible and bidirectional characters are written as escapes wherever a name of the run appears.
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
