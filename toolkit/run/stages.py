"""A run as a list of stages. Each registers its counterpart as soon as it has begun something; they are undone in reverse."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError
from toolkit.plan.secrets import mask_told
from toolkit.recording.manifest import ServerEntry
from toolkit.run import checks
from toolkit.run.agent_opening import open_session
from toolkit.run.desk import Progress
from toolkit.run.elsewhere import loads_another
from toolkit.run.folder import require_room
from toolkit.run.load import Drive
from toolkit.run.logging_in import connect_options, secret_asker
from toolkit.run.redial import open_lasting, redial_of
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.plan.model import Plan, Server
    from toolkit.run.agent_session import AgentSession
    from toolkit.run.context import Run
    from toolkit.run.desk import Desk
    from toolkit.transports.base import Transport

    Stage = tuple[str, Callable[[Run], None]]

_POLL_S = 0.1


@dataclass(frozen=True)
class RunKind:
    """What a command runs: its stages, in order, and whether Ctrl-C is how it ends."""

    name: str
    stages: tuple[Stage, ...]
    ends_by_signal: bool = False


def check_everything(plan: Plan, desk: Desk) -> None:
    """Look at this side before the first packet leaves it.

    Raises:
        ToolkitError: of the kind of the first thing that is wrong; its message names all of them.
    """
    findings = list(checks.look(plan))
    errors = [finding.error for finding in findings if finding.error is not None]
    if errors:
        first, *others = errors
        first.hint = " ".join([first.hint, *(f"Also: {other}" for other in others)]).strip()
        raise first
    for finding in findings:
        if finding.warning:
            desk.observer.note(f"{finding.name}: {finding.detail}")


def connect(run: Run) -> None:
    """Reach every server."""
    for server in run.plan.servers:
        transport = open_lasting(server.address, connect_options(server, run.desk))
        run.transports[server.name] = transport
        run.undo_with(f"disconnect from {server.name}", transport.close)
        run.event("connected", server=server.name, address=transport.address)


def push_agents(run: Run) -> None:
    """Put the agent on every server and start it."""
    for server in run.plan.servers:
        session = session_on(server, run)
        run.sessions[server.name] = session
        run.undo_with(f"clean {server.name}", partial(_clean, run, server.name))
        entry = ServerEntry(name=server.name, address=run.transports[server.name].address)
        entry.offset_ns, entry.offset_error_ns = session.offset_ns, session.offset_error_ns
        entry.access_format = server.logs.access_format
        run.manifest.servers.append(entry)


def _clean(run: Run, name: str) -> None:
    session = run.sessions[name]
    session.close()
    if session.unclear:
        run.missing(
            f"{name}: it could not be reached at the end ({session.unclear.rstrip('.')}). Its agent ends by itself; what it "
            f"recorded last lies there for a day: toolkit stop --run {run.manifest.run_id}, with the same plan, fetches it."
        )


def find_gunicorns(run: Run) -> None:
    """Find the arbiter on every server, and see that py-spy may read it."""
    for server, session in _each(run):
        found = session.find(server.gunicorn.choice())
        session.check(run.plan.profile.views)
        arbiter = found["arbiter"]
        run.event(
            "gunicorn", server=server.name, arbiter=mask_told(arbiter), workers=mask_told(found["workers"])
        )
        run.desk.observer.note(
            f"{server.name}: gunicorn {arbiter['name'] or ''} PID {arbiter['pid']}, {len(found['workers'])} workers"
        )
        if run.plan.load and (doubt := loads_another(run.plan, server, arbiter)):
            run.desk.observer.note(doubt)


def watch_servers(run: Run) -> None:
    """Sample metrics and follow logs on every server, from before the load until after it."""
    watch = run.plan.watch
    if not (watch.metrics or watch.logs):
        return
    for server, session in _each(run):
        run.undo_with(f"stop watching {server.name}", partial(_stop_recording, run, server.name))
        try:
            watched = session.watch(watch.interval if watch.metrics else None, wanted_logs(run.plan, server))
        except UnreachableError:
            raise
        except ToolkitError as error:  # the recording and the load are worth having without it
            run.missing(f"{server.name}: neither metrics nor logs: {error}")
            run.desk.observer.note(f"{server.name}: neither metrics nor logs: {error}")
            continue
        run.event("watching", server=server.name, **watched)
        for path in watched["followed"]:
            run.desk.observer.note(f"{server.name}: follows {path}")
        for note in (*watched["not_followed"], *watched["notes"]):
            run.desk.observer.note(f"{server.name}: {note}")


def wanted_logs(plan: Plan, server: Server) -> dict[str, Any] | None:
    """Which logs to follow on a server, as `AgentSession.watch` takes it; None for none."""
    if not plan.watch.logs:
        return None
    return {**server.logs.model_dump(include={"find", "files", "units"}), "limit_bytes": plan.watch.log_limit}


def start_recording(run: Run) -> None:
    """Start py-spy on every server and see the first samples."""
    for server, session in _each(run):
        run.undo_with(f"stop recording on {server.name}", partial(_stop_recording, run, server.name))
        profile = run.plan.profile
        session.record(profile.views, profile.budget, profile.rate, profile.chunk)
        _note_learned(run, server.name)  # a run that is killed has no other chance
        run.event("recording", server=server.name, views=session.views, budget=session.budget)
        for view, state in session.views.items():
            if not state.get("valid", True):
                run.desk.observer.note(f"{server.name}: view {view}: {state.get('reason', '')}")
    # Of several servers all at once: a recorder may take a second to end.
    run.undo_with("end recordings", run.end_recordings)


def drive_load(run: Run) -> None:
    """Drive every scenario of the plan."""
    drive = Drive(run)
    drive.prepare()
    run.undo_with("stop load", partial(_stop_load, run, drive))
    drive.drive()


def _stop_load(run: Run, drive: Drive) -> None:
    drive.finish()
    if run.sessions:  # else there is nothing to wait for meanwhile
        run.records_whole()


def profile_until_told(run: Run) -> None:
    """Without load: wait for the duration or for Ctrl-C, which is how such a run ends."""
    until = None if run.duration_s is None else time.monotonic() + run.duration_s
    while not run.interrupts.count and (until is None or time.monotonic() < until):
        run.watch_agents()
        if len(run.lost) == len(run.sessions):
            return
        require_room(run.folder.path)
        run.desk.observer.progress(
            Progress(
                elapsed_s=run.elapsed_s(),
                remaining_s=None if until is None else max(0.0, until - time.monotonic()),
                samples=sum(session.sample_count for session in run.sessions.values()),
            )
        )
        time.sleep(_POLL_S)


CONNECTING: tuple[Stage, ...] = (
    ("connect", connect),
    ("push agent", push_agents),
    ("find gunicorn", find_gunicorns),
    ("watch servers", watch_servers),
    ("start recording", start_recording),
)
PROFILE_AND_LOAD = RunKind("profile-and-load", (*CONNECTING, ("drive load", drive_load)))
PROFILE = RunKind("profile", (*CONNECTING, ("profile", profile_until_told)), ends_by_signal=True)
LOAD = RunKind("load", (("drive load", drive_load),))


def transport_to(server: Server, desk: Desk) -> Transport:
    """Connect to one server.

    Raises:
        UnreachableError, NotPermittedError: as the transport says.
    """
    return open_transport(server.address, connect_options(server, desk))


def session_on(server: Server, run: Run) -> AgentSession:
    """Start the agent on one server."""
    transport = run.transports[server.name]
    return open_session(
        transport,
        redial=redial_of(transport),
        folder=run.folder.server(server.name),
        run_id=run.manifest.run_id,
        sudo=server.sudo,
        password=secret_asker(server.sudo_password, run.desk),
        python=server.python,
        grace_s=run.plan.profile.grace,
        on_event=lambda kind, details: run.event(kind, server=server.name, **details),
    )


def _each(run: Run) -> list[tuple[Server, AgentSession]]:
    return [(server, run.sessions[server.name]) for server in run.plan.servers]


def _stop_recording(run: Run, name: str) -> None:
    """Stop, fetch what is left, and write down what the session learned."""
    session = run.sessions[name]
    try:
        session.stop(run.why_hurry)
    except ToolkitError as error:
        if run.why_hurry():
            run.missing(f"{name}: {error.message}")
        raise
    finally:
        _note_learned(run, name)
        for sentence in session.missing:
            run.missing(f"{name}: {sentence}")


def _note_learned(run: Run, name: str) -> None:
    """Into run.json, with the next time it is saved."""
    session = run.sessions[name]
    entry = next(entry for entry in run.manifest.servers if entry.name == name)
    entry.offset_ns, entry.offset_error_ns = session.offset_ns, session.offset_error_ns
    entry.views, entry.budget, entry.facts = dict(session.views), session.budget, dict(session.facts)
    entry.breaks = list(session.breaks)
