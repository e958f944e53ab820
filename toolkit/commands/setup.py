"""`toolkit setup`: what pip does not install here: Artillery, and the wheels that the agent brings to a server."""

from __future__ import annotations

import click

from toolkit.engines.node import install_packages
from toolkit.probes.wheels import fetch_wheel


@click.command("setup")
def command() -> None:
    """Install Artillery at its pinned version and fetch the wheels for servers like this one; a second call does nothing.

    Wheels for other platforms are fetched when a server first needs them.
    """
    install_packages()
    for name in ("py-spy", "psutil"):
        fetch_wheel(name, "x86_64", "glibc")
