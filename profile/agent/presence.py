"""By what agents on one machine find each other: names that the kernel holds, and that go with their process however it ends.

Sockets of the abstract namespace are no files: nothing of them can be planted in /tmp, be left behind, or be stale.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, NamedTuple, Optional, Set, Tuple

import choose
from faults import Fault

if TYPE_CHECKING:
    from trees import Process

PREFIX = "gunicorn-toolkit/"
ANSWER_S = 1.0
_ANSWER_BYTES = 8192
_TRIES = 3
_MOST_NAMES = 1000
_UCRED = struct.Struct("iII")

About = Callable[[], Dict[str, Any]]


class Met(NamedTuple):
    """Who holds a name. `about` is what it said of itself, empty where it said nothing; pid and uid are the kernel's word."""

    pid: int
    uid: int
    about: Dict[str, Any]


class Presence:
    """The names of one agent: its own, and one for each gunicorn that it works on, which no other run can take meanwhile.

    Args:
        about: what is said to whoever asks: `{"run", "who", "since_ns", "silent_s"}`.
        folder: where the agent works.
    """

    def __init__(self, about: About, folder: str) -> None:
        self._about = about
        self._sockets: Dict[str, socket.socket] = {}
        for name in (own_name(os.getpid()), folder_name(folder)):
            with contextlib.suppress(OSError):  # one that cannot be found by its name still does its work
                self._take(name)

    @property
    def descriptors(self) -> List[int]:
        """To be waited for: somebody asks."""
        return [one.fileno() for one in self._sockets.values()]

    def claim(self, arbiter: Process) -> None:
        """Take the name of a gunicorn; again does nothing.

        Raises:
            Fault: `busy`: another run works on it.
        """
        name = "%sat/%d-%d-%d" % (PREFIX, _pid_namespace(), arbiter.pid, arbiter.start_ticks)
        for _ in range(_TRIES):
            if name in self._sockets:
                return
            try:
                self._take(name)
            except OSError:
                holder = ask(name)
                if holder is None:  # it ended in this moment
                    continue
                if holder.about.get("run") == self._about()["run"]:  # one run may look at a host by two names
                    return
                raise _busy(arbiter, holder) from None

    def release(self) -> None:
        """Give the names of gunicorns back."""
        for name in [name for name in self._sockets if name.startswith(PREFIX + "at/")]:
            self._sockets.pop(name).close()

    def _take(self, name: str) -> None:
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            taken.bind("\0" + name)
            taken.listen(8)
            taken.setblocking(False)
        except OSError:
            taken.close()
            raise
        self._sockets[name] = taken

    def answer(self) -> None:
        """Tell everybody who asks. Waits for nobody: what is said fits into the socket's buffer."""
        said = json.dumps(self._about()).encode()
        for one in self._sockets.values():
            with contextlib.suppress(OSError):
                asker, _ = one.accept()
                with asker:
                    asker.setblocking(False)
                    asker.sendall(said)

    def close(self) -> None:
        """Give all names back."""
        for one in self._sockets.values():
            one.close()
        self._sockets = {}


def own_name(pid: int) -> str:
    """The name of the agent that is this process."""
    return "%sagent/%d-%d" % (PREFIX, _pid_namespace(), pid)


def folder_name(folder: str) -> str:
    """The name that says that an agent works in a folder. A path may be longer than such a name."""
    return "%sin/%s" % (
        PREFIX,
        hashlib.sha256(os.path.realpath(folder).encode("utf-8", "surrogateescape")).hexdigest()[:40],
    )


def taken() -> Set[str]:
    """Every name of agents on this machine."""
    try:
        with open("/proc/net/unix", "rb") as file:
            fields = [line.rstrip(b"\n").split(b" ")[-1] for line in file]
    except OSError:
        return set()
    names = [
        field[1:].decode("ascii", "replace") for field in fields if field.startswith(b"@" + PREFIX.encode())
    ]
    return set(names[:_MOST_NAMES])


def others() -> List[Met]:
    """Every other agent on this machine that can be asked."""
    names = sorted(name for name in taken() if name.startswith(PREFIX + "agent/"))
    met = [ask(name) for name in names if name != own_name(os.getpid())]
    return [one for one in met if one is not None]


def ask(name: str) -> Optional[Met]:
    """Who holds a name; None where nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWER_S)
        try:
            line.connect("\0" + name)
            pid, uid = _peer(line)
        except OSError:
            return None
        return Met(pid, uid, _heard(line))


def uid_of(line: socket.socket) -> int:
    """The user at the other end, by the kernel's word.

    Raises:
        OSError: the other end is gone.
    """
    return _peer(line)[1]


def _peer(line: socket.socket) -> Tuple[int, int]:
    pid, uid, _ = _UCRED.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return pid, uid


def _heard(line: socket.socket) -> Dict[str, Any]:
    data, until = b"", time.monotonic() + ANSWER_S
    with contextlib.suppress(OSError, ValueError, RecursionError):
        while len(data) < _ANSWER_BYTES and time.monotonic() < until:
            if not select.select([line], [], [], max(0.0, until - time.monotonic()))[0]:
                break
            part = line.recv(_ANSWER_BYTES)
            if not part:
                break
            data += part
        said = json.loads(data.decode("utf-8"))
        if isinstance(said, dict):
            return said
    return {}


def _busy(arbiter: Process, holder: Met) -> Fault:
    about = holder.about
    run, since_ns = about.get("run"), about.get("since_ns")
    if not isinstance(run, str) or not isinstance(since_ns, int):
        told = "Process %d of user %s keeps other runs from gunicorn %d, and does not say for whom." % (
            holder.pid,
            choose.user_name(holder.uid),
            arbiter.pid,
        )
        return Fault("busy", told, "Look at that process; end it if it should not be there.")
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(min(max(since_ns, 0) / 1e9, 2.0**32)))
    told = "Gunicorn %d is being profiled by run %s of %s since %s (agent: PID %d of user %s)." % (
        arbiter.pid,
        run[:100],
        str(about.get("who") or "nobody knows who")[:100],
        since,
        holder.pid,
        choose.user_name(holder.uid),
    )
    return Fault("busy", told, listed=({"run": run[:100]},))


def _pid_namespace() -> int:
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0
