"""A whole run against a server that is not as one expects: two servers of our own, and a load that they can take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.faults.table import Row
from tests.integration.commands.calling import PLAN

if TYPE_CHECKING:
    from tests.gunicorns import Gunicorn
    from tests.integration.agent_session.throwaway import ThrowawayServer
    from tests.integration.commands.calling import Done, Started, Toolkit

_SCRIPT = """\
config: {phases: [{duration: %d, arrivalRate: 5, rampTo: 5}]}
scenarios: [{flow: [{get: {url: %s}}]}]
"""


def by_the_demos_ssh(toolkit: Toolkit, gunicorn: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The plan's entry of a server that is reached as the demo is, as ourselves."""
    ssh = {"config": str(toolkit.demo.folder / "ssh_config")}
    return {"name": "web", "address": "ssh://toolkit-demo", "ssh": ssh, "gunicorn": gunicorn, **more}


def as_deploy(server: ThrowawayServer, gunicorn: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The plan's entry of the throwaway server, where we are its user `deploy`."""
    ssh = {
        "config": str(server.client_config),
        "known_hosts": str(server.known_hosts),
        "identity": str(server.identity),
    }
    address = f"ssh://deploy@127.0.0.1:{server.port}"
    return {"name": "web", "address": address, "gunicorn": gunicorn, "ssh": ssh, **more}


def start(
    toolkit: Toolkit, entry: dict[str, Any], port: int, seconds: int = 3, path: str = "/hot", *words: str
) -> Started:
    """`profile-and-load` of what listens on `port`, on its way."""
    script = toolkit.folder / "mine.yml"
    script.write_text(_SCRIPT % (seconds, path))
    return toolkit.start(
        *("profile-and-load", PLAN, "--set", f"servers={json.dumps([entry])}", "--scenario", str(script)),
        *("--set", "load.canary=off", "--target", f"http://127.0.0.1:{port}"),
        *("--chunk", "1s", "--rate", "20", "--reports", str(toolkit.reports), *words),
    )


def run(toolkit: Toolkit, entry: dict[str, Any], service: Gunicorn, path: str = "/hot") -> Done:
    """The same, to its end."""
    return start(toolkit, entry, service.port, path=path).finish(90)


def kept(toolkit: Toolkit) -> str:
    """For the table."""
    chunks = list(toolkit.run.glob("servers/web/stacks/*.raw.gz"))
    requests = sum(row["count"] for row in summary(toolkit)["requests"])
    assert chunks
    assert requests
    return f"{len(chunks)} chunks, {requests} requests"


def summary(toolkit: Toolkit) -> dict[str, Any]:
    """summary.json."""
    found: dict[str, Any] = json.loads((toolkit.run / "summary.json").read_text())
    return found


def row(toolkit: Toolkit, fault: str, done: Done, message: str) -> Row:
    """A run that nothing was to be cleaned up after in a hurry."""
    return Row(fault, None, kept(toolkit), done.code, message)
