"""No test here reads the developer's own SSH files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sshd_server import embedded_ssh, openssh, own_home, start_sshd
from toolkit.transports.base import ConnectOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.demo.sshd import SshServer

__all__ = ["embedded_ssh", "openssh", "own_home", "start_sshd"]


@pytest.fixture(autouse=True)
def _nobody_elses_ssh(own_home: Path) -> None:
    pass


@pytest.fixture
def configure(own_home: Path) -> Callable[..., ConnectOptions]:
    """Write a client configuration, every file of which lies under this test's own home."""

    def write(
        text: str, *, known_hosts: str = "", password: Callable[[str], str | None] | None = None
    ) -> ConnectOptions:
        known = own_home / ".ssh" / "known_hosts"
        known.write_text(known_hosts)
        config = own_home / ".ssh" / "config"
        config.write_text(
            f"{text}\nHost *\n    UserKnownHostsFile {known}\n    GlobalKnownHostsFile /dev/null\n    IdentitiesOnly yes\n"
        )
        config.chmod(0o600)
        return ConnectOptions(config_path=config, timeout_s=10, password=password)

    return write


def host_block(server: SshServer, *more: str, alias: str = "service", key: Path | None = None) -> str:
    """A Host block for a server, with further lines."""
    lines = [
        f"Host {alias}",
        "HostName 127.0.0.1",
        f"Port {server.port}",
        f"User {server.user}",
        f"IdentityFile {key or server.folder / 'id_ed25519'}",
        *more,
    ]
    return "\n    ".join(lines) + "\n"


def host_public(server: SshServer) -> str:
    """Type and key of a server, as in known_hosts."""
    return " ".join((server.folder / "host_key.pub").read_text().split()[:2])
