"""Addresses of hosts: `ssh://[user@]host[:port]` and `local:`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from toolkit.errors import UsageError

_FORM = "Write ssh://[user@]host[:port] or local:."
_SSH = re.compile(r"(?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]*\]|[^\[\]:]*)(?::(?P<port>[^:/]*))?/?")
_HOST = re.compile(r"[^\s\0-\x1f\x7f/?#@,;'\"`$&|<>()\\]+")


@dataclass(frozen=True)
class Address:
    """A parsed address. `user` is empty and `port` 0 where they are not given; `host` may be an alias of ssh_config."""

    scheme: str
    user: str = ""
    host: str = ""
    port: int = 0


def parse_address(text: str) -> Address:
    """Take an address apart.

    Raises:
        UsageError: it is none, or it holds a password.
    """
    scheme, separator, rest = text.partition(":")
    if not separator or "@" in scheme or (scheme.lower() == "ssh" and not rest.startswith("//")):
        raise UsageError(f"{_masked(text)!r} is no address of a server.", _FORM)
    if scheme.lower() != "ssh":
        return Address(scheme.lower(), host=rest.removeprefix("//"))
    return _parse_ssh(rest[2:], text)


def parse_jump(text: str) -> Address:
    """One hop of ProxyJump: `[user@]host[:port]` or `ssh://…`.

    Raises:
        UsageError: it is none.
    """
    return _parse_ssh(text.strip().removeprefix("ssh://"), text)


def shown_host(host: str) -> str:
    """A host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _parse_ssh(rest: str, text: str) -> Address:
    found = _SSH.fullmatch(rest)
    if not found:
        raise UsageError(f"{_masked(text)!r} is no address of a server.", _FORM)
    user = unquote(found["user"] or "")
    if ":" in user:
        raise UsageError(
            f"The address {_masked(text)!r} holds a password.",
            "Leave it out: it is asked for when it is needed. Better still, use a key.",
        )
    host = found["host"].strip("[]")
    if (
        not _HOST.fullmatch(host)
        or host.startswith("-")
        or user.startswith("-")
        or re.search(r"[\s\0]", user)
    ):
        raise UsageError(f"{text!r} names no host or user that ssh could take.", _FORM)
    return Address("ssh", user, host, _port(found["port"], text))


def _port(text: str | None, address: str) -> int:
    if text is None:
        return 0
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise UsageError(f"The port of {address!r} is no number from 1 to 65535.", _FORM)


def _masked(text: str) -> str:
    """An address without whatever stands before the last @ and after its first colon."""
    before, at, after = text.rpartition("@")
    if not at:
        return text
    head = re.match(r"(?:[A-Za-z]+://)?[^:]*", before)
    user = head.group() if head else ""
    return f"{user}:***@{after}" if len(user) < len(before) else text
