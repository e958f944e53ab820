"""What every transport can do: run argv, talk to a long-running process, put a file.

Relative paths start in the login directory over SSH and in the current directory locally: use absolute ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class ConnectOptions:
    """How to reach and log in to a host, beyond what its address and the client's configuration say."""

    config_path: Path | None = None
    """An ssh_config to read alone, as `ssh -F`; None reads the user's and the system's."""
    known_hosts: tuple[Path, ...] = ()
    """Read instead of the configured ones (by default ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts)."""
    identity_files: tuple[Path, ...] = ()
    """Private keys to try before the configured ones."""
    password: Callable[[str], str | None] | None = None
    """Called with a prompt when a passphrase or password is needed and nothing else let us in; None declines.

    May be called from another thread. It is asked again after a wrong answer, at most three times.
    """
    timeout_s: float | None = None
    """To connect, for each host on the way; None takes `ConnectTimeout`, else 15 s."""


@dataclass(frozen=True)
class Completed:
    """A command that ended. `exit_code` is -1 where a signal ended it or the connection broke."""

    argv: tuple[str, ...]
    exit_code: int
    stdout: bytes
    stderr: bytes


class RemoteProcess(Protocol):
    """A process that was started and is talked to over its own streams."""

    def write(self, data: bytes) -> None:
        """Send to its standard input.

        Raises:
            UnreachableError: the process or the connection is gone, or nothing could be sent for 10 s.
        """

    def close_input(self) -> None:
        """Let it see the end of its input."""

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Yield ("stdout" | "stderr", line without its newline) as they come, from both streams together.

        Ends when both streams have ended. A line longer than 1 MiB is cut there, and the rest comes as a further line.
        """

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None where it still runs after `timeout_s`."""

    def kill(self) -> None:
        """End the local side (a local process gets SIGKILL, a channel is closed). Never raises."""


class Transport(Protocol):
    """One host."""

    @property
    def address(self) -> str:
        """As shown to people: `ssh://user@host:port` or `local:`. No secret."""

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30.0) -> Completed:
        """Run argv to its end and keep both outputs (read together; of each the first 8 MiB, the rest is let go).

        A program that is missing is no error here: its exit code is 127, as a shell's.

        Raises:
            UnreachableError: the connection broke or the command outlasted `timeout_s`.
        """

    def start(self, argv: Sequence[str]) -> RemoteProcess:
        """Start argv and return at once.

        Raises:
            UnreachableError: the connection is gone, or the host starts no more commands over it.
        """

    def put(self, data: bytes, path: str, mode: int) -> None:
        """Write a new file with `mode`; refuses to follow or replace anything that is already there.

        Raises:
            UnreachableError: the connection broke.
            ToolkitError: the file could not be written; says why (exists, no space, no right).
        """

    def exists(self, path: str) -> bool:
        """Whether there is anything of that name, a link that leads nowhere too.

        Raises:
            UnreachableError: the connection broke.
            ToolkitError: nobody there can say.
        """

    def close(self) -> None:
        """Close the connection. Never raises; safe to call twice."""


class Tunnels(Protocol):
    """What a transport to another machine can do beside the rest."""

    def reverse(self, port: int) -> int:
        """A port of the host's own loopback: who connects to it there reaches `port` of this machine's loopback.

        It is there until the connection is closed.

        Raises:
            UnreachableError: the host's SSH server refuses, or the connection broke.
        """


class Away(Transport, Tunnels, Protocol):
    """A host that lends its CPU to a load, and must reach us for that."""
