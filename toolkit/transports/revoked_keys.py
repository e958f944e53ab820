"""The lists that `RevokedHostKeys` names: text with a key on each line, or a list in ssh-keygen's own form (a KRL)."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_KRL_MAGIC = b"SSHKRL\n\0"
_KEYGEN_S = 20.0


class UnreadableListError(Exception):
    """Whether a key is in a list cannot be told; the message says why, for people."""


def revoking(paths: Iterable[Path], kind: str, blob: bytes) -> str | None:
    """Where a key is revoked (`/etc/ssh/revoked line 3`); None where no list holds it.

    Args:
        paths: the lists.
        kind: the key's type.
        blob: the key in wire form.

    Raises:
        UnreadableListError: a list is missing or cannot be read: ssh then trusts no host, and neither do we.
    """
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UnreadableListError(f"{path} cannot be read: {error.strerror}") from None
        if data.startswith(_KRL_MAGIC):
            if _in_krl(path, kind, blob):
                return str(path)
        elif (line := _line_of(data, path, blob)) is not None:
            return f"{path} line {line}"
    return None


def _line_of(data: bytes, path: Path, blob: bytes) -> int | None:
    """The line of a text that holds the key. A line that is none is a mistake, as it is for ssh."""
    for number, line in enumerate(data.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        try:
            listed = base64.b64decode(words[1], validate=True)
        except (IndexError, ValueError):
            raise UnreadableListError(f"{path} line {number} is no public key") from None
        if listed == blob:
            return number
    return None


def _in_krl(path: Path, kind: str, blob: bytes) -> bool:
    keygen = shutil.which("ssh-keygen")
    if keygen is None:
        raise UnreadableListError(
            f"{path} is a list in ssh-keygen's form, and there is no ssh-keygen to read it"
        )
    with tempfile.NamedTemporaryFile("w", prefix="toolkit-", suffix=".pub") as key:
        key.write(f"{kind} {base64.b64encode(blob).decode()}\n")
        key.flush()
        argv = [keygen, "-Q", "-f", str(path), key.name]
        try:
            done = subprocess.run(
                argv, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=_KEYGEN_S
            )
        except (OSError, subprocess.TimeoutExpired):
            raise UnreadableListError(f"{path} could not be read by ssh-keygen") from None
    if b"REVOKED" in done.stdout:
        return True
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().replace("\r", "").replace("\n", " ")
        raise UnreadableListError(f"{path} could not be read by ssh-keygen: {said}")
    return False
