"""A wheel without the built page would make no report: hatchling ends here instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = ("page.js", "page.css")


class PageIsBuilt(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Look for the page; an editable installation comes before it is built.

        Raises:
            RuntimeError: it is not there; says what to do.
        """
        del build_data
        built = Path(self.root) / "toolkit" / "reports" / "page" / "dist"
        if version != "editable" and not all((built / name).is_file() for name in PAGE):
            raise RuntimeError(
                "The report page is not built: run make setup in the source tree, then build the wheel there."
            )
