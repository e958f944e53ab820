"""The files of a throwaway SSH server: keys, its configuration, the client's configuration, known_hosts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SshFiles:
    """Where each file of a server lies."""

    folder: Path

    @property
    def host_key(self) -> Path:
        """The server's private key."""
        return self.folder / "host_key"

    @property
    def client_key(self) -> Path:
        """The private key that the server lets in."""
        return self.folder / "id_ed25519"

    @property
    def authorized_keys(self) -> Path:
        """The public keys that the server lets in."""
        return self.folder / "authorized_keys"

    @property
    def known_hosts(self) -> Path:
        """The server's public key, for the client."""
        return self.folder / "known_hosts"

    @property
    def client_config(self) -> Path:
        """For `ssh -F`."""
        return self.folder / "ssh_config"

    @property
    def openssh_config(self) -> Path:
        """For sshd."""
        return self.folder / "sshd_config"

    @property
    def embedded_config(self) -> Path:
        """For the embedded server."""
        return self.folder / "embedded_sshd.json"

    @property
    def pid_file(self) -> Path:
        """Written by the server once its port is open."""
        return self.folder / "sshd.pid"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.folder / "sshd.log"

    @property
    def state(self) -> Path:
        """Which process serves, for whoever stops it later."""
        return self.folder / "sshd.json"


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def make_key(path: Path, comment: str) -> str:
    """Write an Ed25519 key pair (`path`, `path`.pub) and return the public line."""
    key = Ed25519PrivateKey.generate()
    write_private(
        path,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        ),
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line = f"{public.decode()} {comment}"
    path.with_name(path.name + ".pub").write_text(line + "\n", encoding="ascii")
    return line


def quoted(path: Path) -> str:
    """A path as ssh_config and sshd_config take it."""
    return f'"{path}"'


def in_config(path: Path) -> str:
    """A path for the keywords that expand %-tokens: no token in it."""
    return quoted(path).replace("%", "%%")


def write_client_files(files: SshFiles, *, host_alias: str, port: int, user: str, host_public: str) -> None:
    """Write known_hosts and the client's configuration for a server on 127.0.0.1:`port`."""
    kind, blob = host_public.split()[:2]
    files.known_hosts.write_text(f"[127.0.0.1]:{port} {kind} {blob}\n", encoding="ascii")
    files.client_config.write_text(
        f"Host {host_alias}\n"
        "    HostName 127.0.0.1\n"
        f"    Port {port}\n"
        f"    User {user}\n"
        f"    IdentityFile {in_config(files.client_key)}\n"
        "    IdentitiesOnly yes\n"
        f"    UserKnownHostsFile {in_config(files.known_hosts)}\n"
        "    GlobalKnownHostsFile /dev/null\n"
        "    StrictHostKeyChecking yes\n",
        encoding="utf-8",
    )
