"""How a host of the plan is logged in to, and who is asked for a secret."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolkit.errors import UsageError
from toolkit.plan.secrets import resolve_secret
from toolkit.transports.base import ConnectOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.plan.locust import LocustWorkers
    from toolkit.plan.model import Server
    from toolkit.run.desk import Desk


def connect_options(host: Server | LocustWorkers, desk: Desk) -> ConnectOptions:
    """How the plan says to reach a host."""
    ssh = host.ssh
    return ConnectOptions(
        config_path=ssh.config,
        known_hosts=(ssh.known_hosts,) if ssh.known_hosts else (),
        identity_files=(ssh.identity,) if ssh.identity else (),
        password=secret_asker(ssh.password, desk),
        timeout_s=ssh.timeout,
    )


def secret_asker(reference: str | None, desk: Desk) -> Callable[[str], str] | None:
    """Answers a question for a secret from the plan's reference, else from the terminal; None where there is neither."""
    ask = desk.ask_secret
    if reference is None:
        return None if ask is None else partial(_remembered, desk, ask)

    def nobody(question: str) -> str:
        raise UsageError(
            f"{question} is needed, and there is no terminal to ask on.", "Use env:NAME or file:PATH."
        )

    return partial(_remembered, desk, partial(resolve_secret, reference, ask or nobody))


def _remembered(desk: Desk, answer: Callable[[str], str], question: str) -> str:
    secret = answer(question)
    desk.secrets.add(secret)
    return secret
