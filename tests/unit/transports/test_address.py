"""Addresses of hosts, right and wrong."""

from __future__ import annotations

import pytest

from toolkit.errors import UsageError
from toolkit.transports.address import Address, parse_address, parse_jump
from toolkit.transports.registry import open_transport


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ssh://host", Address("ssh", "", "host", 0)),
        ("ssh://bob@host.example.org:2222", Address("ssh", "bob", "host.example.org", 2222)),
        ("ssh://bob@host:22/", Address("ssh", "bob", "host", 22)),
        ("SSH://alias_1", Address("ssh", "", "alias_1", 0)),
        ("ssh://[::1]:22", Address("ssh", "", "::1", 22)),
        ("ssh://bob@[fe80::1%eth0]", Address("ssh", "bob", "fe80::1%eth0", 0)),
        ("ssh://do%40main@host", Address("ssh", "do@main", "host", 0)),
        ("local:", Address("local")),
        ("local://", Address("local")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "bob@host",
        "bob@host:22",
        "ssh:host",
        "ssh://",
        "ssh://bob@",
        "ssh://host:0",
        "ssh://host:65536",
        "ssh://host:ssh",
        "ssh://host:-1",
        "ssh://host:",
        "ssh://::1",
        "ssh://host/path",
        "ssh://-oProxyCommand=id",
        "ssh://-l@host",
        "ssh://ho st",
        "ssh://host;id",
        "ssh://$(id)",
        "ssh://a b@host",
        "ssh://host\n",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "ssh://[user@]host[:port]" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["ssh://bob:hunter2@host", "ssh://bob:hunter2@host:22", "ssh://bob:hun@ter2@host"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "hun" not in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_an_address_without_its_scheme_gives_nothing_away() -> None:
    with pytest.raises(UsageError) as caught:
        open_transport("bob:hunter2@host")
    assert "hunter2" not in str(caught.value)


def test_jump_hosts() -> None:
    assert parse_jump("bob@host:2222") == Address("ssh", "bob", "host", 2222)
    assert parse_jump(" ssh://host ") == Address("ssh", "", "host", 0)
    with pytest.raises(UsageError):
        parse_jump("-oProxyCommand=id")
