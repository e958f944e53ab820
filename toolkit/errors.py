"""The one tree of errors. Each says what happened and where, carries what to do next, and has an exit code.

    ToolkitError                  1   the toolkit failed
    ├── UsageError                2   bad usage, bad plan, bad scenario file
    ├── UnreachableError         69   a host or the target could not be reached
    ├── NotPermittedError        77   ptrace, sudo, a host key
    ├── RunInvalidError          97   the numbers of this run must not be used
    ├── CheckFailedError         99   a check did not hold
    └── InterruptedRunError  130/143  SIGINT or SIGTERM

Only `toolkit.cli` turns them into an exit code. A message never holds a secret.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_REGRESSION = 98

WHICH_PYTHON = "Call it as .venv/bin/python -m toolkit, which `make` sets up."
"""What to do where this Python is not the one that the toolkit was installed for."""


class ToolkitError(Exception):
    """Something went wrong that a person can act on.

    Args:
        message: what happened, and where, in one sentence.
        hint: what to do next; empty where there is nothing to do.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(ToolkitError):
    """A wrong option, plan or scenario file."""

    exit_code = 2


class UnreachableError(ToolkitError):
    """A host or the target could not be reached."""

    exit_code = 69


class NotPermittedError(ToolkitError):
    """The system refused: ptrace, sudo, a key, a host key."""

    exit_code = 77


class RunInvalidError(ToolkitError):
    """The run ended but its numbers must not be used."""

    exit_code = 97


class CheckFailedError(ToolkitError):
    """The run ended and a check did not hold."""

    exit_code = 99


class InterruptedRunError(ToolkitError):
    """The operator stopped the run; the bundle is written."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
