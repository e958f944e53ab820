"""Renderer: summary.json, for scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.analysis.results import Results


def render(results: Results) -> Iterator[tuple[str, bytes]]:
    """Yield `summary.json`: ASCII, so that no name in it can steer the terminal that it is printed on."""
    trust = results.summary["trust"]
    # Second by second it is drawn on the page; here it would be most of the file.
    said = {**results.summary, "trust": {name: trust[name] for name in trust if name != "series"}}
    text = json.dumps(said, indent=2, ensure_ascii=True, allow_nan=False)
    yield results.run.summary_json.name, (text + "\n").encode("ascii")
