"""Whole files, written so that a reader sees the old one or the new one and never a half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write `data` to a temporary file beside `path`, then rename it over `path`. Mode 0600.

    Raises:
        OSError: the folder is missing, not writable or full.
    """
    raw = data.encode() if isinstance(data, str) else data
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def keep_private() -> None:
    """From here on what this process and its children write is its user's alone (0700, 0600), and so it stays when it is moved.

    A run says what a service's clients ask for, and what its logs hold.
    """
    os.umask(0o077)
