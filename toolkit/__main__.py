"""`python -m toolkit`, and the installed command `toolkit`."""

import sys
from typing import NoReturn

from toolkit.errors import WHICH_PYTHON


def run() -> None:
    """Call the command line. Ctrl-C while it is still being loaded is no error of ours, and has nothing to undo."""
    if sys.version_info < (3, 11):
        _refuse("is older than 3.11")
    try:
        from toolkit.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "toolkit":
            raise
        _refuse(f"has no package {error.name}")
    main()


def _refuse(why: str) -> NoReturn:
    # Older Pythons must be able to read this file, too.
    sys.stderr.write(f"toolkit: this Python ({sys.executable}) {why}. {WHICH_PYTHON}\n")
    sys.exit(2)


if __name__ == "__main__":
    run()
