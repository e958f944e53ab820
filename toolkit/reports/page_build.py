"""`python -m toolkit.reports.page_build`: builds the script and style of report.html where their sources changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from toolkit.engines.node import find_node
from toolkit.errors import ToolkitError

_SCRIPT = Path(__file__).parent / "page" / "build.mjs"
_TIMEOUT_S = 180.0


def build() -> None:
    """Run page/build.mjs, which does nothing when page/dist is up to date.

    Raises:
        ToolkitError: no Node, an installed wheel (it carries the built page), or the build failed; says its words.
    """
    if not _SCRIPT.is_file():
        raise ToolkitError("There is nothing to build: an installed toolkit carries the built page.")
    try:
        done = subprocess.run(
            [find_node().path, _SCRIPT], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolkitError(f"Building the report page did not end within {_TIMEOUT_S:.0f} s.") from None
    if done.returncode:
        raise ToolkitError(f"The report page could not be built: {(done.stderr or done.stdout).strip()}")


def main() -> int:
    """Build; the exit code. Prints to standard error only when something is wrong."""
    try:
        build()
    except ToolkitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
