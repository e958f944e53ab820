"""Looks at each thing that can go wrong, one finding each; leaves this side and the servers as they were."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.recording.layout import ServerFolder
from toolkit.run.agent_opening import open_session
from toolkit.run.checks import Finding, look
from toolkit.run.cluster import clusters_of
from toolkit.run.cluster import look as look_at_cluster
from toolkit.run.elsewhere import loads_another
from toolkit.run.lending import lenders_of, open_away
from toolkit.run.lending import look as look_at_lender
from toolkit.run.logging_in import secret_asker
from toolkit.run.stages import transport_to, wanted_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from toolkit.plan.model import Plan, Server
    from toolkit.run.agent_session import AgentSession
    from toolkit.run.desk import Desk
    from toolkit.transports.base import Transport

_LOW_DISK_BYTES = 300 * 2**20
_LOW_FILES = 256
_MOST_LOGS = 6
_FAR_CLOCK_S = 1.0


def examine(plan: Plan, desk: Desk) -> Iterator[Finding]:
    """Every finding of this side, then of every server; one that fails ends that server's list, not the others'."""
    yield from look(plan)
    for server in plan.servers:
        yield from _examine_server(plan, server, desk)
    for scenario, lender in lenders_of(plan):
        name = f"workers on {lender.address}"
        try:
            host = open_away(lender, desk)
            try:
                yield Finding(name, look_at_lender(plan, scenario, lender, host))
            finally:
                host.close()
        except ToolkitError as error:
            yield Finding(name, error.message, error)
    for scenario, where in clusters_of(plan):
        try:
            yield Finding(f"pods of {scenario.name}", look_at_cluster(where))
        except ToolkitError as error:
            yield Finding(f"pods of {scenario.name}", error.message, error)


@dataclass
class _Server:
    """One server on its way through the checks; `step` is the one that stands next, and fails if anything does."""

    plan: Plan
    server: Server
    step: str

    def fine(self, detail: str, *, warning: bool = False) -> Finding:
        return Finding(f"{self.server.name}: {self.step}", detail, warning=warning)

    def failed(self, error: ToolkitError) -> Finding:
        return Finding(f"{self.server.name}: {self.step}", error.message, error)


def _examine_server(plan: Plan, server: Server, desk: Desk) -> Iterator[Finding]:
    local = server.address == "local:"
    looked = _Server(plan, server, "connection" if local else "ssh and host key")
    try:
        transport = transport_to(server, desk)
        try:
            yield looked.fine(
                "this machine" if local else f"logged in to {transport.address}, whose host key is known"
            )
            looked.step = "python and sudo" if server.sudo else "python"
            # The agent must run there to be asked; it lies in a 0700 directory of its own and removes it.
            with tempfile.TemporaryDirectory() as scratch:
                session = _session(plan, server, transport, desk, Path(scratch))
                try:
                    yield from _ask(looked, session)
                finally:
                    session.close()
        finally:
            transport.close()
    except ToolkitError as error:
        yield looked.failed(error)


def _session(plan: Plan, server: Server, transport: Transport, desk: Desk, scratch: Path) -> AgentSession:
    return open_session(
        transport,
        folder=ServerFolder(scratch / server.name),
        run_id=f"doctor-{time.time_ns()}",
        sudo=server.sudo,
        password=secret_asker(server.sudo_password, desk),
        python=server.python,
        grace_s=plan.profile.grace,
        on_event=lambda _kind, _details: None,
    )


def _ask(looked: _Server, session: AgentSession) -> Iterator[Finding]:
    yield from _facts(looked, session)
    looked.step = "gunicorn"
    found = session.find(looked.server.gunicorn.choice())
    yield looked.fine(_gunicorn(found, session.facts))
    if looked.plan.load and (doubt := loads_another(looked.plan, looked.server, found["arbiter"])):
        looked.step = "target"
        yield looked.fine(doubt, warning=True)
    looked.step = "py-spy"
    checked: dict[str, Any] = session.check(looked.plan.profile.views)
    yield looked.fine(f"may read the arbiter and its workers (Python {checked.get('python', '?')})")
    for view, state in checked.get("views", {}).items():
        if not state.get("valid", True):
            looked.step = f"view {view}"
            yield looked.fine(str(state.get("reason", "")), warning=True)
    yield from _logs(looked, session)
    looked.step = "cleaning up"


def _logs(looked: _Server, session: AgentSession) -> Iterator[Finding]:
    """What a run would follow; a service without logs can be loaded and profiled all the same."""
    asked = wanted_logs(looked.plan, looked.server)
    if asked is None:
        return
    looked.step = "logs"
    watched = session.watch(None, asked)
    session.stop()
    said, warning = logs_said(watched)
    yield looked.fine(said, warning=warning)


def logs_said(watched: dict[str, list[str]]) -> tuple[str, bool]:
    """What to say of logs, and whether it is a warning."""
    paths = watched["followed"]
    would = [f"would follow {path}" for path in paths[:_MOST_LOGS]]
    if len(paths) > _MOST_LOGS:
        would.append(f"and {len(paths) - _MOST_LOGS} more")
    said = "; ".join([*watched["not_followed"], *would, *watched["notes"]])
    warning = not watched["followed"] or bool(watched["not_followed"])
    return said or "none found: name them in the plan, servers[].logs.files", warning


def _facts(looked: _Server, session: AgentSession) -> Iterator[Finding]:
    facts = session.facts
    looked.step = "python"
    system = f"{facts.get('system')} {facts.get('machine')} ({facts.get('libc')})"
    yield looked.fine(f"{facts.get('python')} on {system}")
    looked.step = "sudo"
    asked = "" if looked.server.sudo else "not asked for; "
    yield looked.fine(
        f"{asked}the agent runs as {facts.get('user')}",
        warning=looked.server.sudo and facts.get("uid") != 0,
    )
    looked.step = "disk"
    free = int(facts.get("disk_free_bytes") or 0)
    yield looked.fine(f"{free // 2**20} MiB free where the agent works", warning=free < _LOW_DISK_BYTES)
    looked.step = "open files"
    files = int(facts.get("open_files_limit") or 0)
    yield looked.fine(f"at most {files}" if files else "no limit known", warning=0 < files < _LOW_FILES)
    looked.step = "clock"
    offset = session.offset_ns / 1e9
    yield looked.fine(
        f"{offset * 1000:+.1f} ms ± {session.offset_error_ns / 1e6:.1f} ms from this one",
        warning=abs(offset) > _FAR_CLOCK_S,
    )


def _gunicorn(found: dict[str, Any], facts: dict[str, Any]) -> str:
    arbiter = found["arbiter"]
    known = facts.get("gunicorn") or {}
    version = f" {known['version']}" if known.get("version") else ""
    listen = ", ".join(arbiter.get("listen") or []) or "unknown address"
    return f"gunicorn{version} PID {arbiter['pid']} of {arbiter.get('user')} on {listen}, {len(found['workers'])} workers"
