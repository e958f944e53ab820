"""Starts the processes of clients, lets all of them go at once, and ends them when the time is over."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from capacity_clients.coordinator import Coordinator
from capacity_clients.process import ClientProcess
from capacity_clients.settings import process_settings, settings


def main() -> int:
    """The coordinator, with --check one that only looks, or a process of clients; the exit code."""
    own = process_settings()
    if own is not None:
        return ClientProcess(settings(), own).run()
    coordinator = Coordinator(settings())
    return coordinator.check() if "--check" in sys.argv[1:] else coordinator.run()


if __name__ == "__main__":
    sys.exit(main())
