"""known_hosts as OpenSSH reads it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from toolkit.transports.known_hosts import (
    Standing,
    fingerprint,
    host_name_in_files,
    judge,
    known_kinds,
    names_host,
    parse_known_hosts,
)

PATH = Path("/k")
ONE, TWO, THREE = b"key one", b"key two", b"key three"
# `ssh-keygen -H` of "[127.0.0.1]:2222" and of "example.org", by OpenSSH 9.2.
HASHED = {
    "[127.0.0.1]:2222": "|1|G86gJvqU0wYYg25aBwyB/Td2hEg=|F9RhUikKZTcB/02uXVIUZqKOjyk=",
    "example.org": "|1|TP+ZotoUaig8/XtTBOqvxXka5E4=|QdFahnxwH1RQo1dYsux0OWGB+JY=",
}


def b64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def standing(
    text: str, blob: bytes = ONE, kind: str = "ssh-ed25519", names: tuple[str, ...] = ("host",)
) -> Standing:
    return judge(parse_known_hosts(text, PATH), names, kind, blob).standing


@pytest.mark.parametrize(
    ("hosts", "name", "fits"),
    [
        ("host", "host", True),
        ("HOST", "host", True),
        ("host", "hosts", False),
        ("a,host,b", "host", True),
        ("h?st", "host", True),
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "example.org", False),
        ("*,!host", "host", False),
        ("!host,*", "host", False),
        ("!host", "other", False),
        ("*", "[10.0.0.1]:22022", True),
        ("[10.0.0.*]:22", "[10.0.0.1]:22", True),
        ("[10.0.0.1]:*", "[10.0.0.1]:22022", True),
        ("[ab]ost", "aost", False),  # brackets are brackets, not a class
        ("|1|broken", "host", False),
        ("|1|not base64!|x", "host", False),
    ],
)
def test_names(hosts: str, name: str, fits: bool) -> None:
    assert names_host(hosts, name) == fits


@pytest.mark.parametrize("name", HASHED)
def test_hashed_names(name: str) -> None:
    assert names_host(HASHED[name], name)
    assert names_host(HASHED[name], name.upper())
    assert not names_host(HASHED[name], name + "x")


def test_a_port_other_than_22_is_part_of_the_name() -> None:
    assert host_name_in_files("Host", 22) == "host"
    assert host_name_in_files("::1", 2222) == "[::1]:2222"


def test_lines_that_are_none_are_passed_over() -> None:
    text = f"\n# comment\nhost\nhost ssh-rsa\nhost ssh-rsa ???\n@new host ssh-rsa {b64(ONE)}\n  host ssh-ed25519 {b64(ONE)} c\n"
    assert [line.line for line in parse_known_hosts(text, PATH)] == [7]


def test_standings() -> None:
    same, other = f"host ssh-ed25519 {b64(ONE)}\n", f"host ssh-ed25519 {b64(TWO)}\n"
    assert standing("") is Standing.UNKNOWN
    assert standing(same) is Standing.KNOWN
    assert standing(other) is Standing.CHANGED
    assert standing(other + same) is Standing.KNOWN  # a host may have several
    assert standing(f"host ssh-rsa {b64(TWO)}") is Standing.OTHER_KIND
    assert standing(f"other ssh-ed25519 {b64(ONE)}") is Standing.UNKNOWN


def test_markers() -> None:
    same, revoked = f"host ssh-ed25519 {b64(ONE)}\n", f"@revoked host ssh-ed25519 {b64(ONE)}\n"
    authority = f"@cert-authority host ssh-ed25519 {b64(TWO)}\n"
    assert standing(same + revoked) is Standing.REVOKED
    assert standing(revoked) is Standing.REVOKED
    assert standing(revoked, TWO) is Standing.UNKNOWN  # a revoked key is none that is known
    assert standing(f"@revoked other ssh-ed25519 {b64(ONE)}\n" + same) is Standing.KNOWN
    assert standing(authority) is Standing.AUTHORITY_ONLY
    assert standing(authority, TWO) is Standing.AUTHORITY_ONLY  # the authority's key is no host's
    assert standing(authority + same) is Standing.KNOWN
    assert standing(authority + same, THREE) is Standing.CHANGED


def test_without_its_port_only_the_very_same_key_counts() -> None:
    names = ("[host]:2222", "host")
    line = f"host ssh-ed25519 {b64(ONE)}"
    assert standing(line, ONE, names=names) is Standing.KNOWN
    assert (
        standing(line, TWO, names=names) is Standing.UNKNOWN
    )  # another server on the same host: not changed
    assert standing(f"@revoked {line}", ONE, names=names) is Standing.REVOKED


def test_the_verdict_names_its_lines() -> None:
    text = f"# one\nhost ssh-ed25519 {b64(TWO)}\n*,!x ssh-ed25519 {b64(THREE)}\n"
    verdict = judge(parse_known_hosts(text, PATH), ["host"], "ssh-ed25519", ONE)
    assert [(line.line, line.by_pattern()) for line in verdict.lines] == [(2, False), (3, True)]


def test_known_kinds_come_in_order_without_markers() -> None:
    text = f"host ssh-rsa {b64(ONE)}\nhost ssh-ed25519 {b64(TWO)}\n*  ssh-rsa {b64(TWO)}\n@revoked host ecdsa {b64(ONE)}\n"
    assert known_kinds(parse_known_hosts(text, PATH), ["host"]) == ["ssh-rsa", "ssh-ed25519"]


def test_fingerprint() -> None:
    # Of this key `ssh-keygen -lf` says so.
    assert (
        fingerprint(base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIJdAJL34xFJ6lvGL+dDEBcz+algUsCLO61oUeKNBNUub"))
        == "SHA256:cE3SPBBYpB3U6RMUSUV4c70+jcat8lWuEeqMXcT6dSE"
    )
