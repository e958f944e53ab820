"""Load and a profiler go to this machine without a question; to any other only when somebody said so."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from toolkit.engines.cloud_options import PLACES
from toolkit.errors import UsageError
from toolkit.plan.secrets import mask_urls
from toolkit.run.cluster import clusters_of, place_of
from toolkit.run.jobs import targets_of
from toolkit.run.logging_in import connect_options
from toolkit.transports.registry import host_of

if TYPE_CHECKING:
    from toolkit.plan.model import Plan
    from toolkit.run.desk import Desk


def ask_consent(plan: Plan, desk: Desk, *, yes: bool) -> None:
    """Ask once for everything that is not loopback.

    Raises:
        UsageError: there is nobody to ask and --yes was not given, or the answer was no.
    """
    away = [] if yes else elsewhere(plan, desk)
    if not away:
        return
    places = ", ".join(away)
    if not sys.stdin.isatty():
        raise UsageError(f"Not on this machine: {places}.", "Say --yes if this run may load and profile it.")
    desk.observer.close()
    if not click.confirm(f"Not on this machine: {places}. Load and profile it?", err=True):
        raise UsageError("Not confirmed; nothing was done.")


def elsewhere(plan: Plan, desk: Desk) -> list[str]:
    """Every target, server, lender of workers and cluster of the plan that is not loopback."""
    found = [mask_urls(target) for target in targets_of(plan) if not _is_loopback(_host(target))]
    for server in plan.servers:
        host = host_of(server.address, connect_options(server, desk))
        if host is not None and not _is_loopback(host):
            found.append(f"{server.name} ({host})")
    scenarios = plan.load.scenarios if plan.load else []
    for lender in (one for scenario in scenarios if scenario.locust for one in scenario.locust.away()):
        host = host_of(lender.address, connect_options(lender, desk))
        if host is not None and not _is_loopback(host):
            found.append(f"workers on {host}")
    # A cluster is never this machine, whatever its address: a tunnel's end is on loopback too.
    found += [place_of(where) for _, where in clusters_of(plan)]
    clouds = [one.cloud for one in scenarios if one.cloud]
    found += [
        f"{one.workers} workers on {PLACES[one.place].name} in {one.region}, which costs money"
        for one in clouds
    ]
    return list(dict.fromkeys(found))


def _host(target: str) -> str:
    """Empty where it is not known before the run: that is not this machine for certain."""
    return "" if "{{" in target.partition("://")[2].partition("/")[0] else urlsplit(target).hostname or ""


def _is_loopback(host: str) -> bool:
    if not host:
        return False
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses)
