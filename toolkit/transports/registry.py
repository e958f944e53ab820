"""Which transport serves which scheme. A new one is one file and one line here."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, cast

from toolkit.errors import UsageError
from toolkit.transports.address import Address, parse_address
from toolkit.transports.base import ConnectOptions, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

_OPENERS = {
    # Imported when first used: paramiko alone takes longer to import than the rest together.
    "local": "toolkit.transports.local:open_local",
    "ssh": "toolkit.transports.ssh:open_ssh",
}

_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|::1", re.IGNORECASE)


def open_transport(address: str, options: ConnectOptions | None = None) -> Transport:
    """Connect to a host.

    Args:
        address: `ssh://[user@]host[:port]`, where host may be an alias of ssh_config, or `local:`.
        options: how to log in, and what to read instead of the user's own SSH files.

    Raises:
        UsageError: the address or the client's configuration is wrong.
        UnreachableError: the host, or one on the way, cannot be reached.
        NotPermittedError: a host key is unknown, changed or revoked, or the login was refused.
    """
    parsed = parse_address(address)
    if parsed.scheme not in _OPENERS:
        known = ", ".join(f"{name}:" for name in _OPENERS)
        raise UsageError(f"There is no transport {parsed.scheme!r}.", f"There are: {known}")
    module, _, name = _OPENERS[parsed.scheme].partition(":")
    opener = cast(
        "Callable[[Address, ConnectOptions], Transport]", getattr(importlib.import_module(module), name)
    )
    return opener(parsed, options or ConnectOptions())


def host_of(address: str, options: ConnectOptions | None = None) -> str | None:
    """The host that an address leads to by the client's configuration; None for this machine. Connects to nothing.

    Of the way to `localhost` behind a jump host it is the jump host: that `localhost` is not ours.

    Raises:
        UsageError: the address or the client's configuration is wrong.
    """
    parsed = parse_address(address)
    if parsed.scheme != "ssh":
        return None
    from toolkit.transports.ssh import resolve

    route = resolve(parsed, options or ConnectOptions())
    if route[0].proxy_command:
        return f"{route[-1].hostname} by a ProxyCommand"
    names = [host.hostname for host in route]
    return next((name for name in reversed(names) if not _LOOPBACK.fullmatch(name)), names[-1])
