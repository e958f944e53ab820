"""Reads known_hosts files as OpenSSH does: patterns, negation, hashed names, `@revoked` and `@cert-authority`.

paramiko matches no patterns and gives up on a whole file for one line with a marker.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_MARKERS = ("@revoked", "@cert-authority")


@dataclass(frozen=True)
class KnownKey:
    """One line: who has which key. `blob` is the key in SSH's wire form."""

    path: Path
    line: int
    marker: str
    """"", "@revoked" or "@cert-authority"."""
    hosts: str
    kind: str
    blob: bytes

    def by_pattern(self) -> bool:
        """Whether the line names hosts by a pattern, which `ssh-keygen -R` does not remove."""
        return any(sign in self.hosts for sign in "*?!")


class Standing(Enum):
    """What the files say about a host and the key it showed."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    OTHER_KIND = "other kind"
    """Only keys of other kinds are known; the one shown is not among them."""
    REVOKED = "revoked"
    AUTHORITY_ONLY = "authority only"
    """The files expect a certificate, and this toolkit reads none."""


@dataclass(frozen=True)
class Verdict:
    """A standing, and the lines that it rests on."""

    standing: Standing
    lines: tuple[KnownKey, ...] = ()


def host_name_in_files(host: str, port: int) -> str:
    """How known_hosts names a host: `host`, or `[host]:port` for a port other than 22."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def read_known_hosts(paths: Iterable[Path]) -> list[KnownKey]:
    """Every readable line of the files that exist, in order."""
    found = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found += parse_known_hosts(text, path)
    return found


def parse_known_hosts(text: str, path: Path) -> list[KnownKey]:
    """Lines of a file's text; what is no such line (and old protocol 1 keys) is passed over, as ssh does."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        marker = words.pop(0) if words[0] in _MARKERS else ""
        if len(words) < 3 or words[0].startswith("@"):
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        found.append(KnownKey(path, number, marker, words[0], words[1], blob))
    return found


def names_host(hosts: str, name: str) -> bool:
    """Whether the first field of a line stands for `name`: literally, by pattern, or hashed."""
    if hosts.startswith("|1|"):
        return _hashed_match(hosts, name)
    matched = False
    for pattern in hosts.lower().split(","):
        if _matches(pattern.removeprefix("!"), name.lower()):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def judge(known: Sequence[KnownKey], names: Sequence[str], kind: str, blob: bytes) -> Verdict:
    """Judge the key that a host showed.

    Args:
        known: the lines of all files.
        names: what the files may call the host, the right name first; under a further one (the host without
            its port) only the very same key counts.
        kind: the key's type, "ssh-ed25519" say.
        blob: the key in wire form.
    """
    lines = [line for line in known if any(names_host(line.hosts, name) for name in names)]
    revoked = tuple(line for line in lines if line.marker == "@revoked" and line.blob == blob)
    if revoked:
        return Verdict(Standing.REVOKED, revoked)
    plain = [line for line in lines if not line.marker]
    same = tuple(line for line in plain if line.blob == blob)
    if same:
        return Verdict(Standing.KNOWN, same)
    named = [line for line in plain if names_host(line.hosts, names[0])]
    changed = tuple(line for line in named if line.kind == kind)
    if changed:
        return Verdict(Standing.CHANGED, changed)
    if named:
        return Verdict(Standing.OTHER_KIND, tuple(named))
    authorities = tuple(line for line in lines if line.marker == "@cert-authority")
    return Verdict(Standing.AUTHORITY_ONLY, authorities) if authorities else Verdict(Standing.UNKNOWN)


def known_kinds(known: Sequence[KnownKey], names: Sequence[str]) -> list[str]:
    """The key types that are known for a host, to ask it for one of these first."""
    kinds = [
        line.kind for line in known if not line.marker and any(names_host(line.hosts, name) for name in names)
    ]
    return list(dict.fromkeys(kinds))


def fingerprint(blob: bytes) -> str:
    """As `ssh-keygen -l` shows it: `SHA256:…`."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _hashed_match(hosts: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in hosts[3:].split("|"))
    except ValueError:
        return False
    return hmac.compare_digest(hmac.digest(salt, name.lower().encode(), "sha1"), digest)


def _matches(pattern: str, name: str) -> bool:
    """`*` and `?` only: the brackets of `[host]:port` are no character class."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
