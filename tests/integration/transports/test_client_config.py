"""The client's configuration as ssh reads it, and as it is read where there is no ssh."""

from __future__ import annotations

import shutil
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.transports.conftest import host_block, host_public
from toolkit.errors import NotPermittedError, UnreachableError, UsageError
from toolkit.transports.base import ConnectOptions
from toolkit.transports.registry import host_of, open_transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.demo.sshd import SshServer

    Configure = Callable[..., ConnectOptions]

pytestmark = pytest.mark.needs_sshd


@pytest.fixture(params=["ssh", "paramiko"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who reads the configuration."""
    if request.param == "ssh" and shutil.which("ssh") is None:
        pytest.skip("ssh is not installed")
    if request.param == "paramiko":
        monkeypatch.setattr("toolkit.transports.client_config.find_ssh", lambda: None)
    return str(request.param)


def known(*servers: SshServer) -> str:
    return "".join(f"[127.0.0.1]:{server.port} {host_public(server)}\n" for server in servers)


def answer(address: str, options: ConnectOptions) -> str:
    transport = open_transport(address, options)
    try:
        return transport.run(["sh", "-c", "echo $SSH_CONNECTION"]).stdout.decode().strip()
    finally:
        transport.close()


@pytest.mark.usefixtures("reader")
def test_an_alias_with_its_user_port_and_key(openssh: SshServer, configure: Configure) -> None:
    options = configure(host_block(openssh), known_hosts=known(openssh))
    assert answer("ssh://service", options).endswith(str(openssh.port))
    transport = open_transport("ssh://service", options)
    transport.close()
    assert transport.address == f"ssh://{openssh.user}@127.0.0.1:{openssh.port}"


@pytest.mark.usefixtures("reader")
def test_the_address_wins_over_the_configuration(openssh: SshServer, configure: Configure) -> None:
    block = (
        host_block(openssh)
        .replace(f"Port {openssh.port}", "Port 1")
        .replace(f"User {openssh.user}", "User nobody-here")
    )
    options = configure(block, known_hosts=known(openssh))
    assert answer(f"ssh://{openssh.user}@service:{openssh.port}", options)


@pytest.mark.usefixtures("reader")
def test_include_and_patterns(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "hosts.d").mkdir()
    (tmp_path / "hosts.d" / "a.conf").write_text("Host unrelated\n    Port 1\n")
    (tmp_path / "hosts.d" / "b.conf").write_text(host_block(openssh, alias="serv?ce !server"))
    options = configure(f'Include "{tmp_path}/hosts.d/*.conf"\n', known_hosts=known(openssh))
    assert answer("ssh://service", options)


@pytest.mark.usefixtures("reader")
def test_a_block_goes_on_after_an_include(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Host other\n    Port 1\n")
    head, _, rest = host_block(openssh).partition("\n")
    options = configure(f"{head}\n    Include {tmp_path}/more\n{rest}", known_hosts=known(openssh))
    assert answer("ssh://service", options)


@pytest.mark.usefixtures("reader")
def test_match(openssh: SshServer, configure: Configure) -> None:
    block = host_block(openssh).replace("Host service", "Match originalhost service")
    assert answer("ssh://service", configure(block, known_hosts=known(openssh)))


def test_match_exec(openssh: SshServer, configure: Configure, reader: str) -> None:
    block = host_block(openssh).replace("Host service", "Match originalhost service exec true")
    options = configure(block, known_hosts=known(openssh))
    if reader == "ssh":
        assert answer("ssh://service", options)
    else:
        with pytest.raises(UsageError, match=r"config uses Match exec.*Install OpenSSH's client"):
            open_transport("ssh://service", options)


@pytest.mark.usefixtures("reader")
def test_tokens_in_paths(openssh: SshServer, configure: Configure, own_home: Path) -> None:
    shutil.copy(openssh.folder / "id_ed25519", own_home / f"key-{openssh.port}-{openssh.user}")
    options = configure(host_block(openssh, key=own_home / "key-%p-%r"), known_hosts=known(openssh))
    assert answer("ssh://service", options)


@pytest.mark.usefixtures("reader")
def test_a_jump_host(openssh: SshServer, start_sshd: Callable[..., SshServer], configure: Configure) -> None:
    jump = start_sshd()
    options = configure(
        host_block(openssh, "ProxyJump jump") + host_block(jump, alias="jump"),
        known_hosts=known(openssh, jump),
    )
    before = jump.log.read_text()
    assert answer("ssh://service", options)
    assert "Accepted publickey" in jump.log.read_text()[len(before) :]


@pytest.mark.usefixtures("reader")
def test_a_chain_of_jump_hosts_with_user_and_port(
    openssh: SshServer, start_sshd: Callable[..., SshServer], configure: Configure
) -> None:
    first, second = start_sshd(), start_sshd(kind="asyncssh")
    user = openssh.user
    chain = f"first,ssh://{user}@second:{second.port}"
    text = host_block(openssh, f"ProxyJump {chain}") + host_block(first, alias="first")
    text += host_block(second, "ProxyJump nowhere", alias="second").replace(f"Port {second.port}", "Port 1")
    options = configure(text, known_hosts=known(openssh, first, second))
    assert answer("ssh://service", options)
    assert "Accepted publickey" in first.log.read_text()
    assert (
        "Accepted connection request" in second.log.read_text() or "TCP connection" in second.log.read_text()
    )


@pytest.mark.usefixtures("reader")
def test_the_jump_hosts_own_jump_host_is_passed(
    openssh: SshServer, start_sshd: Callable[..., SshServer], configure: Configure
) -> None:
    outer, inner = start_sshd(), start_sshd()
    text = (
        host_block(openssh, "ProxyJump inner")
        + host_block(inner, "ProxyJump outer", alias="inner")
        + host_block(outer, alias="outer")
    )
    assert answer("ssh://service", configure(text, known_hosts=known(openssh, outer, inner)))
    assert "Accepted publickey" in outer.log.read_text()


def test_jump_hosts_in_a_circle(openssh: SshServer, configure: Configure) -> None:
    text = host_block(openssh, "ProxyJump b") + host_block(openssh, "ProxyJump service", alias="b")
    with pytest.raises(UsageError, match="circle"):
        open_transport("ssh://service", configure(text))


def test_an_unknown_jump_host_is_refused_by_name(
    openssh: SshServer, start_sshd: Callable[..., SshServer], configure: Configure
) -> None:
    jump = start_sshd()
    text = host_block(openssh, "ProxyJump jump") + host_block(jump, alias="jump")
    with pytest.raises(NotPermittedError, match=rf"127\.0\.0\.1:{jump.port} shows .* not in known_hosts"):
        open_transport("ssh://service", configure(text, known_hosts=known(openssh)))


def test_behind_a_jump_host_the_given_command_holds_the_key(
    openssh: SshServer, start_sshd: Callable[..., SshServer], configure: Configure
) -> None:
    """ssh-keyscan cannot pass a jump host."""
    jump = start_sshd()
    text = host_block(openssh, "ProxyJump jump") + host_block(jump, alias="jump")
    with pytest.raises(NotPermittedError) as caught:
        open_transport("ssh://service", configure(text, known_hosts=known(jump)))
    assert f"echo '[127.0.0.1]:{openssh.port} {host_public(openssh)}' >> " in caught.value.hint


def test_a_jump_host_that_cannot_reach_the_host(
    openssh: SshServer, start_sshd: Callable[..., SshServer], configure: Configure
) -> None:
    jump = start_sshd()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        text = (
            f"Host service\n    HostName 127.0.0.1\n    Port {closed.getsockname()[1]}\n    ProxyJump jump\n"
        )
        options = configure(text + host_block(jump, alias="jump"), known_hosts=known(jump))
        with pytest.raises(
            UnreachableError, match=rf"{jump.port} cannot reach 127\.0\.0\.1 port \d+: Connect failed\. "
        ):
            open_transport("ssh://service", options)


@pytest.mark.usefixtures("reader")
def test_a_proxy_command(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    carrier = tmp_path / "carrier.py"
    carrier.write_text(
        "import socket, sys, threading, os\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    options = configure(
        host_block(openssh, f"ProxyCommand {sys.executable} {carrier} %h %p"), known_hosts=known(openssh)
    )
    assert answer("ssh://service", options)


@pytest.mark.usefixtures("reader")
def test_a_proxy_command_that_fails(openssh: SshServer, configure: Configure) -> None:
    """Only the command itself knows why; of its line the program alone is told, as a secret may follow."""
    command = "ProxyCommand /bin/sh -c 'echo no way to %h >&2; exit 7' hush-hush"
    options = configure(host_block(openssh, command), known_hosts=known(openssh))
    with pytest.raises(UnreachableError) as caught:
        open_transport("ssh://service", options)
    assert caught.value.message.startswith(f"No SSH connection to 127.0.0.1 port {openssh.port}: ")
    assert ": . " not in caught.value.message
    assert (
        "The ProxyCommand of service (/bin/sh …) ended with 7 and said: no way to 127.0.0.1."
        in caught.value.message
    )
    assert "`ssh service`" in caught.value.hint
    assert "hush-hush" not in str(caught.value)


def test_a_proxy_command_that_talks_all_the_time(openssh: SshServer, configure: Configure) -> None:
    """More than a pipe holds: it must neither stand still for it nor fill anything."""
    command = f"ProxyCommand {sys.executable} -c \"import sys; sys.stderr.write('x' * 300_000); sys.exit(3)\""
    options = configure(host_block(openssh, command), known_hosts=known(openssh))
    with pytest.raises(UnreachableError, match=r"ended with 3 and said: x{400,500}\.") as caught:
        open_transport("ssh://service", options)
    assert len(caught.value.message) < 800


def test_a_wrong_configuration_is_bad_usage(configure: Configure) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed")
    with pytest.raises(UsageError, match=r"config.*[Bb]ad configuration option: nonsense") as caught:
        open_transport("ssh://service", configure("Nonsense yes\n"))
    assert caught.value.exit_code == 2


def test_a_missing_configuration_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        open_transport("ssh://service", ConnectOptions(config_path=tmp_path / "none"))


@pytest.mark.usefixtures("reader")
def test_connect_timeout(configure: Configure) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = f"Host service\n    HostName 127.0.0.1\n    Port {silent.getsockname()[1]}\n    ConnectTimeout 1\n"
        options = configure(text)
        with pytest.raises(UnreachableError, match="No SSH connection to 127"):
            open_transport("ssh://service", ConnectOptions(config_path=options.config_path))


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("", "service"),
        ("Host service\n HostName 127.0.0.1\n", "127.0.0.1"),
        ("Host service\n HostName 192.0.2.1\n", "192.0.2.1"),
        ("Host service\n HostName localhost\n ProxyJump far.example.org\n", "far.example.org"),
        ("Host service\n HostName far.example.org\n ProxyJump localhost\n", "far.example.org"),
        ("Host service\n HostName localhost\n ProxyCommand nc far 22\n", "localhost by a ProxyCommand"),
    ],
)
def test_which_host_an_address_leads_to(configure: Configure, text: str, host: str) -> None:
    """The question before a load on somebody else's machine hangs on it."""
    assert host_of("ssh://service", configure(text)) == host


def test_local_leads_to_no_other_host() -> None:
    assert host_of("local:") is None
