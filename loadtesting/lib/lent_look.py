"""Says as JSON what a host has for a worker: its Locust, and why it does not reach the target. `python - HOST PORT < this`."""

from __future__ import annotations

import json
import socket
import sys

_TIMEOUT_S = 5.0


def main() -> None:
    """Host and port may be missing: then nothing is connected to."""
    found = {"python": sys.executable, "locust": "", "target": ""}
    try:
        from importlib.metadata import version

        found["locust"] = version("locust")
    except Exception:  # noqa: BLE001, S110 - an old Python or a broken installation: it is not there
        pass
    if len(sys.argv) > 2:
        try:
            socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=_TIMEOUT_S).close()
        except OSError as error:
            found["target"] = error.strerror or str(error) or type(error).__name__
    print("toolkit-look " + json.dumps(found))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
