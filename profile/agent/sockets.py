"""On what a gunicorn listens: the sockets that its processes hold, found among the kernel's listening ones."""

from __future__ import annotations

import os
import re
import socket
import struct
from typing import TYPE_CHECKING, Iterator, List, NamedTuple, Optional, Set, Tuple

if TYPE_CHECKING:
    import trees

_LISTENING = b" 0A "
_UNIX_ACCEPTS = 0x10000  # __SO_ACCEPTCON
WAITING, CONNECTED = 2, 3  # of a unix socket: a connection to be accepted, and one that is
# A path may hold spaces and newlines, and so look like anything: what does not fit is passed over.
_UNIX_LINE = re.compile(
    rb"^[0-9a-fA-F]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} ([0-9A-F]{2}) +(\d{1,19})(?: (.*))?$"
)
_TCP_LINE = re.compile(
    rb"^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F:]+ ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]{8})"
    rb" [0-9A-F:]+ [0-9A-F]+ +\d+ +\d+ (\d{1,19})(?: |$)"
)
TCP_TABLES = (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6))
_CONTROL = b"/gunicorn.ctl"  # where gunicornc speaks to the arbiter: not the service


class Listener(NamedTuple):
    """A listening socket. `family` is socket.AF_…; `host` is packed; a unix socket has a `path` instead of host and port."""

    family: int
    host: bytes
    port: int
    path: bytes
    inode: int

    @property
    def address(self) -> str:
        """`host:port` or `unix:path`."""
        if self.family == socket.AF_UNIX:
            return "unix:" + self.path.decode("utf-8", "replace")
        host = socket.inet_ntop(self.family, self.host)
        return "%s:%d" % (host, self.port) if self.family == socket.AF_INET else "[%s]:%d" % (host, self.port)


def of_tree(tree: trees.Tree) -> tuple[list[str], bool]:
    """(addresses, known): `host:port` and `unix:path`; `known` is False where no process's sockets could be read.

    With --reuse-port the arbiter holds no listening socket, so the workers are asked too.
    """
    found, known = listeners(tree)
    addresses = sorted({listener.address for listener in found})
    if not addresses and not known:
        addresses = [_normal(bind) for bind in tree.settings.get("bind", [])]
    return addresses, known


def listeners(tree: trees.Tree) -> Tuple[List[Listener], bool]:
    """(listening sockets, whether any process's sockets could be read): the arbiter's, else those of everyone below it."""
    found: List[Listener] = []
    known = False
    for group in ([tree.arbiter.pid], tree.pids[1:]):
        inodes: Set[int] = set()
        for pid in group:
            theirs = held(pid)
            known = known or theirs is not None
            inodes |= theirs or set()
        found = [one for one in listening(tree.arbiter.pid) if one.inode in inodes] if inodes else []
        if found:
            break
    return found, known


def held(pid: int) -> Optional[Set[int]]:
    """The inodes of a process's sockets; None where they may not be read."""
    folder = "/proc/%d/fd" % pid
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    inodes = set()
    for name in names:
        try:
            target = os.readlink(folder + "/" + name)
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(int(target[8:-1]))
    return inodes


def listening(pid: int) -> List[Listener]:
    """Everything that listens in a process's network namespace."""
    found = []
    for kind, family in TCP_TABLES:
        for line in table(pid, kind):
            tcp = parse_tcp(line) if _LISTENING in line else None
            if tcp is not None:
                found.append(Listener(family, tcp.host, tcp.port, b"", tcp.inode))
    for line in table(pid, "unix"):
        unix = parse_unix(line)
        if unix is not None and unix.accepts and not unix.path.endswith(_CONTROL):
            found.append(Listener(socket.AF_UNIX, b"", 0, unix.path, unix.inode))
    return found


class TcpLine(NamedTuple):
    """A line of /proc/net/tcp; `queue` is the accept queue of a socket that listens."""

    state: int
    host: bytes
    port: int
    queue: int
    inode: int


class UnixLine(NamedTuple):
    """A line of /proc/net/unix."""

    accepts: bool
    state: int  # WAITING, CONNECTED
    path: bytes
    inode: int


def table(pid: int, kind: str) -> Iterator[bytes]:
    """The lines of a table of a process's network namespace, one by one: a busy machine has tens of thousands."""
    try:
        with open("/proc/%d/net/%s" % (pid, kind), "rb") as file:
            for line in file:
                yield line[:-1]
    except OSError:
        return


def parse_tcp(line: bytes) -> Optional[TcpLine]:
    """One line; None where it is none."""
    found = _TCP_LINE.match(line)
    if found is None:
        return None
    host, port, state, queue, inode = found.groups()
    return TcpLine(int(state, 16), _packed(host), int(port, 16), int(queue, 16), int(inode))


def parse_unix(line: bytes) -> Optional[UnixLine]:
    """One line; None where it is none."""
    found = _UNIX_LINE.match(line)
    if found is None or not found.group(4):
        return None
    flags, state, inode, path = found.groups()
    return UnixLine(bool(int(flags, 16) & _UNIX_ACCEPTS), int(state, 16), path, int(inode))


def _packed(kernel: bytes) -> bytes:
    """`0100007F` as 127.0.0.1: the kernel prints each four bytes as a number of this machine's."""
    words = struct.unpack(">%dI" % (len(kernel) // 8), bytes.fromhex(kernel.decode("ascii")))
    return struct.pack("=%dI" % len(words), *words)


def port_of(listening: str) -> int:
    """The port in an address; 0 for a unix socket."""
    port = listening.rsplit(":", 1)[-1]
    return int(port) if port.isdigit() and not listening.startswith("unix:") else 0


def _normal(bind: str) -> str:
    if bind.startswith(("unix:", "fd://")):
        return bind
    bind = bind[6:] if bind.startswith("tcp://") else bind
    if bind.startswith(":"):
        return "0.0.0.0" + bind  # noqa: S104 (what gunicorn makes of it; nothing is bound here)
    return bind if ":" in bind else bind + ":8000"
