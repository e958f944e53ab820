"""The folder that a comparison leaves: compare.html, compare.json, and a differential flamegraph for each server and view."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from toolkit.analysis.flames import VIEW_WORDS
from toolkit.errors import ToolkitError
from toolkit.recording.files import write_atomically
from toolkit.reports.comparison.page import comparison_page
from toolkit.reports.flamegraph_difference import difference_svg
from toolkit.reports.terminal_text import file_part

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.analysis.comparison.whole import TwoResults

PAGE, DATA = "compare.html", "compare.json"


def write_comparison(results: TwoResults, folder: Path, palette: str) -> None:
    """Write all of it; files of an earlier comparison are replaced.

    Raises:
        ToolkitError: the folder cannot be made or written.
    """
    drawings, listed = [], []
    content = results.content
    for flame in results.flames():
        title = f"{flame.server}: {VIEW_WORDS.get(flame.view, flame.view)} per {flame.normal}, what changed"
        svg = difference_svg(
            flame.difference, title, " ".join(flame.notes), normal=flame.normal, palette=palette
        )
        name = f"difference-{file_part(flame.server)}-{file_part(flame.view)}.svg"
        listed.append({"server": flame.server, "view": flame.view, "file": name})
        drawings.append((name, f"{flame.server}, {flame.view}", svg))
    content["flamegraphs"] = listed
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, _, svg in drawings:
            write_atomically(folder / name, svg)
        _write(folder / DATA, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        _write(folder / PAGE, comparison_page(content, [drawing[1:] for drawing in drawings]))
    except OSError as error:
        raise ToolkitError(
            f"The comparison could not be written to {folder}: {error.strerror or error}.",
            "Name another folder with --output.",
        ) from error


def _write(path: Path, text: str) -> None:
    """What a run.json that somebody edited holds need not be valid UTF-8."""
    write_atomically(path, text.encode("utf-8", "replace"))
