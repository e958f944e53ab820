"""Rotated files that were read to their ends: somebody may write to one of them still, and some are moved back."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, List, Optional, Tuple

if TYPE_CHECKING:
    from log_generation import Generation
    from log_paths import Identity

KEPT_S = 60.0  # an open descriptor keeps a deleted file's place on the disk


class Rotated:
    """Keeps an eye on rotated files for a minute."""

    def __init__(self) -> None:
        self._files: List[Tuple[float, Generation]] = []

    def add(self, file: Generation) -> None:
        """Take over a file that is through."""
        self._files.append((time.monotonic() + KEPT_S, file))

    @property
    def identities(self) -> List[Identity]:
        """Which files they are."""
        return [file.identity for _, file in self._files]

    def moved_back(self, identity: Identity) -> Optional[int]:
        """Forget a file that is followed by its path again: how far it was read; None where it is none of these."""
        for place, (_, file) in enumerate(self._files):
            if file.identity == identity:
                del self._files[place]
                file.close()
                return file.offset
        return None

    def grown(self) -> List[Generation]:
        """Those that somebody has written to since; they are the caller's now."""
        kept, grown = [], []
        now = time.monotonic()
        for until, file in self._files:
            with contextlib.suppress(OSError):
                file.look()
            if file.unread > 0:
                grown.append(file)
            elif now > until:
                file.close()
            else:
                kept.append((until, file))
        self._files = kept
        return grown

    def close(self) -> None:
        """Let go of all of them."""
        for _, file in self._files:
            file.close()
        self._files = []
