"""What becomes of a line that broke, by what its attempts find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from toolkit.errors import NotPermittedError, ToolkitError, UnreachableError
from toolkit.run.agent_mending import Mender

if TYPE_CHECKING:
    from toolkit.transports.base import RemoteProcess

REQUEST = {"op": "reattach", "pid": 7, "token": "t"}


def attempt(answer: dict[str, Any] | ToolkitError) -> tuple[Mender, tuple[bool, str], list[str]]:
    """One attempt that gets this answer, or whose dialling fails so; with the kinds that were told."""
    told: list[str] = []

    def dial() -> RemoteProcess:
        if isinstance(answer, ToolkitError):
            raise answer
        return cast("RemoteProcess", None)

    mender = Mender(dial, REQUEST, lambda kind, _: told.append(kind))
    mender.broke("no sign of life for 6 s", 6.0)

    def join(_process: RemoteProcess, request: dict[str, Any], _timeout_s: float) -> dict[str, Any]:
        assert request == REQUEST
        assert isinstance(answer, dict)
        return answer

    return mender, mender.attempt(join), told


def test_the_agent_takes_the_new_streams() -> None:
    assert attempt({"type": "reattached"})[1] == (True, "")


@pytest.mark.parametrize(
    "answer",
    [
        UnreachableError("The host does not answer."),
        {"type": "silent"},
        {"type": "ended", "code": -1},
        {"type": "ended", "code": None},
    ],
)
def test_what_may_do_better_the_next_time_is_tried_again(answer: dict[str, Any] | ToolkitError) -> None:
    mender, outcome, told = attempt(answer)
    assert outcome == (False, "")
    assert mender.last_problem
    assert told == ["line-broken"]


@pytest.mark.parametrize(
    "answer", [{"type": "error", "code": "gone"}, {"type": "ended", "code": 2}, {"type": "ended", "code": 1}]
)
def test_an_agent_that_has_ended_is_not_waited_for(answer: dict[str, Any]) -> None:
    _, outcome, told = attempt(answer)
    assert outcome == (False, "no sign of life for 6 s; when it was reached again, the agent had ended")
    assert told == ["line-broken", "line-ended"]


def test_a_host_that_is_another_one_now_is_not_tried_again() -> None:
    _, outcome, _ = attempt(NotPermittedError("The host key of web has changed."))
    assert outcome == (
        False,
        "no sign of life for 6 s, and the way back is barred: The host key of web has changed",
    )
    assert attempt({"type": "error", "code": "not-permitted", "message": "Another's."})[1][1].endswith(
        "Another's."
    )
