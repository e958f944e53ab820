"""Comes back to an agent whose connection broke: dials anew, and has its streams handed over there. See decision 015."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.transports.base import RemoteProcess

    Join = Callable[[RemoteProcess, dict[str, Any], float], dict[str, Any]]
    """Asks a fresh process for the agent's streams, within so many seconds; `reattached`, `error`, `ended` or `silent`."""

WAIT_S = 5.0
"""The agent's, after the end of its input: whoever killed us must find it gone within 10 s."""

_ANSWER_S = 6.0
_PAUSE_S = 0.3


def new_token() -> str:
    """What the agent lets its controller back in by."""
    return secrets.token_hex(16)


class Mender:
    """The breaks of one line, and how each was mended.

    Args:
        dial: starts a fresh process of the agent's program over a new connection.
        request: `{"op": "reattach", "pid", "token"}`.
        told: gets `("line-broken" | "line-mended" | "line-ended", details)`; the last where no agent runs there any more.
    """

    def __init__(
        self,
        dial: Callable[[], RemoteProcess],
        request: dict[str, Any],
        told: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._dial, self._request, self._told = dial, request, told
        self._attempts = 0
        self._reason = ""
        self.last_problem = ""
        """Why the last attempt failed."""

    def broke(self, reason: str, silent_s: float) -> None:
        """The line broke; nothing was heard for so long."""
        self._attempts, self._reason, self.last_problem = 0, reason, ""
        self._told("line-broken", {"reason": reason, "silent_s": round(silent_s, 1)})

    def attempt(self, join: Join) -> tuple[bool, str]:
        """Try once: (whether the line is whole again, why to give up or an empty text)."""
        self._attempts += 1
        try:
            process = self._dial()
        except UnreachableError as error:
            self.last_problem = error.message.rstrip(".")
            return False, ""
        except ToolkitError as error:
            return False, f"{self._reason}, and the way back is barred: {error.message.rstrip('.')}"
        answer = join(process, self._request, _ANSWER_S)
        if answer["type"] == "reattached":
            return True, ""
        return False, self._why_not(answer)

    def _why_not(self, answer: dict[str, Any]) -> str:
        """Why to give up; empty where another attempt may do better."""
        kind, code = answer["type"], answer.get("code")
        if (kind == "error" and code == "gone") or (kind == "ended" and code not in {None, -1}):
            return self._gone()
        if kind == "error":
            return f"{self._reason}; {answer.get('message')}"
        self.last_problem = "its new connection broke as well" if kind == "ended" else "it did not answer"
        return ""

    def _gone(self) -> str:
        self._told("line-ended", {"reason": self._reason})
        return f"{self._reason}; when it was reached again, the agent had ended"

    def mended(self, silent_s: float) -> None:
        """It is whole again; nothing was heard for so long."""
        details = {"reason": self._reason, "silent_s": round(silent_s, 1), "attempts": self._attempts}
        self._told("line-mended", details)

    def pause(self) -> None:
        """Between two attempts."""
        time.sleep(_PAUSE_S)
