"""The one place where argv becomes a shell's command line."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_argv(argv: Sequence[str]) -> None:
    """Refuse what no system can start.

    Raises:
        UsageError: argv is empty, or an argument holds a NUL byte.
    """
    if not argv or not argv[0]:
        raise UsageError("A command to run is empty.")
    if any("\0" in argument for argument in argv):
        raise UsageError(f"An argument of {argv[0]} holds a NUL byte.")


def command_line(argv: Sequence[str]) -> str:
    """The line that a POSIX shell (SSH gives commands to the account's login shell) reads back as exactly `argv`.

    Raises:
        UsageError: argv is empty, or an argument holds a NUL byte.
    """
    check_argv(argv)
    return shlex.join(argv)


def shown(argv: Sequence[str], limit: int = 100) -> str:
    """A command for people: quoted, and cut to `limit` characters."""
    line = shlex.join(argv).replace("\n", " ")
    return line if len(line) <= limit else line[: limit - 1] + "…"
