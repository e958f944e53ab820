"""What `ssh -G` prints, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import UsageError
from toolkit.transports.address import Address
from toolkit.transports.base import ConnectOptions
from toolkit.transports.client_config import HostConfig, make_host, parse_dump
from toolkit.transports.config_text import inlined
from toolkit.transports.route import plan_route

# Captured from OpenSSH 9.2; keywords that nobody reads are left out.
DUMP = """\
host web
user deploy
hostname 10.0.0.7
port 2222
identitiesonly yes
stricthostkeychecking accept-new
serveraliveinterval 20
hostkeyalias none
identityfile ~/.ssh/deploy %r
identityfile none
identityfile /keys/%h-%p
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /a b/known hosts ~/.ssh/%k none
connecttimeout 7
proxyjump bastion,ops@inner:2200
identityagent none
"""


def host(
    text: str = DUMP, address: Address | None = None, *, jumped: bool = False, **options: object
) -> HostConfig:
    made = ConnectOptions(**options)  # type: ignore[arg-type]
    return make_host(address or Address("ssh", "", "web", 0), parse_dump(text), made, jumped=jumped)


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")


def test_everything_is_taken_over() -> None:
    found = host()
    assert (found.alias, found.hostname, found.port, found.user) == ("web", "10.0.0.7", 2222, "deploy")
    assert found.identity_files == (Path("/home/me/.ssh/deploy deploy"), Path("/keys/10.0.0.7-2222"))
    assert found.identities_only
    assert found.identity_agent == ""
    assert found.known_hosts == (
        Path("/a b/known hosts"),
        Path("/home/me/.ssh/web"),
        Path("/etc/ssh/ssh_known_hosts"),
        Path("/etc/ssh/ssh_known_hosts2"),
    )
    assert found.proxy_jump == "bastion,ops@inner:2200"
    assert (found.timeout_s, found.keepalive_s) == (7, 20)
    assert found.strict_host_key_checking == "accept-new"
    assert found.shown == "ssh://deploy@10.0.0.7:2222"
    assert not found.direct


def test_address_and_options_win() -> None:
    found = host(
        address=Address("ssh", "root", "web", 22),
        identity_files=(Path("/k"),),
        known_hosts=(Path("/h"),),
        timeout_s=3.0,
    )
    assert (found.user, found.port, found.timeout_s) == ("root", 22, 3)
    assert found.identity_files == (Path("/k"), Path("/home/me/.ssh/deploy root"), Path("/keys/10.0.0.7-22"))
    assert found.known_hosts == (Path("/h"),)


def test_behind_a_jump_host_its_own_way_does_not_count() -> None:
    assert host(jumped=True).proxy_jump == ""
    assert host("proxycommand nc %h %p\n", jumped=True).proxy_command == ""
    assert not host("user x\n", jumped=True).direct


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    found = host("user me\n")
    assert (found.hostname, found.port, found.timeout_s, found.direct) == ("web", 22, 15, True)
    assert Path("/home/me/.ssh/id_ed25519") in found.identity_files
    assert found.known_hosts[0] == Path("/home/me/.ssh/known_hosts")
    assert found.identity_agent == "/agent"


def test_tokens_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "/w")
    text = (
        "user me\nhostname h\nport 7\nproxycommand run ${WHERE}/x %h:%p %r %n 100%%\nidentityagent $WHERE\n"
    )
    found = host(text)
    assert found.proxy_command == "run /w/x h:7 me web 100%"
    assert found.identity_agent == "/w"
    assert not found.direct


def test_no_known_hosts_at_all_still_names_a_file_to_write_to() -> None:
    found = host("user me\nuserknownhostsfile none\nglobalknownhostsfile none\n")
    assert found.known_hosts == (Path("/home/me/.ssh/known_hosts"),)


def test_a_port_that_is_none() -> None:
    with pytest.raises(UsageError, match="port 'ssh'"):
        host("port ssh\n")


def test_includes_are_put_in_their_places(tmp_path: Path) -> None:
    (tmp_path / "main").write_text(
        'Host a\n  Include "sub/*.conf" other\n  Port 2\ninclude=nowhere\nUser x\n'
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.conf").write_text("Host b\n  Port 1\n")
    (tmp_path / "sub" / "2.conf").write_text("Host c\n")
    (tmp_path / "other").write_text("User y\n")
    lines = inlined(tmp_path / "main", tmp_path).split("\n")
    words = [line.strip() for line in lines if line.strip()]
    assert words == [
        "Host a",
        "Host b",
        "Port 1",
        "Host a",
        "Host c",
        "Host a",
        "User y",
        "Host a",
        "Port 2",
        "User x",
    ]


def test_files_that_include_one_another(tmp_path: Path) -> None:
    (tmp_path / "main").write_text("Include main\n")
    with pytest.raises(UsageError, match="16 levels"):
        inlined(tmp_path / "main", tmp_path)


def test_the_route_is_the_one_ssh_takes() -> None:
    """The first jump host's own jump host is passed, the further ones' are not."""
    jumps = {"target": "a,b", "a": "x", "b": "never", "x": ""}
    asked: list[tuple[str, bool]] = []

    def read(address: Address, jumped: bool) -> HostConfig:
        asked.append((address.host, jumped))
        return host(
            f"user u\nhostname {address.host}\nproxyjump {jumps[address.host] or 'none'}\n",
            address,
            jumped=jumped,
        )

    route = plan_route(Address("ssh", "", "target", 0), read)
    assert [one.hostname for one in route] == ["x", "a", "b", "target"]
    assert ("b", True) in asked


def test_a_route_in_a_circle() -> None:
    with pytest.raises(UsageError, match="circle"):
        plan_route(
            Address("ssh", "", "a", 0),
            lambda address, jumped: host("user u\nproxyjump a\n", address, jumped=jumped),
        )
