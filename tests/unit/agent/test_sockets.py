"""Sockets out of the kernel's tables and messages: a path in them may look like anything."""

from __future__ import annotations

import socket
import struct
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

sockets = import_module("sockets")
sockdiag = import_module("sockdiag")
service_metrics = import_module("service_metrics")

LISTENS = (
    b"   0: 0100007F:46A0 00000000:0000 0A 00000000:00000007 00:00000000 00000000     0        0 1373252 1 "
    b"00000000ed3fef8b 100 0 0 10 0                   "
)
V6 = (
    b"   1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 "
    b"00:00000000 00000000  1000        0 77 1 0000000000000000 100 0 0 10 0"
)
UNIX = b"00000000967d496c: 00000002 00000000 00010000 0001 01 1582 /run/web.sock"


def test_a_listening_socket_and_its_queue() -> None:
    assert sockets.parse_tcp(LISTENS) == (10, b"\x7f\x00\x00\x01", 18080, 7, 1373252)
    line = sockets.parse_tcp(V6)
    listener = sockets.Listener(socket.AF_INET6, line.host, line.port, b"", line.inode)
    assert listener.address == "[::1]:8080"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (UNIX, (True, 1, b"/run/web.sock", 1582)),
        (
            UNIX.replace(b"00010000", b"00000000").replace(b" 01 ", b" 03 "),
            (False, 3, b"/run/web.sock", 1582),
        ),
        (UNIX + b" with spaces", (True, 1, b"/run/web.sock with spaces", 1582)),
        (UNIX + b"\xff\x1b[31m", (True, 1, b"/run/web.sock\xff\x1b[31m", 1582)),
        (UNIX[: UNIX.index(b" /run")], None),
        (b"second line of a path 1 2 3 4 5 6 7 8 9", None),
        (b"Num       RefCount Protocol Flags    Type St Inode Path", None),
        (b"", None),
    ],
)
def test_unix_sockets(line: bytes, told: tuple[Any, ...] | None) -> None:
    assert sockets.parse_unix(line) == told


@given(st.binary(max_size=200), st.integers(0, len(V6)))
def test_a_torn_line_is_none_or_a_socket(noise: bytes, cut: int) -> None:
    for line in (noise, LISTENS[:cut], V6[:cut] + noise, UNIX[:cut] + noise, noise + UNIX):
        sockets.parse_unix(line)
        found = sockets.parse_tcp(line)
        assert found is None or 0 <= found.port < 65536


def message(state: int, host: bytes, port: int, queue: int, limit: int, inode: int) -> bytes:
    """As struct inet_diag_msg lies in memory."""
    identity = struct.pack(">HH", port, 9) + host.ljust(16, b"\0") + bytes(16) + struct.pack("=III", 0, 1, 2)
    return (
        struct.pack("=BBBB", 2, state, 0, 0) + identity + struct.pack("=IIIII", 0, queue, limit, 1000, inode)
    )


def test_a_socket_of_netlink() -> None:
    data = message(10, b"\x7f\0\0\x01", 8000, 3, 2048, 4711)
    assert sockdiag.entry(b"head" + data, 4) == (10, b"\x7f\0\0\x01".ljust(16, b"\0"), 8000, 3, 2048, 4711)


@given(st.binary(max_size=64))
def test_malformed_attributes_end_the_search(data: bytes) -> None:
    found = sockdiag._attribute(data, 0, len(data), 4)
    assert found is None or isinstance(found, bytes)


def listener(host: str, port: int, family: int = socket.AF_INET) -> Any:
    return sockets.Listener(family, socket.inet_pton(family, host), port, b"", 1)


def test_connections_to_another_address_of_the_same_port_are_not_ours() -> None:
    found = service_metrics.places(
        [listener("127.0.0.1", 80), listener("10.0.0.1", 80), listener("0.0.0.0", 81)]
    )
    assert found == {
        (2, 80): {b"\x7f\0\0\x01".ljust(16, b"\0"), b"\x0a\0\0\x01".ljust(16, b"\0")},
        (2, 81): None,
    }
    every = service_metrics.places([listener("127.0.0.1", 80), listener("0.0.0.0", 80)])
    assert every == {(2, 80): None}, "every address includes the first"
    assert service_metrics.places([listener("::", 80, socket.AF_INET6)]) == {(10, 80): None}
    unix = sockets.Listener(socket.AF_UNIX, b"", 0, b"/run/x", 5)
    assert service_metrics.places([unix]) == {}


def test_a_unix_name_is_spelt_as_in_the_table() -> None:
    assert sockdiag.as_in_table(b"/run/a b.sock\0") == b"/run/a b.sock"
    assert sockdiag.as_in_table(b"/run/a b.sock") == b"/run/a b.sock"
    assert sockdiag.as_in_table(b"\0abstract") == b"@abstract"
