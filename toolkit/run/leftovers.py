"""Ends what a dead controller left on a server, and brings what it recorded into the run folder that it belongs to."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.recording.jsonl import JsonLines, read_lines
from toolkit.recording.layout import RunFolder, ServerFolder
from toolkit.recording.manifest import Manifest, ServerEntry, load_manifest
from toolkit.run.agent_opening import open_session
from toolkit.run.agent_others import adopt, end_other, others
from toolkit.run.logging_in import secret_asker
from toolkit.run.stages import transport_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from toolkit.plan.model import Plan, Server
    from toolkit.run.agent_session import AgentSession
    from toolkit.run.desk import Desk
    from toolkit.transports.base import Transport

SPEAKS_S = 6.0
"""A controller says something every two seconds: an agent that heard from its own so lately has a living one."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_CHUNK = re.compile(r"(?:wall|cpu|gil)-\d{6}\.raw\.gz")


@dataclass
class Found:
    """What was found on one server, and done."""

    ended: list[str] = field(default_factory=list)
    """Sentences on agents that were ended."""
    alive: list[str] = field(default_factory=list)
    """Sentences on runs that are under way, and were left alone."""
    fetched: dict[Path, int] = field(default_factory=dict)
    """Run folder → chunks that came into it."""

    @property
    def nothing(self) -> bool:
        """Whether there was nothing at all."""
        return not (self.ended or self.alive or self.fetched)


def clear(plan: Plan, server: Server, desk: Desk, run_id: str | None, say: Callable[[str], None]) -> Found:
    """End, fetch and remove what is left on one server.

    Args:
        plan: for `reports` and how to reach the server.
        server: of the plan.
        desk: for passwords.
        run_id: this run alone, whether its controller lives or not; None: every run whose controller is silent.
        say: takes a sentence on what is being done.

    Raises:
        ToolkitError: of the kind of what went wrong; what was fetched until then is in its run folder.
    """
    found = Found()
    transport = transport_to(server, desk)
    try:
        # As root an agent works in a folder of root's, below which only root may look; the login's own has what it was pushed as.
        for sudo in (True, False) if server.sudo else (False,):
            work = _Clearing(plan, server, desk, transport, sudo, run_id, found, say)
            work.end_agents()
            work.fetch()
    finally:
        transport.close()
    return found


