"""Every renderer, one line each, in the order in which they run."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.analysis.results import Results

    Render = Callable[[Results], Iterator[tuple[str, bytes]]]


@dataclass(frozen=True)
class Renderer:
    """Turns results into files. Its module is imported only when it runs, so that a broken one costs itself alone."""

    name: str
    module: str

    def render(self, results: Results) -> Iterator[tuple[str, bytes]]:
        """Yield (path relative to the run folder, content) for each file; may yield none."""
        render = cast("Render", importlib.import_module(self.module).render)
        yield from render(results)


RENDERERS = (
    Renderer("summary_text", "toolkit.reports.summary_text"),
    Renderer("summary_json", "toolkit.reports.summary_json"),
    Renderer("junit", "toolkit.reports.junit"),
    Renderer("step_summary", "toolkit.reports.step_summary"),
    Renderer("flamegraphs", "toolkit.reports.flamegraphs"),
    Renderer("page", "toolkit.reports.page"),
    Renderer("postmortem", "toolkit.reports.postmortem.document"),
    Renderer("speedscope", "toolkit.reports.speedscope"),
    Renderer("folded", "toolkit.reports.folded"),
    Renderer("pprof", "toolkit.reports.pprof"),
    Renderer("unknown_records", "toolkit.reports.unknown_records"),
    Renderer("checksums", "toolkit.reports.checksums"),  # last: it covers what the others wrote
)
