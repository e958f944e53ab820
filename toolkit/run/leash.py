"""Processes of a run that must not outlive it."""

from __future__ import annotations

import ctypes
import signal

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child of a threaded program must not load libraries. None where there is no such call.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


def die_with_controller() -> None:
    """In the child: a load whose controller was killed must not go on."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
