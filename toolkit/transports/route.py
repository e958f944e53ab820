"""Which hosts are passed, in order, to reach one: ProxyJump, chained as ssh chains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import UsageError
from toolkit.transports.address import parse_jump

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.transports.address import Address
    from toolkit.transports.client_config import HostConfig

_HOPS = 8


def plan_route(target: Address, read: Callable[[Address, bool], HostConfig]) -> list[HostConfig]:
    """The hosts from the first to be dialled to the target.

    The first jump host's own ProxyJump is followed; those after it are reached through it whatever they say.

    Args:
        target: where to.
        read: gives a host's configuration; its second argument says that another host was passed before it.

    Raises:
        UsageError: a jump host is wrong, or they lead in a circle.
    """
    host = read(target, False)
    route = [host]
    while host.proxy_jump:
        hops = [parse_jump(hop) for hop in host.proxy_jump.split(",")]
        host = read(hops[0], False)
        route[:0] = [host, *(read(hop, True) for hop in hops[1:])]
        if len(route) > _HOPS:
            raise UsageError(
                f"More than {_HOPS} jump hosts lead to {target.host}: they seem to jump in a circle.",
                "Give the jump host `ProxyJump none` in the SSH configuration.",
            )
    return route
