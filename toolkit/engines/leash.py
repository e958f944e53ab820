"""Processes that must not outlive the one that started them."""

from __future__ import annotations

import ctypes
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child of a threaded program must not load libraries. None where there is no such call.
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


def dies_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """What a child calls before its program begins: a load whose starter was killed must not go on, it gets this signal."""

    def bind() -> None:
        if _PRCTL is not None:
            _PRCTL(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return bind
