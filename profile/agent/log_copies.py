"""After a copytruncate: the copy that holds what was written between our last look and the cut."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, List, Optional, Tuple

import log_paths

if TYPE_CHECKING:
    from log_generation import Generation
    from log_paths import Opened

_FRESH_S = 120.0
_MOST_NAMES = 2000
_MOST_OPENED = 4


def copy_of(generation: Generation, root: str) -> Optional[Opened]:
    """A file beside the log, with a name that begins like it, that holds what we read last at the same place."""
    path = generation.name
    inner = root if root.startswith("/proc/") else ""
    folder, base = os.path.split(path)
    if not folder.startswith("/"):
        return None
    for name in _newest(inner + folder, base):
        try:
            copy = log_paths.opened(inner, folder + "/" + name)
        except log_paths.Refused:
            continue
        if generation.is_copied_in(copy):
            return copy
        os.close(copy.descriptor)
    return None


def _newest(folder: str, base: str) -> List[str]:
    """Names of files that were written to lately, newest first: access.log.1, access.log-20261121, access-20261121.log."""
    stem = os.path.splitext(base)[0]
    found: List[Tuple[float, str]] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number > _MOST_NAMES:
                    break
                if (
                    entry.name == base
                    or not entry.name.startswith(stem)
                    or not entry.is_file(follow_symlinks=False)
                ):
                    continue
                found.append((entry.stat(follow_symlinks=False).st_ctime, entry.name))
    except OSError:
        return []
    newest = sorted(found, reverse=True)[:_MOST_OPENED]
    return [name for changed, name in newest if time.time() - changed < _FRESH_S]
