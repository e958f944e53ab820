"""`python -m toolkit`, and the installed command `toolkit`."""

import sys


def run() -> None:
    """Call the command line. Ctrl-C while it is still being loaded is no error of ours, and has nothing to undo."""
    try:
        from toolkit.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
