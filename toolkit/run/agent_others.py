"""What others left on a server, asked of an agent of one's own there: other agents, and the folders of dead ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.run.agent_session import FIND_S, STOP_S

if TYPE_CHECKING:
    from toolkit.run.agent_session import AgentSession

ADOPT_S = 600.0
"""200 MB of chunks over a slow line."""


def others(session: AgentSession) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The other agents that run there, and the folders that some have left; as `others` in PROTOCOL.md.

    Raises:
        UnreachableError: the session's agent is gone.
    """
    told = session.ask({"op": "others"}, "others", FIND_S)
    return _objects(told.get("agents")), _objects(told.get("left"))


def end_other(session: AgentSession, pid: int) -> None:
    """End another agent there, and wait until it is gone.

    Raises:
        NotPermittedError: it is another user's.
        UnreachableError: it is gone already, or the session's own is.
        ToolkitError: it does not end.
    """
    session.ask({"op": "end", "pid": pid}, "ended", STOP_S)


def adopt(session: AgentSession, left: str) -> None:
    """Take over what lies in a folder that an agent left; it is gone from the server then.

    Raises:
        ToolkitError: it is no such folder.
        UnreachableError: the session's agent is gone; what had not come is there still.
    """
    session.ask({"op": "adopt", "folder": left}, "adopted", ADOPT_S)


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
