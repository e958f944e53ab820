"""The same answers as sockdiag's out of /proc/PID/net: for a service in another network namespace, or without netlink."""

from __future__ import annotations

from typing import Dict, Iterator, Optional, Set, Tuple

import sockets
from sockdiag import Entry


class SocketTables:
    """Reads the tables of the network namespace of a process. The limit of an accept queue is not in them."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def tcp(self, family: int, port: int, states: Tuple[int, ...]) -> Iterator[Entry]:
        """The TCP sockets of a family in these states; `port` 0: on every local port."""
        kind = next(name for name, number in sockets.TCP_TABLES if number == family)
        wanted = tuple(b" %02X " % state for state in states)
        ending = b":%04X " % port
        for line in sockets.table(self._pid, kind):
            # Most lines are not parsed at all: that costs ten times as much.
            if (port and ending not in line) or not any(state in line for state in wanted):
                continue
            tcp = sockets.parse_tcp(line)
            if tcp is not None and tcp.state in states and port in (0, tcp.port):
                yield Entry(tcp.state, tcp.host.ljust(16, b"\0"), tcp.port, tcp.queue, 0, tcp.inode)

    def tcp_states(
        self, family: int, port: int, states: Tuple[int, ...], hosts: Optional[Set[bytes]]
    ) -> Dict[int, int]:
        """How many TCP sockets are in each state; `hosts`: only those on these addresses, filled to 16 bytes."""
        counts = dict.fromkeys(states, 0)
        for found in self.tcp(family, port, states):
            if hosts is None or found.host in hosts:
                counts[found.state] += 1
        return counts

    def unix_queue(self, inode: int, name: bytes) -> Optional[Tuple[int, int]]:
        """(waiting, 0) for a listening unix socket: connections that no process holds yet."""
        del inode
        return self._unix(name, sockets.WAITING), 0

    def unix_accepted(self, name: bytes) -> int:
        """How many accepted connections a unix socket of this name has."""
        return self._unix(name, sockets.CONNECTED)

    def _unix(self, name: bytes, state: int) -> int:
        lines = (line for line in sockets.table(self._pid, "unix") if line.endswith(name))
        found = (sockets.parse_unix(line) for line in lines)
        return sum(1 for line in found if line is not None and line.state == state and line.path == name)

    def close(self) -> None:
        """Nothing is kept open."""
