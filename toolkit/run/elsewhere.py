"""Whether the load goes to the gunicorn that is profiled, as far as addresses tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from toolkit.plan.model import Plan, Server

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def loads_another(plan: Plan, server: Server, arbiter: dict[str, Any]) -> str:
    """A sentence where the plan's target is a port of the server itself on which its gunicorn does not listen; else empty.

    Something in front of gunicorn may pass requests on: it is a word, no mistake.
    """
    target = urlsplit(plan.target or "")
    port = target.port or _PORTS.get(target.scheme)
    ports = {_port_of(one) for one in arbiter.get("listen") or ()}
    if (
        port is None
        or not ports
        or None in ports
        or port in ports
        or not _is_same(target.hostname, server.address)
    ):
        return ""
    listens = ", ".join(str(one) for one in arbiter["listen"])
    return (
        f"{server.name}: the load goes to port {port}, and this gunicorn listens on {listens}: unless something in front passes "
        "requests on to it, another service is loaded than is profiled"
    )


def _port_of(listen: object) -> int | None:
    """None for a unix socket."""
    last = str(listen).rpartition(":")[2]
    return int(last) if last.isdecimal() else None


def _is_same(host: str | None, address: str) -> bool:
    there = "localhost" if address.startswith("local:") else urlsplit(address).hostname
    return host is not None and (host == there or (host in _LOOPBACK and there in _LOOPBACK))
