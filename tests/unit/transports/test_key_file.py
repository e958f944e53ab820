"""Key files of every form that ssh-keygen and openssl write."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from toolkit.transports.key_file import UnusableKeyError, WrongPassphraseError, inspect_key, unlock_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

PASSPHRASE = "open sesame"
KEYS: dict[str, PrivateKeyTypes] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
}
FORMS = {
    "openssh": serialization.PrivateFormat.OpenSSH,
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "pem": serialization.PrivateFormat.TraditionalOpenSSL,
}
CASES = [(kind, form) for kind in KEYS for form in FORMS if (kind, form) != ("ed25519", "pem")]


def public_of(kind: str) -> bytes:
    key = KEYS[kind].public_key()
    line = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(line.split()[1])


def write(path: Path, kind: str, form: str, passphrase: str = "") -> Path:
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    path.write_bytes(KEYS[kind].private_bytes(serialization.Encoding.PEM, FORMS[form], lock))
    return path


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_an_open_key(tmp_path: Path, kind: str, form: str) -> None:
    path = write(tmp_path / "k", kind, form)
    found = inspect_key(path)
    assert (found.public, found.locked, found.problem) == (public_of(kind), False, "")
    assert b"OPENSSH PRIVATE KEY" in unlock_key(path, None)


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_locked_key(tmp_path: Path, kind: str, form: str) -> None:
    path = write(tmp_path / "k", kind, form, PASSPHRASE)
    found = inspect_key(path)
    assert (found.locked, found.problem) == (True, "")
    assert found.public == (public_of(kind) if form == "openssh" else b"")
    for wrong in (None, "wrong"):
        with pytest.raises(WrongPassphraseError):
            unlock_key(path, wrong)
    opened = serialization.load_ssh_private_key(unlock_key(path, PASSPHRASE), None)
    assert type(opened) is type(KEYS[kind])


def test_the_public_half_beside_a_locked_key_tells_which_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "k", "rsa", "pem", PASSPHRASE)
    line = (
        KEYS["rsa"]
        .public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    (tmp_path / "k.pub").write_bytes(line + b" me@here\n")
    assert inspect_key(path).public == public_of("rsa")
    found = inspect_key(tmp_path / "k.pub")
    assert found.public == public_of("rsa")
    assert "only an agent" in found.problem


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        b"\xff" * 100,
    ],
)
def test_what_is_no_key(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "k").write_bytes(data)
    assert inspect_key(tmp_path / "k").problem
    with pytest.raises(UnusableKeyError):
        unlock_key(tmp_path / "k", None)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert inspect_key(tmp_path / "none").problem == "is missing"
    assert inspect_key(tmp_path).problem.startswith("cannot be read: ")
    with pytest.raises(UnusableKeyError):
        unlock_key(tmp_path / "none", None)
