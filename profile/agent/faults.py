"""What the agent says when it cannot do something: a code for programs, a sentence and a cure for people."""

from __future__ import annotations

import errno
from typing import Any

CODES = (
    "no-gunicorn",
    "ambiguous",
    "not-gunicorn",
    "not-permitted",
    "unsupported",
    "no-space",
    "no-exec",
    "no-samples",
    "busy",
    "gone",
    "time-limit",
    "protocol",
    "internal",
)


class Fault(Exception):
    """A failure that the controller is told of as an `error` line.

    Args:
        code: one of `CODES`.
        message: what happened, in one sentence.
        hint: what to do next.
        listed: what there is to choose from (`all` on the wire).
        fatal: recording ends because of it.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", listed: tuple[Any, ...] = (), fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.listed = tuple(listed)
        self.fatal = fatal

    def as_message(self) -> dict[str, Any]:
        """The `error` line: `type, code, message, hint, all, fatal`."""
        return {
            "type": "error",
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "all": list(self.listed),
            "fatal": self.fatal,
        }


def is_full(error: OSError) -> bool:
    """Whether a disk, or what a user may have of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def no_space(folder: str, fatal: bool, told: str = "No space is left in %s.") -> Fault:
    """A full disk; `told` with a place for the folder."""
    hint = "Free some space, or set TMPDIR to a directory on another file system."
    return Fault("no-space", told % folder, hint, fatal=fatal)
