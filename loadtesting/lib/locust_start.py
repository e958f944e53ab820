"""Starts Locust with our recorder in it: `python locust_start.py`, and then what `locust` takes."""

from __future__ import annotations

import sys
from pathlib import Path

# gevent's patches must come before anything else is imported that they change.
import locust  # noqa: F401

HERE = str(Path(__file__).resolve().parent)


def main() -> None:
    """As the `locust` command."""
    from locust.main import main as locust_main

    # The folder of this file must not be where a locustfile's own imports are looked for.
    sys.path[:] = [HERE, *(path for path in sys.path if path != HERE)]
    from locust_recorder.session import Session
    from locust_recorder.settings import settings

    sys.path.remove(HERE)
    given = settings()
    if given is not None:
        Session(given).open()
    sys.argv[0] = "locust"
    locust_main()


if __name__ == "__main__":
    main()
