"""Private key files: which public key they hold, whether they are locked, and how to unlock them."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_MAGIC = b"openssh-key-v1\0"
_OPENSSH = re.compile(
    rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END OPENSSH PRIVATE KEY-----", re.DOTALL
)
_PUBLIC = re.compile(rb"\s*(?:ssh-|ecdsa-|sk-)\S+ ([A-Za-z0-9+/=]+)")


class WrongPassphraseError(Exception):
    """The passphrase does not open the key, or one is needed and none was given."""


class UnusableKeyError(Exception):
    """The file holds no key that can be used; the message says why, for people."""


@dataclass(frozen=True)
class KeyFile:
    """What can be told of a key file without a passphrase."""

    path: Path
    public: bytes
    """The public key in SSH's wire form; empty where it cannot be told."""
    locked: bool
    problem: str
    """Why the private half cannot be used; empty where it can."""


def inspect_key(path: Path) -> KeyFile:
    """Look at a key file. Never raises: a file that is missing or no key has a `problem`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = (
            "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        return KeyFile(path, _public_beside(path), locked=False, problem=problem)
    if found := _PUBLIC.match(data):
        return KeyFile(
            path, _decoded(found[1]), locked=False, problem="is a public key, which only an agent can use"
        )
    if found := _OPENSSH.search(data):
        return _inspect_openssh(path, _decoded(found[1]))
    if b"ENCRYPTED" in data:
        return KeyFile(path, _public_beside(path), locked=True, problem="")
    try:
        return KeyFile(path, _public_of(_load(data, None)), locked=False, problem="")
    except (WrongPassphraseError, UnusableKeyError) as error:
        return KeyFile(path, b"", locked=False, problem=str(error))


def unlock_key(path: Path, passphrase: str | None) -> bytes:
    """The private key as unencrypted OpenSSH PEM, to be kept in memory only.

    Raises:
        WrongPassphraseError: `passphrase` is wrong or missing.
        UnusableKeyError: the file cannot be read or holds no key of a type that can be used.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableKeyError(f"cannot be read: {error.strerror}") from None
    key = _load(data, passphrase.encode() if passphrase is not None else None)
    try:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKeyError("is of a type that SSH does not use") from None


def _load(data: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    reader = (
        serialization.load_ssh_private_key if _OPENSSH.search(data) else serialization.load_pem_private_key
    )
    try:
        return reader(data, passphrase)
    except TypeError:
        raise WrongPassphraseError("needs a passphrase") from None
    except UnsupportedAlgorithm:
        raise UnusableKeyError("is of a type that only an agent can use") from None
    except ValueError:
        if passphrase is not None:
            raise WrongPassphraseError("is not opened by this passphrase") from None
        raise UnusableKeyError("holds no private key that can be read") from None


def _inspect_openssh(path: Path, body: bytes) -> KeyFile:
    """The format keeps the public key outside the encrypted part."""
    try:
        cipher, rest = _string(body.removeprefix(_MAGIC))
        _kdf, rest = _string(rest)
        _kdf_options, rest = _string(rest)
        public, _ = _string(rest[4:])
        kind, _ = _string(public)
    except (ValueError, struct.error):
        return KeyFile(path, b"", locked=False, problem="holds no private key that can be read")
    problem = "needs its security key, which only an agent can use" if kind.startswith(b"sk-") else ""
    return KeyFile(path, public, locked=cipher != b"none", problem=problem)


def _string(data: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        raise ValueError
    return data[4 : 4 + length], data[4 + length :]


def _public_of(key: PrivateKeyTypes) -> bytes:
    try:
        line = key.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
    except (ValueError, UnsupportedAlgorithm, TypeError):
        raise UnusableKeyError("is of a type that SSH does not use") from None
    return base64.b64decode(line.split()[1])


def _public_beside(path: Path) -> bytes:
    try:
        found = _PUBLIC.match(path.with_name(path.name + ".pub").read_bytes())
    except OSError:
        return b""
    return _decoded(found[1]) if found else b""


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""
