"""Asks the kernel for sockets over netlink (sock_diag): only those on one port, in the states wanted, and in binary.

/proc/net/tcp lists every connection of the machine as text, and does not tell how long an accept queue may grow.
"""

from __future__ import annotations

import socket
import struct
from typing import Dict, Iterator, NamedTuple, Optional, Set, Tuple

ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT = 1, 2, 3, 4, 5, 6
CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = 7, 8, 9, 10, 11

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST, _DUMP = 1, 0x300
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_NO_COOKIE = 0xFFFFFFFF
_INET = struct.Struct("=xB2x2s2s16s16s16xII4xI")  # state, ports, addresses, queue, its limit, inode
_HOST = 8  # where the address is in it
_UNIX = struct.Struct("=BBBxI")  # family, type, state, inode
_UNIX_HEAD = 16
_SHOW_NAME, _SHOW_QUEUE = 1, 0x10
_NAME_ATTRIBUTE, _QUEUE_ATTRIBUTE = 0, 4
_RECEIVE_BYTES = 1 << 16
_MOST_PARTS = 20000
_TIMEOUT = struct.pack("@ll", 1, 0)  # the kernel answers at once; this is for one that does not


class Entry(NamedTuple):
    """A TCP socket. `host` is packed and filled to 16 bytes; `queue` and `limit` are an accept queue's where it listens."""

    state: int
    host: bytes
    port: int
    queue: int
    limit: int
    inode: int


class SockDiag:
    """One netlink socket. Every method raises OSError where the kernel does not answer."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG
        )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEOUT)
        self._number = 0

    def tcp(self, family: int, port: int, states: Tuple[int, ...]) -> Iterator[Entry]:
        """The TCP sockets of a family in these states, one by one: there may be very many. `port` 0: on every local port.

        To be read to its end before anything else is asked.
        """
        for data, start, _ in self._ask(_tcp_request(family, port, states), _DUMP):
            yield entry(data, start)

    def tcp_states(
        self, family: int, port: int, states: Tuple[int, ...], hosts: Optional[Set[bytes]]
    ) -> Dict[int, int]:
        """How many TCP sockets are in each state; `hosts`: only those on these addresses, filled to 16 bytes."""
        counts = dict.fromkeys(states, 0)
        for data, start, _ in self._ask(_tcp_request(family, port, states), _DUMP):
            # Nothing else of them is looked at: there may be thousands, once a second.
            state = data[start + 1]
            if state in counts and (hosts is None or data[start + _HOST : start + _HOST + 16] in hosts):
                counts[state] += 1
        return counts

    def unix_queue(self, inode: int, name: bytes) -> Optional[Tuple[int, int]]:
        """(waiting, limit) of the accept queue of a listening unix socket."""
        del name
        request = _unix_request(inode, 0xFFFFFFFF, _SHOW_QUEUE)
        for data, start, end in self._ask(request, 0):
            found = _attribute(data, start + _UNIX_HEAD, end, _QUEUE_ATTRIBUTE)
            if found is not None and len(found) == 8:
                waiting, limit = struct.unpack("=II", found)
                return waiting, limit
        return None

    def unix_accepted(self, name: bytes) -> int:
        """How many accepted connections a unix socket of this name (as in /proc/net/unix) has."""
        request = _unix_request(0, 1 << ESTABLISHED, _SHOW_NAME)
        answers = self._ask(request, _DUMP)
        names = (_attribute(data, start + _UNIX_HEAD, end, _NAME_ATTRIBUTE) for data, start, end in answers)
        return sum(1 for found in names if found and as_in_table(found) == name)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _ask(self, request: bytes, flags: int) -> Iterator[Tuple[bytes, int, int]]:
        """(data, start, end) of each answer."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        length = _HEADER.size + len(request)
        self._socket.send(_HEADER.pack(length, _BY_FAMILY, _REQUEST | flags, self._number, 0) + request)
        asked, unpack, head = self._number, _HEADER.unpack_from, _HEADER.size
        for _ in range(_MOST_PARTS):
            data = self._socket.recv(_RECEIVE_BYTES)
            start, size = 0, len(data)
            while start + head <= size:
                length, kind, _, number, _ = unpack(data, start)
                if length < head or start + length > size:
                    raise OSError("a malformed answer of the kernel")
                if number == asked:  # else it is left over from a question that timed out
                    if kind == _DONE:
                        return
                    if kind == _ERROR:
                        raise OSError(-struct.unpack_from("=i", data, start + head)[0], "sock_diag")
                    yield data, start + head, start + length
                    if not flags:
                        return
                start += (length + 3) & ~3
        raise OSError("the kernel did not stop to answer")


def _tcp_request(family: int, port: int, states: Tuple[int, ...]) -> bytes:
    wanted = sum(1 << state for state in states)
    request = struct.pack("=BBxxI", family, socket.IPPROTO_TCP, wanted)
    return request + struct.pack(">HH", port, 0) + bytes(32) + struct.pack("=III", 0, _NO_COOKIE, _NO_COOKIE)


def entry(data: bytes, start: int) -> Entry:
    """One inet_diag_msg."""
    state, port, _, host, _, queue, limit, inode = _INET.unpack_from(data, start)
    return Entry(state, host, int.from_bytes(port, "big"), queue, limit, inode)


def as_in_table(name: bytes) -> bytes:
    """A unix socket's name as /proc/net/unix spells it: without the end of a path, with @ for what is no path."""
    return name.replace(b"\0", b"@") if name.startswith(b"\0") else name.rstrip(b"\0")


def _unix_request(inode: int, states: int, show: int) -> bytes:
    return struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, states, inode, show, _NO_COOKIE, _NO_COOKIE)


def _attribute(data: bytes, start: int, end: int, wanted: int) -> Optional[bytes]:
    while start + 4 <= end:
        length, kind = struct.unpack_from("=HH", data, start)
        if length < 4:
            return None
        if kind == wanted:
            return data[start + 4 : start + length]
        start += (length + 3) & ~3
    return None