@dataclass
class _Clearing:
    """One server, looked at as one user."""

    plan: Plan
    server: Server
    desk: Desk
    transport: Transport
    sudo: bool
    run_id: str | None
    found: Found
    say: Callable[[str], None]

    def end_agents(self) -> None:
        with self._looking() as session:
            for agent in others(session)[0]:
                pid = agent.get("pid")
                if not self._meant(agent) or not isinstance(pid, int):
                    continue
                who = _who(agent)
                if self.run_id is None and _number(agent.get("silent_s")) < SPEAKS_S:
                    sentence = (
                        f"{self.server.name}: {who} is under way; --run {agent.get('run')} would end it."
                    )
                    if sentence not in self.found.alive:
                        self.found.alive.append(sentence)
                    continue
                self.say(f"{self.server.name}: end the agent of {who}")
                end_other(session, pid)
                self.found.ended.append(f"{self.server.name}: the agent of {who} was ended.")

    def fetch(self) -> None:
        with self._looking() as session:
            left = [one for one in others(session)[1] if self._meant(one)]
        for one in left:
            self.say(f"{self.server.name}: fetch {_number(one.get('files')):.0f} chunks of {_who(one)}")
            taken = _Session(self)
            try:
                with taken as session:
                    adopt(session, str(one.get("folder")))
            finally:  # what came before it broke is there no more
                self._keep(one, taken)

    def _keep(self, left: dict[str, Any], taken: _Session) -> None:
        """Put what came into the run that it is of."""
        run = self._run_folder(left)
        name = self._entry(run, taken.offsets)
        came = merge(taken.folder, run.server(name))
        run.checksums.unlink(missing_ok=True)  # of what the run was without them
        self.found.fetched[run.path] = self.found.fetched.get(run.path, 0) + came
        taken.forget()

    @contextmanager
    def _looking(self) -> Iterator[AgentSession]:
        looking = _Session(self)
        try:
            with looking as session:
                yield session
        finally:
            looking.forget()

    def _meant(self, one: dict[str, Any]) -> bool:
        return self.run_id in (None, one.get("run"))

    def _run_folder(self, left: dict[str, Any]) -> RunFolder:
        """That of the run where it is on this machine and looked at this server; else a new one: a server may say anything."""
        said = str(left.get("run") or "")
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        run = RunFolder(self.plan.reports / (said if _RUN_ID.fullmatch(said) else f"{now}-recovered"))
        if run.manifest.exists() and not self._names(load_manifest(run.manifest)):
            run = RunFolder(run.path.with_name(f"{run.path.name}-{self.server.name}-{now}"))
        if not run.manifest.exists():
            run.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            since_ns = left.get("since_ns")
            began = since_ns if isinstance(since_ns, int) and since_ns > 0 else time.time_ns()
            Manifest(run.path.name, self.plan.name, "toolkit stop", began, kind="profile").save(run.manifest)
        return run

    def _entry(self, run: RunFolder, offsets: tuple[int, int]) -> str:
        """The server's name in that run; it is added where the run does not know it."""
        manifest = load_manifest(run.manifest)
        if names := self._names(manifest):
            return self.server.name if self.server.name in names else names[0]
        entry = ServerEntry(self.server.name, self.transport.address, *offsets)
        manifest.servers.append(entry)
        manifest.save(run.manifest)
        return entry.name

    def _names(self, manifest: Manifest) -> list[str]:
        """What the run calls this server."""
        return [entry.name for entry in manifest.servers if entry.address == self.transport.address]


class _Session:
    """An agent of our own there, as a context; it writes into a folder that is `forget`ten at last."""

    def __init__(self, clearing: _Clearing) -> None:
        plan, server = clearing.plan, clearing.server
        plan.reports.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(prefix=".stop.", dir=plan.reports))
        self.folder = ServerFolder(self._scratch / server.name)
        self.offsets = (0, 0)
        try:
            self._agent = open_session(
                clearing.transport,
                folder=self.folder,
                run_id=f"stop-{time.time_ns()}",
                sudo=clearing.sudo,
                password=secret_asker(server.sudo_password, clearing.desk),
                python=server.python,
                grace_s=plan.profile.grace,
            )
        except BaseException:
            self.forget()
            raise

    def __enter__(self) -> AgentSession:
        return self._agent

    def __exit__(self, *_: object) -> None:
        self.offsets = self._agent.offset_ns, self._agent.offset_error_ns
        self._agent.close()

    def forget(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._scratch, ignore_errors=True)


def merge(source: ServerFolder, target: ServerFolder) -> int:
    """Move chunks into another folder, each with its row, without those that are there; how many came."""
    target.stacks.mkdir(parents=True, exist_ok=True)
    there = {(row.get("view"), row.get("seq")) for row in read_lines(target.chunks)}
    rows = JsonLines(target.chunks)
    came = 0
    try:
        for path in _chunks(source):
            if not (target.stacks / path.name).exists():
                path.replace(target.stacks / path.name)
                came += 1
        for row in read_lines(source.chunks):
            if (row.get("view"), row.get("seq")) not in there:
                rows.append(row)
    finally:
        rows.close()
    return came


def _chunks(source: ServerFolder) -> Iterator[Path]:
    yield from (path for path in sorted(source.stacks.glob("*.raw.gz")) if _CHUNK.fullmatch(path.name))


def _who(one: dict[str, Any]) -> str:
    by = f" of {one['who']}" if one.get("who") else ""
    return f"run {one.get('run') or '(without a name)'}{by}"


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
