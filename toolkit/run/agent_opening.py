"""Begins a session with the agent on one server: looks at it, pushes the agent, starts it, and greets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.probes.delivery import AGENT
from toolkit.run.agent_files import AgentLog
from toolkit.run.agent_push import Placed, place_agent, remove_folder
from toolkit.run.agent_session import AgentSession
from toolkit.run.agent_start import elevation_for
from toolkit.run.agent_sudo import Elevation
from toolkit.run.agent_trust import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.recording.layout import ServerFolder
    from toolkit.run.agent_record import OnEvent
    from toolkit.transports.base import Transport

_LONGEST_RUN_S = 24 * 3600.0


def agent_command(python: str, directory: str, *, sudo: bool) -> list[str]:
    """The command that starts the agent, as shown by a dry run."""
    argv = Placed(python, f"{directory}/{AGENT}", directory).argv()
    return Elevation("", wanted=sudo).command(argv)


def open_session(
    transport: Transport,
    *,
    folder: ServerFolder,
    run_id: str,
    sudo: bool = False,
    password: Callable[[str], str] | None = None,
    python: str = "python3",
    grace_s: float = 15.0,
    max_s: float = _LONGEST_RUN_S,
    log: Callable[[str], None] | None = None,
    on_event: OnEvent | None = None,
    redial: Callable[[], None] | None = None,
) -> AgentSession:
    """Look at the server, push the agent, start it, greet it, and measure its clock.

    Args:
        transport: an open connection; stays the caller's to close.
        folder: where everything that the agent sends is written.
        run_id: told to the agent, for its log.
        sudo: start it as root.
        password: asks for the sudo password with the question given; None where there is nobody to ask.
        python: the Python to try first.
        grace_s: after so many seconds of silence each side counts the other as gone.
        max_s: after so many seconds the agent ends in any case.
        log: gets each line that also goes to agent.log.
        on_event: gets `(kind, details)` from the reader's thread: agent, workers, rate, fault, refused, lost, cleaned,
            line-broken, line-mended.
        redial: makes the transport's connection anew after it broke; None where a break ends the session.

    Raises:
        NotPermittedError: sudo refuses.
        UnreachableError: the connection broke, or the agent does not answer.
        ToolkitError: the server cannot run the agent, or this side lacks what to bring; nothing is left there.
    """
    words = AgentLog(folder.agent_log)
    told = _nobody if on_event is None else on_event

    def write_down(text: str) -> None:
        words(text)
        if log is not None:
            log(plain(text))

    try:
        look, placed = place_agent(transport, python, write_down)
        session = None
        try:
            elevation = elevation_for(transport, look, sudo=sudo)
            session = AgentSession(transport, folder, placed, elevation, words, write_down, told, redial)
            session.greet(run_id, grace_s, max_s, password)
        except BaseException:
            if session is not None:
                session.abandon()
            elif placed.folder:
                remove_folder(transport, placed.folder, None)
            raise
    except BaseException:
        words.close()
        raise
    return session


def _nobody(_kind: str, _details: dict[str, Any]) -> None:
    return
