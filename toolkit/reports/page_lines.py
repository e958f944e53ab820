"""Text of several lines in report.html: the only control character that a template may write is the end of a line."""

from __future__ import annotations

from markupsafe import Markup

from toolkit.reports.flamegraph_text import visible


def lines_of(text: str) -> Markup:
    """`text` escaped for HTML, every character that cannot be seen as its escape, its lines kept (see `pre` in the templates)."""
    return Markup("\n").join(visible(line.removesuffix("\r").expandtabs(4)) for line in text.split("\n"))
