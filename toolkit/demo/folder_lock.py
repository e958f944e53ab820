"""One start or stop of a demo at a time, with no lock file left behind: the folder itself is locked."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WAIT_S = 60.0


@contextmanager
def locked(folder: Path, *, create: bool = False) -> Iterator[None]:
    """Hold `folder` for this process while the block runs.

    Args:
        folder: may be removed inside the block.
        create: make it (mode 0700) if it is missing.

    Raises:
        ToolkitError: it cannot be made or opened, or another process holds it for a minute.
    """
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            if create:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise ToolkitError(f"{folder} cannot be used for the demo: {error.strerror}.") from error
        try:
            if _lock(descriptor) and _is_still(folder, descriptor):
                yield
                return
        finally:
            os.close(descriptor)
        if time.monotonic() > deadline:
            raise ToolkitError(
                f"Another process has been starting or stopping the demo in {folder} for a minute."
            )
        time.sleep(0.05)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(folder: Path, descriptor: int) -> bool:
    """Whether the folder that is locked is the one of that name: the holder before us may have removed it."""
    try:
        return os.path.samestat(folder.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
