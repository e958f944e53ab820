"""Starts the agent, as root where that is wanted, and greets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError
from toolkit.probes.delivery import PROTOCOL
from toolkit.run.agent_link import AgentLink
from toolkit.run.agent_mending import WAIT_S, Mender, new_token
from toolkit.run.agent_sudo import Elevation

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.probes.delivery_look import ServerLook
    from toolkit.run.agent_push import Placed
    from toolkit.transports.base import RemoteProcess, Transport

    OnLine = Callable[[str, dict[str, Any]], None]

HELLO_S = 40.0
_CLOSE_S = 5.0
_SHORTEST_SILENCE_S = 5.0


def elevation_for(transport: Transport, look: ServerLook, *, sudo: bool) -> Elevation:
    """How the agent becomes root there; a login as root needs nothing.

    Raises:
        NotPermittedError: sudo is wanted, and there is none.
    """
    if sudo and look.uid != 0 and not look.sudo:
        raise NotPermittedError(
            f"{transport.address} has no sudo.", "Log in as root, or as the user that gunicorn runs as."
        )
    return Elevation(transport.address, wanted=sudo and look.uid != 0)


class Starter:
    """Starts one agent: at once, and a second time with a password where sudo wants one.

    Args:
        transport: the connection.
        placed: where the agent lies.
        elevation: how it becomes root; unlocked here where it must be.
        hear: gets its messages, see `AgentLink`.
        log: takes one line of text.
        grace_s: the silence after which it counts as lost.
        redial: makes the connection anew; None where one that breaks is not mended.
        on_line: gets `("line-broken" | "line-mended", details)`.
    """

    def __init__(
        self,
        transport: Transport,
        placed: Placed,
        elevation: Elevation,
        hear: Callable[[dict[str, Any]], None],
        log: Callable[[str], None],
        grace_s: float,
        redial: Callable[[], None] | None,
        on_line: OnLine,
    ) -> None:
        self._transport, self._placed, self._elevation = transport, placed, elevation
        self._hear, self._log = hear, log
        self._silence_s = max(grace_s, _SHORTEST_SILENCE_S)
        self._redial, self._on_line = redial, on_line
        self._token = new_token()

    def start(
        self, hello: dict[str, Any], password: Callable[[str], str] | None
    ) -> tuple[AgentLink, dict[str, Any]]:
        """The line to the greeted agent, and its answer.

        Raises:
            NotPermittedError: sudo refuses, or there is nobody to ask for its password.
            UnreachableError: the agent did not start or does not answer.
            ToolkitError: it speaks another protocol. Whatever is raised, nothing runs on the server then.
        """
        if self._redial is not None:
            hello = {**hello, "reattach": {"token": self._token, "wait_s": WAIT_S}}
        link = self._begin()
        try:
            return link, self._greet(link, hello)
        except BaseException as error:
            wants_password = isinstance(error, UnreachableError) and self._elevation.asks(link.last_words())
            link.close(_CLOSE_S)
            if not wants_password:
                raise
        self._elevation.unlock(self._transport, password)
        link = self._begin()
        try:
            return link, self._greet(link, hello)
        except BaseException:
            link.close(_CLOSE_S)
            raise

    def _begin(self) -> AgentLink:
        process = self._process()
        link = AgentLink(process, self._transport.address, self._hear, self._log, self._silence_s)
        link.start(self._elevation.first_input())
        return link

    def _process(self) -> RemoteProcess:
        return self._transport.start(self._elevation.command(self._placed.argv()))

    def _process_anew(self) -> RemoteProcess:
        """The agent's program once more, over a new connection: it finds the agent that runs."""
        assert self._redial is not None  # noqa: S101 (only then there is a mender)
        self._redial()
        process = self._process()
        if first := self._elevation.first_input():
            process.write(first)
        return process

    def _greet(self, link: AgentLink, hello: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = link.ask(hello, "hello", HELLO_S)
        except UnreachableError:
            raise self._error(link) from None
        if answer.get("protocol") != PROTOCOL:
            raise ToolkitError(
                f"The agent on {self._transport.address} speaks protocol {answer.get('protocol')}, not {PROTOCOL}.",
                "Let an administrator run prepare-server.sh of this toolkit there.",
            )
        if self._redial is not None and answer.get("reattach") is True:
            request = {"op": "reattach", "pid": answer.get("pid"), "token": self._token}
            link.mend_with(Mender(self._process_anew, request, self._on_line))
        return answer

    def _error(self, link: AgentLink) -> ToolkitError:
        said = link.last_words()
        if self._elevation.is_refusal(said):
            return self._elevation.refusal(said)
        reason = link.lost or f"it did not answer within {HELLO_S:.0f} s"
        return UnreachableError(
            f"The agent on {self._transport.address} did not start: {reason}.",
            f"It was started as {' '.join(self._placed.argv())}",
        )
