"""What both ends of our line to an agent share: who is told what, and a message as a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.run.agent_trust import read_message

if TYPE_CHECKING:
    from collections.abc import Callable

_NOISE_BYTES = 4096


@dataclass(frozen=True)
class Ears:
    """Who is told what; all but `over` by the reader's thread, one line after another."""

    message: Callable[[dict[str, Any]], None]
    words: Callable[[bytes], None]
    strange: Callable[[bytes], None]
    over: Callable[[str], None]
    """The line has ended for good, with why; empty where the agent ended as it should."""
    asked: Callable[[], str]
    """The answer that is waited for; empty where none is."""


def as_line(message: dict[str, Any]) -> bytes:
    """As it goes over the wire."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def greeting(line: bytes, kinds: tuple[str, ...]) -> dict[str, Any] | None:
    """The agent's first word in a line: a shell profile may have begun it without ending it."""
    start = line.find(b"{")
    while start >= 0:
        message = read_message(line[start:])
        if message is not None and message["type"] in kinds:
            return message
        start = line.find(b"{", start + 1, _NOISE_BYTES)
    return None
