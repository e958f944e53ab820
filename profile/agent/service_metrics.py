"""The chosen gunicorn as a whole: `service` of a metrics line (names in toolkit/recording/metric_fields.py)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Dict, List, Optional, Set, Tuple, Union

import procfs
import sockdiag
import sockets
from cgroups import ControlGroup
from pace import Pace
from sockdiag import Entry, SockDiag
from socket_tables import SocketTables

if TYPE_CHECKING:
    import trees
    from kernel_files import Values

# Shares of a core: a machine with very many sockets is looked at less often.
QUEUE_SHARE, CONNECTIONS_SHARE, TIME_WAIT_SHARE = 0.0008, 0.0015, 0.001
OUT_SHARE, LISTENERS_SHARE = 0.0005, 0.0005
LISTENERS_EVERY_S = 30.0
MANY_WAIT = 2000  # a server that closes first has a minute's worth of them
_STATES = {
    sockdiag.ESTABLISHED: "connections",
    sockdiag.SYN_RECV: "connections_syn_recv",
    sockdiag.FIN_WAIT1: "connections_fin_wait",
    sockdiag.FIN_WAIT2: "connections_fin_wait",
    sockdiag.CLOSING: "connections_fin_wait",
    sockdiag.CLOSE_WAIT: "connections_close_wait",
    sockdiag.LAST_ACK: "connections_close_wait",
}
_TIME_WAIT = {sockdiag.TIME_WAIT: "connections_time_wait"}
_FAMILIES = (socket.AF_INET, socket.AF_INET6)

Place = Tuple[int, int]  # family and port


class Service:
    """Reads accept queues, connections and the control group of a gunicorn."""

    def __init__(self, tree: trees.Tree) -> None:
        self._pid = tree.arbiter.pid
        self._members: Set[int] = set()
        self._group = ControlGroup(self._pid)
        self._source = _source(self._pid)
        self._listeners: List[sockets.Listener] = []
        self._hosts: Dict[Place, Optional[Set[bytes]]] = {}
        self._looking = Pace(LISTENERS_SHARE)
        self._queueing = Pace(QUEUE_SHARE)
        self._counting = Pace(CONNECTIONS_SHARE)
        self._waiting = Pace(TIME_WAIT_SHARE)
        self._out = Pace(OUT_SHARE)
        self._many_wait = False
        self._looked_at = 0.0

    def read(self, tree: trees.Tree, now: float) -> Values:
        """Everything that can be read; `now` is `time.monotonic`."""
        self._follow(tree, now)
        values = self._group.read()
        try:
            values.update(self._read_sockets(tree, now))
        except OSError:
            if isinstance(self._source, SocketTables):
                raise
            self._source.close()
            self._source = SocketTables(self._pid)
            values.update(self._read_sockets(tree, now))
        return values

    def close(self) -> None:
        """Close the files."""
        self._group.close()
        self._source.close()

    def _follow(self, tree: trees.Tree, now: float) -> None:
        """See to it that the right sockets are looked at: an upgrade or a reload may have opened others."""
        if tree.arbiter.pid != self._pid:
            self.close()
            self._pid = tree.arbiter.pid
            self._group, self._source = ControlGroup(self._pid), _source(self._pid)
        members = set(tree.pids)
        stale = members != self._members or now - self._looked_at > LISTENERS_EVERY_S
        if stale and self._looking.due(now):
            self._members, self._looked_at = members, now
            self._listeners = self._looking.run(lambda: listeners_of(tree))
            self._hosts = places(self._listeners)

    def _read_sockets(self, tree: trees.Tree, now: float) -> Values:
        values: Values = {}
        if self._listeners and self._queueing.due(now):
            values.update(self._queueing.run(self._queues))
        if self._listeners and self._counting.due(now):
            values.update(self._counting.run(self._connections))
        if self._hosts and self._many_wait and self._waiting.due(now):
            values["connections_time_wait"] = self._waiting.run(self._time_wait)
        if self._out.due(now):
            out = self._out.run(lambda: self._connections_out(tree))
            if out is not None:
                values["connections_out"] = out
        return values

    def _queues(self) -> Values:
        inodes = {listener.inode for listener in self._listeners}
        queues = [
            (found.queue, found.limit)
            for family, port in self._hosts
            for found in self._source.tcp(family, port, (sockdiag.LISTEN,))
            if found.inode in inodes
        ]
        queues += self._unix_queues()
        values: Values = {}
        if queues:
            values["accept_queue"] = sum(queue for queue, _ in queues)
        limits = [limit for _, limit in queues if limit > 0]
        if limits:
            values["accept_queue_limit"] = min(limits)
        return values

    def _unix_queues(self) -> List[Tuple[int, int]]:
        listening = [listener for listener in self._listeners if listener.family == socket.AF_UNIX]
        queues = [self._source.unix_queue(listener.inode, listener.path) for listener in listening]
        return [queue for queue in queues if queue is not None]

    def _connections(self) -> Values:
        """By state. TIME_WAIT is asked for with the rest, which costs nothing, unless there are thousands in it."""
        states = {**_STATES, **({} if self._many_wait else _TIME_WAIT)}
        values: Values = {"connections": 0}
        if self._hosts:
            values.update(dict.fromkeys(states.values(), 0))
        for (family, port), hosts in self._hosts.items():
            for state, count in self._source.tcp_states(family, port, tuple(states), hosts).items():
                values[states[state]] += count
        names = {listener.path for listener in self._listeners if listener.family == socket.AF_UNIX}
        if names:
            # As with TCP, where a connection is established before it is accepted.
            values["connections"] += sum(self._source.unix_accepted(name) for name in names)
            values["connections"] += sum(waiting for waiting, _ in self._unix_queues())
        self._many_wait = self._many_wait or values.get("connections_time_wait", 0) > MANY_WAIT
        return values

    def _time_wait(self) -> int:
        waiting = sum(
            sum(self._source.tcp_states(family, port, tuple(_TIME_WAIT), hosts).values())
            for (family, port), hosts in self._hosts.items()
        )
        self._many_wait = waiting > MANY_WAIT // 2
        return waiting

    def _connections_out(self, tree: trees.Tree) -> Optional[int]:
        """None where no process's descriptors may be read."""
        theirs = [inodes for inodes in map(sockets.held, tree.pids) if inodes is not None]
        held = set().union(*theirs)
        if not theirs:
            return None
        return sum(
            found.inode in held and not self._is_ours((family, found.port), found)
            for family in _FAMILIES
            for found in self._source.tcp(family, 0, (sockdiag.ESTABLISHED,))
        )

    def _is_ours(self, place: Place, found: Entry) -> bool:
        """Whether it came in through one of the listening sockets; another program may use the port on another address."""
        if place not in self._hosts:
            return False
        hosts = self._hosts[place]
        return hosts is None or found.host in hosts


def _source(pid: int) -> Union[SockDiag, SocketTables]:
    if procfs.same_network(pid):
        try:
            return SockDiag()
        except OSError:
            pass
    return SocketTables(pid)


def listeners_of(tree: trees.Tree) -> List[sockets.Listener]:
    """The listening sockets of a gunicorn; by its `--bind` where its descriptors may not be read."""
    found, known = sockets.listeners(tree)
    if known:
        return found
    addresses = sockets.of_tree(tree)[0]
    return [listener for listener in sockets.listening(tree.arbiter.pid) if listener.address in addresses]


def places(listeners: List[sockets.Listener]) -> Dict[Place, Optional[Set[bytes]]]:
    """(family, port) → the hosts listened on, filled to 16 bytes; None for every host."""
    found: Dict[Place, Optional[Set[bytes]]] = {}
    for listener in listeners:
        if listener.family == socket.AF_UNIX:
            continue
        place = (int(listener.family), listener.port)
        hosts = found.setdefault(place, set())
        if hosts is not None and any(listener.host):
            hosts.add(listener.host.ljust(16, b"\0"))
        elif hosts is not None:
            found[place] = None
    return found
