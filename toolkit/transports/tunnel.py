"""Carries connections that a host's sshd takes for us on to a port of this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.transports.dialing import Stream

LOOPBACK = "127.0.0.1"
_CHUNK = 65536
_DIAL_S = 10.0


def carry_to(port: int) -> Callable[[Stream], None]:
    """What takes a connection from afar and joins it with `port` of this machine's loopback. It returns at once."""

    def carry(far: Stream) -> None:
        threading.Thread(target=_join, args=(far, port), name=f"tunnel to {port}", daemon=True).start()

    return carry


def _join(far: Stream, port: int) -> None:
    """Both directions, until either side ends: then both are closed, as nobody here speaks half a connection."""
    try:
        near = socket.create_connection((LOOPBACK, port), timeout=_DIAL_S)
    except OSError:
        far.close()
        return
    near.settimeout(None)
    back = threading.Thread(target=_copy, args=(near, far), name=f"tunnel from {port}", daemon=True)
    back.start()
    _copy(far, near)
    back.join()


def _copy(source: Stream, sink: Stream) -> None:
    try:
        while data := source.recv(_CHUNK):
            while data:
                data = data[sink.send(data) :]
    except (OSError, EOFError):
        pass  # one of the two ended
    finally:
        for one in (source, sink):
            _end(one)


def _end(one: Stream) -> None:
    """A socket that is only closed does not wake the thread that reads it."""
    with contextlib.suppress(OSError, EOFError):
        if isinstance(one, socket.socket):
            one.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError, EOFError):
        one.close()
