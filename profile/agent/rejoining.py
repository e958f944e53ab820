"""A controller comes back on a new connection: this process gives its streams to the agent that runs, and waits for its end."""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import socket
from typing import Any, Dict, List

import presence
from faults import Fault
from line import HANDING_S, REFUSED, door_name


def hand_over(message: Dict[str, Any], streams: List[int], wakeup: int) -> int:
    """Give the streams away; returns when the agent has ended, or lets us go.

    Args:
        message: `{"pid", "token", "heard"}`, see PROTOCOL.md.
        streams: input, output, error.
        wakeup: becomes readable when a signal has arrived.

    Returns:
        The agent's exit code.

    Raises:
        Fault: `gone`: no such agent of this user's runs. `not-permitted`: it does not know the token.
    """
    pid = message.get("pid")
    if not isinstance(pid, int) or isinstance(pid, bool):
        raise Fault("protocol", "reattach names the pid of the agent.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.settimeout(HANDING_S)
        try:
            door.connect("\0" + door_name(pid))
            # Whoever else took that name gets nothing: with the streams it could speak for the agent.
            if presence.uid_of(door) != os.geteuid():
                raise _gone(pid)
            asked = {"token": str(message.get("token"))[:200], "heard": message.get("heard")}
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))
            door.sendmsg([json.dumps(asked).encode("ascii")], [rights])
        except OSError:
            raise _gone(pid) from None
        said = _await_end(door, wakeup)
    if said == REFUSED:
        raise Fault("not-permitted", "The agent %d is another controller's." % pid)
    return int(said) if said.isdigit() else 1


def _await_end(door: socket.socket, wakeup: int) -> bytes:
    """This process holds the place of the agent in the session: sshd closes a channel whose command has ended."""
    door.settimeout(None)
    if wakeup in select.select([door.fileno(), wakeup], [], [])[0]:
        return b""
    with contextlib.suppress(OSError):
        return door.recv(16)
    return b""


def _gone(pid: int) -> Fault:
    return Fault("gone", "The agent %d has ended." % pid)
